import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAeTitle } from "../../src/dicom/ae-title.ts";
import { storageSopClasses } from "../../src/dicom/dictionary/sop-classes.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from "../../src/dicom/dictionary/transfer-syntaxes.ts";
import { startDimseServer } from "../../src/network/dimse/server.ts";
import type { DimseServerOptions, UserIdentity } from "../../src/network/dimse/service-types.ts";
import { all, type Fidelity, fidelities, recordingStore } from "../peers/interop-fidelity.ts";
import { type InteropObject, interopObjects, objectNamed, tinyObject, vastObject } from "../peers/interop-objects.ts";
import { runProgram } from "../peers/process.ts";
import { runPynetdicom } from "../peers/pynetdicom.ts";
import { requirePythonPeers } from "../peers/python-peers.ts";
import { requirePeer } from "../peers/require-peer.ts";
import {
  dcmtkClientArgs,
  makeTransports,
  type PeerTls,
  type TransportName,
  type Transports,
} from "../peers/transports.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const canTls = requirePeer("openssl");
const [hasStorescu, hasDcmsend, hasPynetdicom] = [
  requirePeer("storescu"),
  requirePeer("dcmsend"),
  requirePythonPeers(),
];
const TRANSPORTS: readonly TransportName[] = canTls ? ["plain", "TLS", "mutual TLS"] : ["plain"];
const OURS = "RADFERRY";

const running = new AsyncDisposableStack();
let folder: string;
let transports: Transports;
beforeAll(async () => {
  folder = running.use(await temporaryFolder()).path;
  if (canTls) transports = await makeTransports(folder);
});
afterAll(() => running.disposeAsync());

