import { mkdtemp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAeTitle } from "../../src/dicom/ae-title.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from "../../src/dicom/dictionary/transfer-syntaxes.ts";
import { startDimseServer } from "../../src/network/dimse/server.ts";
import type { AcceptanceRules } from "../../src/network/dimse/service-types.ts";
import { freePort } from "../peers/free-port.ts";
import { all, fidelities, receivedIn, recordingStore } from "../peers/interop-fidelity.ts";
import { interopObjects, interopStudies } from "../peers/interop-objects.ts";
import { type ArchiveFaults, startPracticeArchive } from "../peers/practice-archive.ts";
import { runProgram } from "../peers/process.ts";
import { runPynetdicom } from "../peers/pynetdicom.ts";
import { requirePythonPeers } from "../peers/python-peers.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { dcmtkClientArgs, makeTransports, type Transport, type TransportName } from "../peers/transports.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const canTls = requirePeer("openssl");
const hasDcmtk = requirePeer("findscu");
const hasPynetdicom = requirePythonPeers();
const TRANSPORTS: readonly TransportName[] = canTls ? ["plain", "TLS", "mutual TLS"] : ["plain"];

const studies = interopStudies(interopObjects);
const everything = studies.map(({ studyInstanceUid }) => studyInstanceUid).join("\\");

const running = new AsyncDisposableStack();
let folder: string;
let transports: Readonly<Partial<Record<TransportName, Transport>>>;
beforeAll(async () => {
  folder = running.use(await temporaryFolder()).path;
  transports = canTls ? await makeTransports(folder) : {};
});
afterAll(() => running.disposeAsync());

interface Run {
  readonly port: string;
  readonly args: readonly string[];
  /** Where it works and writes. */
  readonly cwd: string;
  readonly transport: Transport | undefined;
  readonly signal?: AbortSignal;
}

/** A client of each family, run to its end. */
const FAMILIES = {
  dcmtk: (tool: Tool, { port, args, cwd, transport, signal }: Run) =>
    runProgram(tool, [...args, ...dcmtkClientArgs(transport?.peers), ...called(port)], cwd, signal),
  pynetdicom: (tool: Tool, { port, args, cwd, transport }: Run) =>
    runPynetdicom(tool, [...args, ...called(port)], cwd, { tls: transport?.peers }),
} as const;

type Tool = "echoscu" | "findscu" | "getscu" | "movescu";
type Family = keyof typeof FAMILIES;

const FAMILY_NAMES = (["dcmtk", "pynetdicom"] as const).filter((name) => (name === "dcmtk" ? hasDcmtk : hasPynetdicom));

function called(port: string): readonly string[] {
  return ["-aec", "PRACTICE", "127.0.0.1", port];
}

function key(name: string, value = ""): readonly string[] {
  return ["-k", `${name}=${value}`];
}

interface Setting {
  readonly transport?: TransportName;
  readonly rules?: AcceptanceRules;
  readonly destinations?: readonly string[];
  readonly faults?: ArchiveFaults;
}

/** The practice archive with all objects, and a folder for what its client writes. */
async function startArchive({ transport = "plain", rules, destinations = [], faults = {} }: Setting = {}) {
  const settings = { ...transports[transport]?.ours.server, ...(rules && { rules }) };
  const archive = await startPracticeArchive({ studies, settings, destinations, faults });
  const port = archive.address.split(":")[1] ?? "";
  const cwd = await mkdtemp(join(folder, "client-"));
  return { port, cwd, transport: transports[transport], [Symbol.asyncDispose]: () => archive[Symbol.asyncDispose]() };
}

const FAMILIES_AND_TRANSPORTS = FAMILY_NAMES.flatMap((family) =>
  TRANSPORTS.map((transport) => [family, transport] as const),
);

it.each(FAMILIES_AND_TRANSPORTS)("%s's clients over %s are echoed, and find", async (family, transport) => {
  await using archive = await startArchive({ transport });
  const { exitCode } = await FAMILIES[family]("echoscu", { ...archive, args: ["--repeat", "3"] });
  expect(exitCode).toBe(0);
  const keys = [...key("QueryRetrieveLevel", "STUDY"), ...key("StudyInstanceUID"), ...key("PatientName", "Interop*")];
  expect(await answersTo(family, archive, ["-S", ...keys])).toBe(2);
});

