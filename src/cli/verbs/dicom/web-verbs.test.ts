import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  MULTIPART,
  multipartOf,
  startWebServer,
  type WebAnswer,
  type WebRequest,
} from "../../../../test/peers/dicomweb-server.ts";
import { type OrthancServer, startOrthanc } from "../../../../test/peers/orthanc.ts";
import { findPeer, requirePeer } from "../../../../test/peers/require-peer.ts";
import { syntheticStudy } from "../../../../test/peers/synthetic-studies.ts";
import { runCli } from "../../../../test/support/cli.ts";
import { temporaryFolder } from "../../../../test/support/temporary-folder.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";

const hasOrthanc = [requirePeer("Orthanc"), requirePeer("libOrthancDicomWeb.so")].every(Boolean);

const study = syntheticStudy({ seed: 821, modality: "CT", series: 2, instancesPerSeries: 2, rows: 8, columns: 8 });
const other = syntheticStudy({ seed: 822, modality: "CT", rows: 8, columns: 8 });
const [first, second] = study.instances;
const [foreign] = other.instances;
if (first === undefined || second === undefined || foreign === undefined) throw new Error("no instances");
const files = study.instances.map(({ file }) => file);
const names = study.instances.map(({ sopInstanceUid }) => `${sopInstanceUid}.dcm`).sort();
const STUDY = ["--study", study.studyInstanceUid];

const kept = new AsyncDisposableStack();
afterAll(() => kept.disposeAsync());
let folder = "";
beforeAll(async () => {
  folder = kept.use(await temporaryFolder()).path;
  for (const [index, file] of files.entries()) await writeFile(join(folder, `${index}.dcm`), file);
  await writeFile(join(folder, "notes.txt"), "no DICOM");
});

/** A verb; nothing that it says to people names anybody. */
async function dicom(args: readonly string[], stop = new AbortController().signal) {
  const result = await runCli(["dicom", ...args], { workingFolder: folder, stop });
  expect(result.stderr).not.toContain("1.2.826");
  expect(result.stderr).not.toContain(study.patientId);
  const isJson = args.includes("--json") && result.stdout !== "";
  const document: unknown = isJson ? JSON.parse(result.stdout) : undefined;
  return { ...result, document };
}

type Answer = WebAnswer | ((request: WebRequest, body: () => Promise<Buffer>) => WebAnswer | Promise<WebAnswer>);

/** A verb against a service that answers so. */
async function asked(answer: Answer, verb: string, ...args: readonly string[]) {
  await using server = await startWebServer(typeof answer === "function" ? answer : () => answer);
  const result = await dicom([verb, `${server.url}/dicom-web`, ...args]);
  return { ...result, requests: server.requests };
}

/** `dicom wado` into a folder of its own: what lies there in the end. */
async function retrieved(answer: Answer, ...args: readonly string[]) {
  await using target = await temporaryFolder();
  const result = await asked(answer, "wado", ...STUDY, "--out", target.path, "--json", ...args);
  return { ...result, names: (await readdir(target.path)).sort() };
}