/** Ours, with what it received. */
async function startOurs(options: Partial<DimseServerOptions> = {}) {
  const { received, handler } = recordingStore();
  const server = await startDimseServer({
    host: "127.0.0.1",
    port: 0,
    aeTitle: parseAeTitle(OURS),
    handlers: { store: handler },
    ...options,
  });
  return { server, received, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

async function filesOf(objects: readonly InteropObject[], name: string): Promise<readonly string[]> {
  const path = join(folder, name);
  await mkdir(path, { recursive: true });
  const files = objects.map((object) => join(path, `${object.sopInstanceUid}.dcm`));
  await Promise.all(objects.map((object, index) => writeFile(files[index] ?? "", object.file)));
  return files;
}

interface Sending {
  readonly port: number;
  readonly files: readonly string[];
  readonly args?: readonly string[];
  readonly tls?: PeerTls | undefined;
  readonly signal?: AbortSignal;
}

/** Each sends all files, whatever becomes of one. */
const SENDERS = {
  storescu: ({ port, files, args = [], tls, signal }: Sending) =>
    runProgram("storescu", ["-nh", ...args, ...dcmtkClientArgs(tls), ...called(port), ...files], folder, signal),
  dcmsend: ({ port, files, args = [], signal }: Sending) =>
    runProgram("dcmsend", ["-nh", ...args, ...called(port), ...files], folder, signal),
  pynetdicom: ({ port, files, args = [], tls }: Sending) =>
    runPynetdicom("storescu", ["-v", ...args, ...called(port), join(files[0] ?? "", "..")], folder, { tls }),
} as const;

const INSTALLED = { storescu: hasStorescu, dcmsend: hasDcmsend, pynetdicom: hasPynetdicom } as const;

function called(port: number): readonly string[] {
  return ["-aec", OURS, "127.0.0.1", String(port)];
}

type Expected = Readonly<Record<string, Fidelity>>;

/** What storescu makes of objects when it proposes all uncompressed syntaxes, ours being its first. */
const UNCOMPRESSED: Expected = all(interopObjects, "bytes", {
  "implicit VR little endian": "converted",
  "JPEG lossless": "missing",
  deflated: "converted",
  "private SOP class": "missing",
  "odd and empty values": "data set",
});

interface Row {
  readonly sender: keyof typeof SENDERS;
  readonly args: readonly string[];
  readonly ours?: Partial<DimseServerOptions>;
  readonly expected: Expected;
}

/** The senders' options, and how each kind of object comes through. */
const ROWS: readonly Row[] = [
  { sender: "storescu", args: [], expected: UNCOMPRESSED },
  { sender: "storescu", args: ["-R"], expected: UNCOMPRESSED },
  { sender: "storescu", args: ["-R", "--max-pdu", "4096"], expected: UNCOMPRESSED },
  { sender: "storescu", args: ["-R", "--max-pdu", "131072"], expected: UNCOMPRESSED },
  { sender: "storescu", args: ["-R"], ours: { maximumPduLength: 4096 }, expected: UNCOMPRESSED },
  { sender: "storescu", args: ["--abort"], expected: UNCOMPRESSED },
  {
    // One context for all: the syntax that is accepted is what everything is converted to.
    sender: "storescu",
    args: ["-R", "+C"],
    expected: { ...UNCOMPRESSED, "explicit VR big endian": "converted" },
  },
  {
    sender: "storescu",
    args: ["-R", "+C"],
    ours: { rules: { transferSyntaxUids: [IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN] } },
    expected: all(interopObjects, "converted", {
      "implicit VR little endian": "bytes",
      "JPEG lossless": "missing",
      "private SOP class": "missing",
      // Its private elements lose their VR in implicit VR.
      "odd and empty values": "altered",
    }),
  },
  {
    sender: "storescu",
    args: ["-R", "-xs"],
    expected: { ...UNCOMPRESSED, "explicit VR big endian": "converted", "JPEG lossless": "bytes" },
  },
  {
    sender: "storescu",
    args: ["-R", "-xd"],
    expected: all(interopObjects, "converted", {
      "JPEG lossless": "missing",
      deflated: "data set",
      "private SOP class": "missing",
    }),
  },
  {
    sender: "dcmsend",
    args: [],
    expected: all(interopObjects, "bytes", {
      "implicit VR little endian": "converted",
      "explicit VR big endian": "converted",
      deflated: "data set",
      "odd and empty values": "data set",
    }),
  },
  {
    sender: "dcmsend",
    args: ["--max-pdu", "4096", "--max-send-pdu", "4096"],
    expected: all(interopObjects, "bytes", {
      "implicit VR little endian": "converted",
      "explicit VR big endian": "converted",
      deflated: "data set",
      "odd and empty values": "data set",
    }),
  },
  { sender: "pynetdicom", args: ["-cx"], expected: all(interopObjects, "bytes", { deflated: "data set" }) },
  {
    sender: "pynetdicom",
    args: ["--max-pdu", "0"],
    expected: all(interopObjects, "bytes", {
      "implicit VR little endian": "converted",
      "explicit VR big endian": "missing",
      "JPEG lossless": "missing",
      deflated: "converted",
      "private SOP class": "missing",
    }),
  },
];

describe("our storage provider", () => {
  it.each(ROWS.filter(({ sender }) => INSTALLED[sender]))("takes what $sender sends with $args", async (row) => {
    await using ours = await startOurs(row.ours);
    const files = await filesOf(interopObjects, "every kind");
    const { exitCode } = await SENDERS[row.sender]({ port: ours.server.port, files, args: row.args });
    expect(exitCode).toBe(0);
    expect(await fidelities(interopObjects, ours.received)).toEqual(row.expected);
  });

  it.skipIf(!hasDcmsend)("takes more SOP classes than one association has contexts for", async () => {
    const objects = Object.values(storageSopClasses).map((uid, index) => tinyObject(uid, index));
    expect(objects.length).toBeGreaterThan(128);
    await using ours = await startOurs();
    const files = await filesOf(objects, "every class");
    const { exitCode } = await SENDERS.dcmsend({ port: ours.server.port, files });
    expect(exitCode).toBe(0);
    expect(ours.received.size).toBe(objects.length);
  });

  const killable = (["storescu", "dcmsend"] as const).filter((sender) => INSTALLED[sender]);
  it.each(killable)("works on when %s is killed in the middle of an object", async (sender) => {
    const killer = new AbortController();
    const gone = Promise.withResolvers<void>();
    const outcomes: string[] = [];
    const vast = vastObject(1);
    await using ours = await startOurs({
      handlers: {
        store: async () => ({
          // Nothing more is read meanwhile: what waits in sockets is less than the object.
          write() {
            killer.abort();
            return gone.promise;
          },
          close: async () => {
            outcomes.push("closed");
            return 0x0000;
          },
          abort: async () => {
            outcomes.push("aborted");
          },
        }),
      },
    });
    const sending = { port: ours.server.port, files: await filesOf([vast], "vast") };
    expect((await SENDERS[sender]({ ...sending, signal: killer.signal })).exitCode).toBeNull();
    gone.resolve();
    expect((await SENDERS[sender](sending)).exitCode).toBe(0);
    expect(outcomes).toEqual(["aborted", "closed"]);
  });
});

describe.skipIf(!canTls)("our storage provider over TLS", () => {
  const secure = TRANSPORTS.filter((name) => name !== "plain");
  const rows = secure.flatMap((transport) => [
    { transport, sender: "storescu", args: ["-R"], expected: UNCOMPRESSED } as const,
    {
      transport,
      sender: "pynetdicom",
      args: ["-cx"],
      expected: all(interopObjects, "bytes", { deflated: "data set" }),
    } as const,
  ]);

  it.each(rows.filter(({ sender }) => INSTALLED[sender]))("takes what $sender sends by $transport", async (row) => {
    const { ours: settings, peers: tls } = transports[row.transport];
    await using ours = await startOurs(settings.server);
    const files = await filesOf(interopObjects, "every kind");
    const { exitCode } = await SENDERS[row.sender]({ port: ours.server.port, files, args: row.args, tls });
    expect(exitCode).toBe(0);
    expect(await fidelities(interopObjects, ours.received)).toEqual(row.expected);
  });

  it.skipIf(!hasStorescu).each<readonly [string, TransportName, TransportName]>([
    ["without TLS", "TLS", "plain"],
    ["without a certificate", "mutual TLS", "TLS"],
  ])("takes nothing from storescu %s", async (_, ourTransport, theirTransport) => {
    await using ours = await startOurs(transports[ourTransport].ours.server);
    const files = await filesOf([objectNamed("deflated")], "one");
    const tls = transports[theirTransport].peers;
    const { exitCode } = await SENDERS.storescu({ port: ours.server.port, files, tls });
    expect(exitCode).not.toBe(0);
    expect(ours.received.size).toBe(0);
  });
});

describe("our provider knows its users", () => {
  const KNOWN = { username: "scanner", passcode: "correct horse" };

  async function startAuthenticating() {
    const identities: UserIdentity[] = [];
    const ours = await startOurs({
      rules: {
        userIdentityRequired: true,
        authenticate: (identity) => {
          identities.push(identity);
          return identity.kind === "username-passcode" && identity.passcode === KNOWN.passcode;
        },
      },
    });
    return { ...ours, identities };
  }

  it.skipIf(!hasStorescu).each([
    ["the right password", ["-usr", KNOWN.username, "-pwd", KNOWN.passcode], 0, 1],
    ["a wrong password", ["-usr", KNOWN.username, "-pwd", "battery staple"], 1, 0],
    ["no password", ["-usr", KNOWN.username], 1, 0],
    ["no user", [], 1, 0],
  ])("by storescu with %s", async (_, args, exitCode, count) => {
    await using ours = await startAuthenticating();
    const files = await filesOf([objectNamed("explicit VR little endian")], "one");
    expect((await SENDERS.storescu({ port: ours.server.port, files, args })).exitCode).toBe(exitCode);
    expect(ours.received.size).toBe(count);
    expect(ours.identities.length).toBe(args.length === 0 ? 0 : 1);
  });

  it.skipIf(!hasPynetdicom).each([
    ["the right password", KNOWN, 0],
    ["a wrong password", { ...KNOWN, passcode: "battery staple" }, 1],
  ])("by pynetdicom with %s", async (_, identity, exitCode) => {
    await using ours = await startAuthenticating();
    const echoed = await runPynetdicom("echoscu", called(ours.server.port), folder, { identity });
    expect(echoed.exitCode).toBe(exitCode);
    expect(ours.identities).toEqual([{ kind: "username-passcode", ...identity, positiveResponseRequested: true }]);
  });
});
