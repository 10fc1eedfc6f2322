import { once } from "node:events";
import { mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { memoryArchive, memoryStore } from "../../../../test/peers/memory-archive.ts";
import { outgoingSample, sampleCt, writeSample } from "../../../../test/peers/sample-objects.ts";
import { capture, runCli } from "../../../../test/support/cli.ts";
import { unreadableIn } from "../../../../test/support/unreadable.ts";
import { parseAeTitle, parseDicomAddress } from "../../../dicom/ae-title.ts";
import { storageSopClasses } from "../../../dicom/dictionary/sop-classes.ts";
import { tags } from "../../../dicom/dictionary/tags.ts";
import { textElement } from "../../../dicom/values.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { openAssociation } from "../../../network/dimse/association.ts";
import { startDimseServer } from "../../../network/dimse/server.ts";
import type { DimseServer, ServiceHandlers } from "../../../network/dimse/service-types.ts";
import { storageContextsFor } from "../../../network/dimse/storage-contexts.ts";
import { systemClock } from "../../../units/clock.ts";

const OBJECTS = [sampleCt(1, 1, 1), sampleCt(1, 1, 2), sampleCt(2, 1, 1)];
const STUDY_1 = "StudyInstanceUID=1.2.826.0.1.3680043.9.9999.1";
const NAMES_OF_STUDY_1 = OBJECTS.slice(0, 2).map(({ sopInstanceUid }) => `${sopInstanceUid}.dcm`);

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "radferry-peer-"));
});
afterEach(() => rm(folder, { recursive: true }));

function startServer(handlers: ServiceHandlers): Promise<DimseServer> {
  return startDimseServer({ host: "127.0.0.1", port: 0, aeTitle: parseAeTitle("PEER"), handlers });
}

function addressOf({ port }: DimseServer): string {
  return `PEER@127.0.0.1:${port}`;
}

interface Receiver {
  readonly port: number;
  /** Tells it to stop; what it said at the end. */
  end(): Promise<{ readonly exitCode: number; readonly stderr: string }>;
}

/** `dicom receive` in this process, ready. */
async function startReceiver(...args: readonly string[]): Promise<Receiver> {
  const stop = new AbortController();
  const ready = Promise.withResolvers<string>();
  const running = runCli(["dicom", "receive", "--port", "0", "--out", "in", "--json", ...args], {
    workingFolder: folder,
    stop: stop.signal,
    stdout: capture(ready.resolve),
  });
  const { port } = JSON.parse(await ready.promise);
  return {
    port,
    end() {
      stop.abort(new GatewayError("CANCELLED"));
      return running;
    },
  };
}

it("asks whether a peer answers", async () => {
  await using server = await startServer({});
  const { exitCode, stdout } = await runCli(["dicom", "echo", addressOf(server), "--json"]);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ peer: addressOf(server), ok: true, milliseconds: expect.any(Number) });
});

it("says so when nobody is there, or the peer does not know us", async () => {
  const server = await startServer({});
  const stranger = await runCli(["dicom", "echo", `OTHER@127.0.0.1:${server.port}`]);
  expect(stranger).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("CALLED_AE_TITLE_UNKNOWN") });
  const address = addressOf(server);
  await server[Symbol.asyncDispose]();
  const { exitCode, stdout } = await runCli(["dicom", "echo", address, "--json"]);
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: "CONNECTION_FAILED", class: "transient" } });
});

it("finds, as an array of DICOM JSON or for people", async () => {
  await using server = await startServer(memoryArchive(OBJECTS));
  const find = ["dicom", "find", addressOf(server), "-k", "PatientID=PAT1"];
  const { exitCode, stdout } = await runCli([...find, "--json"]);
  expect(exitCode).toBe(0);
  const matches = JSON.parse(stdout);
  expect(matches).toHaveLength(1);
  expect(matches[0]).toMatchObject({ "00100010": { vr: "PN", Value: [{ Alphabetic: "Sample^Patient1" }] } });
  expect((await runCli(find)).stdout).toContain("(0010,0020) LO [PAT1] # 4 PatientID\n");

  const none = await runCli(["dicom", "find", addressOf(server), "-k", "PatientID=nobody", "--json"]);
  expect(none).toMatchObject({ exitCode: 0, stdout: "[]\n", stderr: "nothing matches\n" });
});