const [firstStudy] = studies;
const OF_STUDY = key("StudyInstanceUID", firstStudy?.studyInstanceUid);
const OF_SERIES = [...OF_STUDY, ...key("SeriesInstanceUID", firstStudy?.instances[0]?.seriesInstanceUid)];

const LEVELS = [
  ["PATIENT", "-P", key("PatientID"), 2],
  ["SERIES", "-S", [...OF_STUDY, ...key("SeriesInstanceUID")], firstStudy?.instances.length ?? 0],
  ["IMAGE", "-S", [...OF_SERIES, ...key("SOPInstanceUID")], 1],
] as const;

describe.each(FAMILY_NAMES)("%s's findscu", (family) => {
  it.each(LEVELS)("finds at level %s", async (level, model, keys, count) => {
    await using archive = await startArchive();
    expect(await answersTo(family, archive, [model, ...key("QueryRetrieveLevel", level), ...keys])).toBe(count);
  });
});

/** How many answers the client wrote to files. */
async function answersTo(family: Family, archive: Omit<Run, "args">, args: readonly string[]): Promise<number> {
  const cwd = await mkdtemp(join(folder, "answers-"));
  const toFiles = { dcmtk: "-X", pynetdicom: "-w" }[family];
  const { exitCode } = await FAMILIES[family]("findscu", { ...archive, cwd, args: [toFiles, ...args] });
  expect(exitCode).toBe(0);
  return (await readdir(cwd)).filter((name) => name.startsWith("rsp")).length;
}

describe("our provider", () => {
  it.skipIf(!hasDcmtk)("answers echoscu that proposes all it can", async () => {
    await using archive = await startArchive();
    const args = ["--propose-pc", "128", "--propose-ts", "38", "--max-pdu", "131072"];
    expect((await FAMILIES.dcmtk("echoscu", { ...archive, args })).exitCode).toBe(0);
  });

  it.skipIf(!hasDcmtk || !canTls).each([
    ["speaks TLS by BCP 195 without downgrading", "--profile-bcp195-nd", 0],
    ["speaks TLS by BCP 195", "--profile-bcp195", 0],
    ["speaks TLS by the extended BCP 195", "--profile-bcp195-ex", 0],
    ["does not speak TLS by the retired AES profile", "--profile-aes", 1],
    ["does not speak TLS by the retired profile without encryption", "--profile-null", 1],
  ])("%s", async (_, profile, exitCode) => {
    await using archive = await startArchive({ transport: "mutual TLS" });
    expect((await FAMILIES.dcmtk("echoscu", { ...archive, args: [profile] })).exitCode).toBe(exitCode);
  });

  it.skipIf(!hasPynetdicom)("answers a findscu that negotiates relational queries and fuzzy names", async () => {
    await using archive = await startArchive();
    const keys = [...key("QueryRetrieveLevel", "STUDY"), ...key("StudyInstanceUID")];
    expect(await answersTo("pynetdicom", archive, ["-S", "--relational-query", "--fuzzy-names", ...keys])).toBe(2);
  });

  it.skipIf(!hasDcmtk)("lets findscu cancel, and answers the next", async () => {
    await using archive = await startArchive();
    const keys = ["-S", ...key("QueryRetrieveLevel", "IMAGE"), ...key("SOPInstanceUID")];
    expect(await answersTo("dcmtk", archive, ["--cancel", "1", ...keys])).toBeGreaterThanOrEqual(1);
    expect(await answersTo("dcmtk", archive, keys)).toBe(interopObjects.length);
  });
});

const STUDY_KEYS = ["-S", ...key("QueryRetrieveLevel", "STUDY"), ...key("StudyInstanceUID", everything)];

/** Uncompressed syntaxes, which all receivers take, and the private SOP class, which none takes. */
const UNCOMPRESSED = all(interopObjects, "bytes", {
  "JPEG lossless": "missing",
  deflated: "missing",
  "private SOP class": "missing",
});

/** One context for each SOP class, and we convert nothing: what is in its syntax can pass. */
const EXPLICIT_ALONE = all(interopObjects, "missing", {
  "explicit VR little endian": "bytes",
  "odd and empty values": "bytes",
  "4 MB": "bytes",
});
const IMPLICIT_ALONE = all(interopObjects, "missing", { "implicit VR little endian": "bytes" });