describe("dicom qido", () => {
  const match = { "0020000D": { vr: "UI", Value: ["1.2.3"] }, "00100020": { vr: "LO", Value: ["4711"] } };

  it("prints matches, as JSON or for people", async () => {
    const { exitCode, document, requests } = await asked({ body: [match] }, "qido", "-k", "PatientID=47*", "--json");
    expect({ exitCode, document }).toEqual({ exitCode: 0, document: [match] });
    expect(requests[0]?.path).toBe("/dicom-web/studies");
    expect(requests[0]?.query.get("00100020")).toBe("47*");
    expect((await asked({ body: [match] }, "qido")).stdout).toContain("4711");
  });

  it("searches at the level that is wanted, within the study that is named", async () => {
    const { requests } = await asked({ status: 204 }, "qido", "--level", "SERIES", "-k", "StudyInstanceUID=1.2.3");
    expect(requests[0]?.path).toBe("/dicom-web/studies/1.2.3/series");
  });

  it("says so when nothing matches", async () => {
    expect(await asked({ status: 204 }, "qido")).toMatchObject({ exitCode: 0, stderr: "nothing matches\n" });
  });

  it("says 3 when the service keeps matches back, and 0 when --max does", async () => {
    const cut = { headers: { Warning: "299 - more" }, body: [match] };
    expect((await asked(cut, "qido", "--json")).exitCode).toBe(3);
    const many = { body: ["1.2", "1.3"].map((uid) => ({ "0020000D": { vr: "UI", Value: [uid] } })) };
    expect(await asked(many, "qido", "--max", "1", "--json")).toMatchObject({ exitCode: 0, document: { length: 1 } });
  });

  it.each<[string, WebAnswer, string]>([
    ["401", { status: 401 }, "HTTP_UNAUTHORISED"],
    ["404", { status: 404 }, "HTTP_NOT_FOUND"],
    ["a web page", { headers: { "Content-Type": "text/html" }, body: "<form>" }, "HTTP_CONTENT_UNEXPECTED"],
  ])("says 1 and why when the answer is %s", async (_, answer, code) => {
    const { exitCode, stderr } = await asked(answer, "qido", "-k", `PatientID=${study.patientId}`);
    expect({ exitCode, code: stderr.includes(code) }).toEqual({ exitCode: 1, code: true });
  });
});

describe("dicom wado", () => {
  it("keeps a study byte for byte, and lists it", async () => {
    const result = await retrieved({ headers: MULTIPART, body: multipartOf(files) });
    expect(result).toMatchObject({ exitCode: 0, names, document: { retrieved: 4, failed: 0, failures: [] } });
    expect(result.document).toMatchObject({
      instances: expect.arrayContaining([
        { sopInstanceUid: first.sopInstanceUid, file: `${first.sopInstanceUid}.dcm`, sizeBytes: first.file.length },
      ]),
    });
  });

  it("says 3 when one is not what was asked for, and names it to programs alone", async () => {
    const body = multipartOf([foreign.file, first.file.subarray(0, -4), second.file]);
    const result = await retrieved({ headers: MULTIPART, body });
    expect(result).toMatchObject({
      exitCode: 3,
      names: [`${second.sopInstanceUid}.dcm`],
      document: {
        retrieved: 1,
        failed: 2,
        failures: [
          { code: "INSTANCE_MISMATCH", sopInstanceUids: [foreign.sopInstanceUid] },
          { code: "INSTANCE_INCOMPLETE", sopInstanceUids: [] },
        ],
      },
    });
  });

  it("says 3 when the answer breaks off, and keeps what came whole", async () => {
    const answer: WebAnswer = {
      headers: MULTIPART,
      body: multipartOf(files.slice(0, 2), { isClosed: false }),
      ends: "cut",
    };
    expect(await retrieved(answer)).toMatchObject({
      exitCode: 3,
      names: [`${first.sopInstanceUid}.dcm`],
      document: { retrieved: 1, failures: [{ code: "HTTP_CONNECTION_LOST" }] },
    });
  });

  it.each<[string, WebAnswer, string]>([
    ["nothing", { headers: MULTIPART, body: multipartOf([]) }, "HTTP_NOT_FOUND"],
    ["a login page", { headers: { "Content-Type": "text/html" }, body: "<form>" }, "HTTP_CONTENT_UNEXPECTED"],
    ["an error as JSON", { body: { Message: study.patientId } }, "HTTP_CONTENT_UNEXPECTED"],
  ])("says 1 when %s comes", async (_, answer, code) => {
    expect(await retrieved(answer)).toMatchObject({ exitCode: 1, names: [], document: { error: { code } } });
  });

  it("says 1 when nothing of what came can be kept", async () => {
    const body = multipartOf([foreign.file]);
    expect(await retrieved({ headers: MULTIPART, body })).toMatchObject({ exitCode: 1, names: [] });
  });

  it("asks for the series, instance and transfer syntax that are named", async () => {
    const { requests } = await retrieved(
      { status: 404 },
      ...["--series", first.seriesInstanceUid, "--instance", first.sopInstanceUid],
      ...["--transfer-syntax", "1.2.840.10008.1.2.4.90"],
    );
    expect(requests).toMatchObject([
      {
        path: expect.stringMatching(/\/series\/[\d.]+\/instances\/[\d.]+$/),
        headers: { accept: expect.stringContaining("transfer-syntax=1.2.840.10008.1.2.4.90") },
      },
    ]);
  });

  it("gives up on a service that does not begin, or falls silent", async () => {
    const silent = () => new Promise<WebAnswer>(() => undefined);
    expect(await retrieved(silent, "--header-timeout", "1")).toMatchObject({
      exitCode: 1,
      document: { error: { code: "HTTP_HEADERS_TIMED_OUT" } },
    });
    const stalls: WebAnswer = {
      headers: MULTIPART,
      body: multipartOf(files.slice(0, 2), { isClosed: false }),
      ends: "never",
    };
    expect(await retrieved(stalls, "--idle-timeout", "1")).toMatchObject({
      exitCode: 3,
      names: [`${first.sopInstanceUid}.dcm`],
      document: { failures: [{ code: "HTTP_IDLE_TIMED_OUT" }] },
    });
  });

  it("stops when it is told to, and leaves no half of an instance", async () => {
    await using target = await temporaryFolder();
    const stop = new AbortController();
    await using server = await startWebServer(() => {
      setImmediate(() => stop.abort(new GatewayError("CANCELLED")));
      return { headers: MULTIPART, body: multipartOf(files, { isClosed: false }), ends: "never" };
    });
    const { exitCode } = await dicom(["wado", server.url, ...STUDY, "--out", target.path], stop.signal);
    expect(exitCode).not.toBe(0);
    expect(names).toEqual(expect.arrayContaining(await readdir(target.path)));
  });

  it("--instance without --series is wrong usage, as is a UID that leads elsewhere", async () => {
    const wado = ["wado", "http://127.0.0.1:9", "--out", "x"];
    expect((await dicom([...wado, ...STUDY, "--instance", "1.2"])).exitCode).toBe(2);
    expect((await dicom([...wado, "--study", "../1"])).exitCode).toBe(2);
    expect((await dicom(wado)).exitCode).toBe(2);
  });
});