it("asks at level PATIENT by patient root, and at the others by whichever model is wanted", async () => {
  const asked: string[] = [];
  const { find, ...others } = memoryArchive(OBJECTS);
  await using server = await startServer({
    ...others,
    ...(find && {
      find(identifier, model, signal) {
        asked.push(model);
        return find(identifier, model, signal);
      },
    }),
  });
  const countOf = async (...args: readonly string[]): Promise<number> => {
    const { stdout } = await runCli(["dicom", "find", addressOf(server), "--json", ...args]);
    return JSON.parse(stdout).length;
  };
  expect(await countOf("--level", "PATIENT")).toBe(2);
  expect(await countOf("--model", "patient-root", "-k", "PatientID=PAT1")).toBe(1);
  expect(await countOf("--model", "study-root")).toBe(2);
  expect(await countOf()).toBe(2);
  expect(asked).toEqual(["patient-root", "patient-root", "study-root", "study-root"]);

  const patient = ["--level", "PATIENT", "-k", "PatientID=PAT1", "--json"];
  const got = await runCli(["dicom", "get", addressOf(server), ...patient, "--out", "patient"], {
    workingFolder: folder,
  });
  expect(JSON.parse(got.stdout)).toMatchObject({ completed: 2, stored: 2 });
});

it("has a peer send all of a patient", async () => {
  const receiver = await startReceiver("--aet", "STORE");
  const destination = parseDicomAddress(`STORE@127.0.0.1:${receiver.port}`);
  await using server = await startServer(memoryArchive(OBJECTS, () => destination));
  const patient = ["--level", "PATIENT", "-k", "PatientID=PAT1", "--json"];
  const { stdout } = await runCli(["dicom", "move", addressOf(server), ...patient, "--dest", "STORE"]);
  expect(JSON.parse(stdout)).toMatchObject({ status: "0000H", completed: 2 });
  await receiver.end();
  expect((await readdir(join(folder, "in"))).sort()).toEqual(NAMES_OF_STUDY_1);
});

it.each([
  ["STUDY", ["StudyInstanceUID="]],
  ["STUDY", ["StudyInstanceUID"]],
  ["STUDY", ["StudyInstanceUID= "]],
  ["STUDY", ["StudyInstanceUID=*"]],
  ["STUDY", [`${STUDY_1}\\`]],
  ["SERIES", [STUDY_1, "SeriesInstanceUID="]],
  ["PATIENT", ["PatientID="]],
])("asks no peer to send all that it has: level %s, %j", async (level, keys) => {
  // Nobody listens there: who is asked cannot be reached.
  const asked = ["ANY@127.0.0.1:1", "--level", level, ...keys.flatMap((key) => ["-k", key]), "--json"];
  for (const verb of [
    ["get", "--out", "all"],
    ["move", "--dest", "STORE"],
  ]) {
    const { exitCode, stdout } = await runCli(["dicom", ...verb, ...asked], { workingFolder: folder });
    expect([exitCode, JSON.parse(stdout).error.code]).toEqual([2, "USAGE_INVALID"]);
  }
  expect(await readdir(folder)).toEqual([]);
});

it("stops a search at --max", async () => {
  await using server = await startServer(memoryArchive(OBJECTS));
  const images = [
    "dicom",
    "find",
    addressOf(server),
    "--level",
    "IMAGE",
    "-k",
    "SOPInstanceUID",
    "--max",
    "2",
    "--json",
  ];
  const { stdout, stderr } = await runCli(images);
  expect(JSON.parse(stdout)).toHaveLength(2);
  expect(stderr).toBe("stopped after 2 answers; --max allows more\n");
});

it("has a peer send to a receiver of ours", async () => {
  const receiver = await startReceiver("--aet", "STORE");
  const destination = parseDicomAddress(`STORE@127.0.0.1:${receiver.port}`);
  await using server = await startServer(
    memoryArchive(OBJECTS, (title) => (title === "STORE" ? destination : undefined)),
  );
  const move = ["dicom", "move", addressOf(server), "-k", STUDY_1, "--json", "--dest"];
  const { exitCode, stdout } = await runCli([...move, "STORE"]);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    status: "0000H",
    meaning: "Success",
    completed: 2,
    failed: 0,
    warning: 0,
    failedSopInstanceUids: [],
  });
  const unknown = await runCli([...move, "NOBODY"]);
  expect(unknown.exitCode).toBe(1);
  expect(JSON.parse(unknown.stdout)).toMatchObject({ error: { code: "MOVE_DESTINATION_UNKNOWN" } });

  expect(await receiver.end()).toMatchObject({ exitCode: 0, stderr: "2 instances stored, 0 refused\n" });
  expect((await readdir(join(folder, "in"))).sort()).toEqual(NAMES_OF_STUDY_1);
});

it("fetches into a folder", async () => {
  await using server = await startServer(memoryArchive(OBJECTS));
  const get = ["dicom", "get", addressOf(server), "-k", STUDY_1, "--out", "study", "--json"];
  const { exitCode, stdout } = await runCli(get, { workingFolder: folder });
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ completed: 2, stored: 2, refused: 0, out: join(folder, "study") });
  expect((await readdir(join(folder, "study"))).sort()).toEqual(NAMES_OF_STUDY_1);
});