describe("C-MOVE by others", () => {
  const rows = [
    ["dcmtk", ["+B", "+xs"], { ...UNCOMPRESSED, "JPEG lossless": "bytes" }],
    ["dcmtk", ["+B", "+xd", "--max-pdu", "4096"], { ...UNCOMPRESSED, deflated: "bytes" }],
    ["pynetdicom", ["--store"], all(interopObjects, "bytes", { "private SOP class": "missing" })],
  ] as const;

  it.each(rows.filter(([family]) => FAMILY_NAMES.includes(family)))(
    "brings objects to %s's own provider %s",
    async (family, args, expected) => {
      const port = await freePort();
      await using archive = await startArchive({ destinations: [`SINK@127.0.0.1:${port}`] });
      const own = {
        dcmtk: ["+P", String(port), "-aem", "SINK"],
        pynetdicom: ["-aem", "SINK", "--store-port", String(port), "--store-aet", "SINK"],
      }[family];
      await FAMILIES[family]("movescu", { ...archive, args: [...args, ...own, "-od", archive.cwd, ...STUDY_KEYS] });
      expect(await fidelities(interopObjects, await receivedIn(archive.cwd))).toEqual(expected);
    },
  );

  it.skipIf(!hasPynetdicom).each(TRANSPORTS)("brings every object to another provider over %s", async (transport) => {
    const { received, handler } = recordingStore();
    await using sink = await startDimseServer({
      host: "127.0.0.1",
      port: 0,
      aeTitle: parseAeTitle("SINK"),
      handlers: { store: handler },
    });
    await using archive = await startArchive({ transport, destinations: [`SINK@127.0.0.1:${sink.port}`] });
    const args = ["-v", "-aem", "SINK", ...STUDY_KEYS];
    const { output } = await FAMILIES.pynetdicom("movescu", { ...archive, args });
    expect(output).toContain(`Completed: ${interopObjects.length}, Failed: 0`);
    expect(await fidelities(interopObjects, received)).toEqual(all(interopObjects, "bytes"));
  });

  it.each(FAMILY_NAMES)("tells %s that a destination is unknown", async (family) => {
    await using archive = await startArchive();
    const args = ["-v", "-aem", "NOBODY", ...STUDY_KEYS];
    const { output } = await FAMILIES[family]("movescu", { ...archive, args });
    expect(output).toMatch(/MoveDestinationUnknown|0xA801/);
  });
});

describe("C-GET by others", () => {
  it.skipIf(!hasDcmtk)("goes on when getscu was killed in the middle of an object", async () => {
    const killer = new AbortController();
    await using archive = await startArchive({
      rules: { transferSyntaxUids: [EXPLICIT_VR_LITTLE_ENDIAN] },
      faults: {
        async *send({ bytes }) {
          yield bytes.subarray(0, 100);
          killer.abort();
          yield bytes.subarray(100);
        },
      },
    });
    const args = ["+B", "-od", archive.cwd, ...STUDY_KEYS];
    const killed = await FAMILIES.dcmtk("getscu", { ...archive, args, signal: killer.signal });
    expect(killed.exitCode).toBeNull();
    const { exitCode } = await FAMILIES.dcmtk("getscu", { ...archive, args });
    expect(exitCode).toBe(0);
    expect(await fidelities(interopObjects, await receivedIn(archive.cwd))).toEqual(EXPLICIT_ALONE);
  });

  const rows = [
    ["dcmtk", "plain", EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_ALONE],
    ["dcmtk", "plain", IMPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_ALONE],
    ...TRANSPORTS.map((name) => ["pynetdicom", name, EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_ALONE] as const),
  ] as const;

  it.each(rows.filter(([family]) => FAMILY_NAMES.includes(family)))(
    "gives %s over %s the objects that are in %s",
    async (family, transport, syntax, expected) => {
      const rules = { transferSyntaxUids: [syntax] };
      await using archive = await startArchive({ transport, rules });
      const bitPreserving = family === "dcmtk" ? ["+B"] : [];
      const args = [...bitPreserving, "-od", archive.cwd, ...STUDY_KEYS];
      const { exitCode } = await FAMILIES[family]("getscu", { ...archive, args });
      expect(exitCode).toBe(0);
      expect(await fidelities(interopObjects, await receivedIn(archive.cwd))).toEqual(expected);
    },
  );
});