describe("dicom stow", () => {
  const items = (uids: readonly string[], reason?: number) =>
    uids.map((uid) => ({
      "00081155": { vr: "UI", Value: [uid] },
      ...(reason === undefined ? {} : { "00081197": { vr: "US", Value: [reason] } }),
    }));
  const uids = study.instances.map(({ sopInstanceUid }) => sopInstanceUid);
  const all = { "00081199": { vr: "SQ", Value: items(uids) } };
  const paths = files.map((_, index) => `${index}.dcm`);
  const whole =
    (answer: WebAnswer) =>
    async (_: WebRequest, body: () => Promise<Buffer>): Promise<WebAnswer> => {
      await body();
      return answer;
    };

  it("stores files, so many in one request", async () => {
    const { exitCode, document, requests } = await asked(
      whole({ body: all }),
      "stow",
      ...paths,
      "--batch",
      "3",
      "--json",
    );
    expect({ exitCode, requests: requests.length }).toEqual({ exitCode: 0, requests: 2 });
    expect(document).toMatchObject({
      stored: 4,
      failed: 0,
      files: paths.map((path) => ({ file: join(folder, path), ok: true })),
    });
  });

  it("sends files byte for byte", async () => {
    let came: Buffer = Buffer.alloc(0);
    await asked(
      async (_, body) => {
        came = await body();
        return { body: all };
      },
      "stow",
      ...paths,
    );
    for (const file of files) expect(came.includes(file)).toBe(true);
  });

  it("says 3 when one is refused or cannot be read, with the reason", async () => {
    const [refused = "", ...others] = uids;
    const answer = {
      status: 202,
      body: {
        "00081199": { vr: "SQ", Value: items(others) },
        "00081198": { vr: "SQ", Value: items([refused], 0xa700) },
      },
    };
    const { exitCode, document } = await asked(whole(answer), "stow", "notes.txt", ...paths, "--json");
    expect(exitCode).toBe(3);
    expect(document).toMatchObject({
      stored: 3,
      failed: 2,
      files: [
        { ok: false, code: expect.stringMatching(/DICOM/) },
        { ok: false, reason: "a700" },
        { ok: true },
        { ok: true },
        { ok: true },
      ],
    });
  });

  it("says 1 when nothing is stored", async () => {
    expect(await asked(whole({ status: 409 }), "stow", ...paths, "--json")).toMatchObject({
      exitCode: 1,
      document: { stored: 0, failed: 4 },
    });
    expect((await asked(whole({}), "stow", ...paths)).stdout).toContain("not mentioned in the answer");
    expect(await asked(whole({ status: 415 }), "stow", ...paths, "--json")).toMatchObject({
      exitCode: 1,
      document: { error: { code: "HTTP_REFUSED" } },
    });
  });

  it("accounts for what was not sent when the service goes away", async () => {
    let requests = 0;
    const { exitCode, document } = await asked(
      async (_, body) => {
        await body();
        requests += 1;
        if (requests > 1) throw new Error("gone");
        return { body: all };
      },
      "stow",
      ...paths,
      "--batch",
      "2",
      "--json",
    );
    expect(exitCode).toBe(3);
    expect(document).toMatchObject({ stored: 2, failed: 2, files: { 3: { code: "HTTP_CONNECTION_LOST" } } });
  });
});