it("fetches over further associations what the first has no context for, and counts it once", async () => {
  const sopClassUid = Object.values(storageSopClasses).at(-1) ?? "";
  const ct = sampleCt(1, 1, 3);
  const dataSet = new Map([...ct.dataSet, [tags.SOPClassUID, textElement(tags.SOPClassUID, sopClassUid, "UI")]]);
  const rare = { ...ct, sopClassUid, dataSet };
  await using server = await startServer(memoryArchive([...OBJECTS, rare]));
  const get = ["dicom", "get", addressOf(server), "-k", STUDY_1, "--out", "study", "--json"];
  const { exitCode, stdout } = await runCli(get, { workingFolder: folder });
  const counts = { status: "0000H", completed: 3, failed: 0, failedSopInstanceUids: [], stored: 3, refused: 0 };
  expect([exitCode, JSON.parse(stdout)]).toEqual([0, expect.objectContaining(counts)]);
});

it("refuses and counts what is another object than was announced, and keeps nothing of it", async () => {
  const receiver = await startReceiver();
  const honest = outgoingSample(sampleCt(1, 1, 1));
  {
    const address = parseDicomAddress(`ANY@127.0.0.1:${receiver.port}`);
    const [contexts = []] = storageContextsFor([honest]);
    await using association = await openAssociation({ address, callingAeTitle: parseAeTitle("LIAR"), contexts });
    expect(await association.store({ ...honest, sopInstanceUid: "1.2.3.4" })).toEqual({ status: 0xa900 });
  }
  expect((await receiver.end()).stderr).toContain("0 instances stored, 1 refused");
  expect(await readdir(join(folder, "in"))).toEqual([]);
});

it("sends files and folders, and reports each that it could not send", async () => {
  for (const object of OBJECTS) await writeSample(folder, object);
  const notes = join(folder, "notes.txt");
  await writeFile(notes, "not an image\n");
  const receiver = await startReceiver();
  const store = ["dicom", "store", `ANY@127.0.0.1:${receiver.port}`, "--json"];
  const one = await runCli([...store, NAMES_OF_STUDY_1[0] ?? ""], { workingFolder: folder });
  expect(one).toMatchObject({ exitCode: 0 });
  const all = await runCli([...store, folder, "missing.dcm"], { workingFolder: folder });
  expect(all.exitCode).toBe(3);
  const { sent, failed, files } = JSON.parse(all.stdout);
  // The folder holds what was received of the first, too.
  expect({ sent, failed }).toEqual({ sent: 4, failed: 2 });
  const notDicom = { code: "NOT_DICOM", message: "This is no DICOM object.", details: { offset: 0 } };
  expect(files).toContainEqual({ file: notes, ok: false, ...notDicom });
  const missing = join(folder, "missing.dcm");
  const unreadable = { code: "FILE_UNREADABLE", message: "A file cannot be read.", details: { reason: "ENOENT" } };
  expect(files).toContainEqual({ file: missing, ok: false, ...unreadable });
  const { stdout } = await runCli(["dicom", "store", `ANY@127.0.0.1:${receiver.port}`, missing]);
  expect(stdout).toBe(
    `FAILED  ${missing}: A file cannot be read. [FILE_UNREADABLE, reason ENOENT]\n0 sent, 1 failed\n`,
  );
  await receiver.end();
  expect(await readdir(join(folder, "in"))).toHaveLength(3);
});

it("sends what it can of a folder with one that cannot be looked into, and tells of links", async () => {
  await writeSample(folder, sampleCt(1, 1, 1));
  await symlink(NAMES_OF_STUDY_1[0] ?? "", join(folder, "link.dcm"));
  using _unreadable = unreadableIn(folder, "folder");
  const { received, handler } = memoryStore();
  await using server = await startServer({ store: handler });
  const { exitCode, stdout, stderr } = await runCli(["dicom", "store", addressOf(server), folder, "--json"]);
  expect(exitCode).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({ sent: 1, failed: 1 });
  expect(stdout).toContain("FILE_UNREADABLE");
  expect(stderr).toContain("1 link within the folders: not followed");
  expect(received).toHaveLength(1);
});

it("reports what the peer refused, by its status", async () => {
  for (const object of OBJECTS) await writeSample(folder, object);
  const { received, handler } = memoryStore();
  let isFirst = true;
  await using server = await startServer({
    async store(instance, signal) {
      if (!isFirst) return await handler(instance, signal);
      isFirst = false;
      return { refuse: 0xa700 };
    },
  });
  const { exitCode, stdout } = await runCli(["dicom", "store", addressOf(server), folder, "--json"]);
  expect(exitCode).toBe(3);
  const { files } = JSON.parse(stdout);
  expect(files.map(({ status }: { status: string }) => status)).toEqual(["A700H", "0000H", "0000H"]);
  expect(received.size).toBe(2);
});