describe.skipIf(!hasOrthanc)("an Orthanc", () => {
  let orthanc: OrthancServer;
  let url = "";
  beforeAll(async () => {
    const configuration = { Plugins: [findPeer("libOrthancDicomWeb.so")], DicomWeb: { Enable: true } };
    orthanc = kept.use(await startOrthanc({ aeTitle: "WEB", configuration }));
    url = `http://127.0.0.1:${orthanc.httpPort}/dicom-web`;
  });

  it("takes what is sent, lists it, and gives it back as it was", async () => {
    await using target = await temporaryFolder();
    const sent = await dicom(["stow", url, ...files.map((_, index) => `${index}.dcm`), ...STUDY, "--json"]);
    expect(sent).toMatchObject({ exitCode: 0, document: { stored: 4, failed: 0 } });
    const listed = await dicom([
      "qido",
      url,
      "--level",
      "IMAGE",
      "-k",
      `StudyInstanceUID=${study.studyInstanceUid}`,
      "--json",
    ]);
    expect(listed).toMatchObject({ exitCode: 0, document: { length: 4 } });
    const got = await dicom(["wado", url, ...STUDY, "--out", target.path, "--json"]);
    expect(got).toMatchObject({ exitCode: 0, document: { retrieved: 4, failed: 0 } });
    for (const { sopInstanceUid, file } of study.instances) {
      expect(file.equals(await readFile(join(target.path, `${sopInstanceUid}.dcm`)))).toBe(true);
    }
  });

  it("refuses what is of another study, and holds nothing of one that it was never given", async () => {
    const refused = await dicom(["stow", url, "0.dcm", "--study", "1.2.3", "--json"]);
    expect(refused).toMatchObject({ exitCode: 1, document: { stored: 0, failed: 1 } });
    const out = join(folder, "never");
    expect(await dicom(["wado", url, "--study", "1.2.3", "--out", out])).toMatchObject({ exitCode: 1 });
    expect(await readdir(out)).toEqual([]);
    const pages = await dicom(["qido", url, "-k", "PatientID=*", "--max", "1", "--json"]);
    expect(pages).toMatchObject({ exitCode: 0, document: { length: 1 } });
  });
});