it("shows who sends what the peer says of a refusal, and nobody else", async () => {
  for (const object of OBJECTS.slice(0, 1)) await writeSample(folder, object);
  const answer = { status: 0xa900, errorComment: "no order for DOE\u001b[2J" };
  const sink = { write: () => undefined, close: async () => answer, abort: async () => undefined };
  await using server = await startServer({ store: async () => sink });
  const run = await runCli(["--log-level", "debug", "dicom", "store", addressOf(server), folder]);
  expect(run.stdout).toMatch(/A900H\] The peer says: no order for DOE \[2J$/m);
  expect(run.stderr).not.toContain("DOE");
});

/** A server behind a line that is cut while an instance arrives, as often as told. */
async function startCutLine(cuts: number) {
  const { received, handler } = memoryStore();
  const lines: Socket[] = [];
  let left = cuts;
  const server = await startServer({
    async store(instance, signal) {
      if (left === 0) return await handler(instance, signal);
      left -= 1;
      for (const line of lines) line.destroy();
      return { refuse: 0xa700 };
    },
  });
  const proxy = createServer((near) => {
    const far = connect(server.port, "127.0.0.1");
    lines.push(near);
    near.on("error", () => undefined).on("close", () => far.destroy());
    far.on("error", () => undefined).on("close", () => near.destroy());
    near.pipe(far).pipe(near);
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return {
    address: `PEER@127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    received,
    connections: () => lines.length,
    async [Symbol.asyncDispose]() {
      proxy.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

it("goes on over another association when one breaks", async () => {
  for (const object of OBJECTS) await writeSample(folder, object);
  await using peer = await startCutLine(1);
  const { exitCode, stdout } = await runCli(["dicom", "store", peer.address, folder, "--json"]);
  expect(exitCode).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({
    sent: 2,
    failed: 1,
    files: [{ ok: false, code: "ASSOCIATION_ABORTED" }, { ok: true }, { ok: true }],
  });
  expect(peer.received.size).toBe(2);
  expect(peer.connections()).toBe(2);
});

it.each([
  { instances: 6, associations: 6 },
  { instances: 22, associations: 20 },
])("tries a peer that breaks every association with $associations of $instances objects", async (of) => {
  for (let instance = 1; instance <= of.instances; instance += 1) await writeSample(folder, sampleCt(3, 1, instance));
  await using peer = await startCutLine(100);
  const { exitCode, stdout } = await runCli(["dicom", "store", peer.address, folder, "--json"]);
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ sent: 0, failed: of.instances });
  expect(peer.connections()).toBe(of.associations);
});

it("has nothing to send", async () => {
  const { exitCode, stderr } = await runCli(["dicom", "store", "PEER@127.0.0.1:1", folder]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("NO_FILES_FOUND");
});

it("ends a receiver when no association was open for a while, and not before", async () => {
  const sleeps: { readonly end: () => void; readonly signal: AbortSignal | undefined }[] = [];
  const slept = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  const clock = {
    nowMs: systemClock.nowMs,
    async sleep(durationMs: number, signal?: AbortSignal) {
      expect(durationMs).toBe(2_500);
      const over = Promise.withResolvers<void>();
      signal?.addEventListener("abort", () => over.reject(signal.reason));
      sleeps.push({ end: over.resolve, signal });
      slept[sleeps.length - 1]?.resolve();
      await over.promise;
    },
  };
  const ready = Promise.withResolvers<string>();
  const args = ["dicom", "receive", "--port", "0", "--out", "in", "--exit-after-idle", "2.5", "--json"];
  const running = runCli(args, { workingFolder: folder, clock, stdout: capture(ready.resolve) });
  const { port } = JSON.parse(await ready.promise);
  await slept[0].promise;
  // An association ends: the time begins anew.
  expect(await runCli(["dicom", "echo", `RADFERRY@127.0.0.1:${port}`])).toMatchObject({ exitCode: 0 });
  await slept[1].promise;
  expect(sleeps.map(({ signal }) => signal?.aborted)).toEqual([true, false]);
  sleeps[1]?.end();
  expect(await running).toMatchObject({ exitCode: 0, stderr: "0 instances stored, 0 refused\n" });
});

it("cannot listen where somebody listens already", async () => {
  await using server = await startServer({});
  const args = ["dicom", "receive", "--port", String(server.port), "--out", basename(folder)];
  expect(await runCli(args, { workingFolder: tmpdir() })).toMatchObject({ exitCode: 1, stdout: "" });
});
