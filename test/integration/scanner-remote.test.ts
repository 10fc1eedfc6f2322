import { once } from "node:events";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { createLedger } from "../../src/acquisition/ledger.ts";
import { recover, sweep } from "../../src/acquisition/recover.ts";
import {
  announced,
  dyingAt,
  filesBelow,
  HDF5_BYTES,
  openScanSite,
  type ScanSite,
  type ScanSiteParts,
} from "../../src/acquisition/rehearsal.testing.ts";
import { createRemoteExams } from "../../src/acquisition/remote-exams.ts";
import { createUploads } from "../../src/acquisition/uploads.ts";
import { openAcquisitions } from "../../src/gateway/open-acquisitions.ts";
import { openExamClient } from "../../src/network/rest/scanhub/exam-client.ts";
import { silentLogger } from "../../src/units/logger.ts";
import { type Document, openScannerSite, taskDocument } from "../peers/scanhub-site.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** The exam-manager elsewhere. */
const remote = await openScannerSite();
afterAll(() => remote[Symbol.asyncDispose]());
const { deviceId } = remote;

async function addTask(facts: object = {}): Promise<string> {
  const body = taskDocument({ device_id: deviceId, ...facts });
  return ((await remote.request("POST", `${remote.exam}/task/new`, { body })).body as Document).id;
}

async function taskThere(id: string): Promise<Document & { readonly results: readonly Document[] }> {
  return (await remote.request("GET", `${remote.exam}/task/${id}`)).body as Document & { results: Document[] };
}

function remoteExams(url: string, { store }: Pick<ScanSiteParts, "store">) {
  const client = openExamClient({ url });
  return createRemoteExams({
    client,
    origin: url,
    userAccessToken: async () => remote.token,
    store,
    logger: silentLogger,
  });
}

function openSite(url = remote.exam): Promise<ScanSite> {
  return openScanSite({ through: (parts) => ({ ...parts, exams: remoteExams(url, parts) }) });
}

async function measure({ ledger, uploads }: Pick<ScanSite, "ledger" | "uploads">, taskId: string, sha256?: string) {
  const claimed = await ledger.claim({ taskId, deviceId, isTriggered: false });
  await ledger.progressed(claimed, 100);
  const begun = await uploads.begin(claimed, announced(HDF5_BYTES, sha256 === undefined ? {} : { sha256 }));
  if (begun.kind === "have") return begun.file;
  await begun.upload.write(Uint8Array.from(HDF5_BYTES));
  return await begun.upload.finish();
}

it("leads a task of an exam-manager elsewhere to FINISHED, its result set after its data is there", async () => {
  await using folder = await temporaryFolder();
  const lake = join(folder.path, "lake");
  const there = { url: remote.exam, userAccessToken: async () => remote.token };
  await using acquisitions = await openAcquisitions({ home: folder.path, lake, remote: there });
  const taskId = await addTask({ calibration: ["frequency"] });
  const before = await taskThere(taskId);
  const published = await measure(acquisitions, taskId);
  const task = await taskThere(taskId);
  expect(task).toMatchObject({ status: "FINISHED", progress: 100, calibration: ["frequency"] });
  expect(Object.keys(task)).toEqual(Object.keys(before));
  expect(task.results).toMatchObject([
    { id: published.resultId, type: "MRD", files: ["scan.mrd"], meta: { gateway: { sha256: published.sha256 } } },
  ]);
  expect(published.path).toBe(join(String(task.results[0]?.directory), "scan.mrd"));
});

it("opens though the exam-manager is down, and takes up what was left when it answers again", async () => {
  await using folder = await temporaryFolder();
  const policy = { disconnectGraceMs: 1, quietPeriodMs: 1 };
  const facts = { home: folder.path, lake: join(folder.path, "lake"), policy };
  const userAccessToken = async () => remote.token;
  await using gate = await openGate();
  const there = { url: gate.url, userAccessToken };
  const taskId = await addTask();
  {
    await using before = await openAcquisitions({ ...facts, remote: there });
    const claimed = await before.ledger.claim({ taskId, deviceId, isTriggered: false });
    await before.ledger.progressed(claimed, 100);
    await before.store.addTransfer(
      {
        id: "left",
        acquisitionId: claimed.id,
        fileName: "a",
        sizeBytes: 9,
        declaredSha256: undefined,
        parameter: undefined,
      },
      0,
    );
    await before.exams.createBlankResult(taskId, "left");
  }
  gate.isShut = true;
  await using after = await openAcquisitions({
    ...facts,
    remote: there,
  });
  await after.sweep();
  expect(await after.store.openTransfers(9)).toMatchObject([{ id: "left", state: "aborting" }]);
  gate.isShut = false;
  const isEnded = async () => {
    await after.sweep();
    expect(await taskThere(taskId)).toMatchObject({ status: "ERROR", results: [] });
  };
  await vi.waitFor(isEnded, { timeout: 20_000, interval: 500 });
});

it("takes the blank result back and sets ERROR there when a file is not what was announced", async () => {
  await using site = await openSite();
  const taskId = await addTask();
  await expect(measure(site, taskId, "0".repeat(64))).rejects.toMatchObject({ code: "SCAN_FILE_MISMATCH" });
  expect(await taskThere(taskId)).toMatchObject({ status: "ERROR", results: [] });
  expect(await filesBelow(site.lake.path)).toEqual([]);
});

it.each([
  ["unknown", () => "7d3f2c1a-0000-4000-8000-0000000000ff", "SCAN_TASK_NOT_FOUND"],
  ["malformed", () => "../result/all/1", "SCAN_TASK_NOT_FOUND"],
  ["a template", () => addTask({ is_template: true, workflow_id: null }), "SCAN_TASK_NOT_SCHEDULED"],
  ["another device's", () => addTask({ device_id: "0b9f4d5e-0000-4000-8000-0000000000d9" }), "SCAN_TASK_OF_ANOTHER"],
  [
    "no acquisition",
    () =>
      addTask({ task_type: "DAG", dag_type: "PROCESSING", dag_id: "x", device_id: undefined, sequence_id: undefined }),
    "SCAN_TASK_WRONG_TYPE",
  ],
])("claims no task that is %s", async (_, task, code) => {
  await using site = await openSite();
  await expect(site.ledger.claim({ taskId: await task(), deviceId, isTriggered: false })).rejects.toMatchObject({
    code,
  });
});

it("makes one result when the answer to its creation is lost on the way", async () => {
  await using proxy = await losingProxy(/^POST \S*\/result\?/);
  await using site = await openSite(proxy.url);
  const taskId = await addTask();
  // Somebody else's, blank as well, and made just before.
  const before = await remote.request("POST", `${remote.exam}/result?task_id=${taskId}`);
  const claimed = await site.ledger.claim({ taskId, deviceId, isTriggered: false });
  await site.ledger.progressed(claimed, 50);
  await expect(site.uploads.begin(claimed, announced(HDF5_BYTES))).rejects.toMatchObject({
    code: "SCANHUB_RESULT_UNCERTAIN",
  });
  const other = await addTask();
  proxy.loseNext();
  const published = await measure(site, other);
  expect((await taskThere(other)).results).toMatchObject([{ id: published.resultId, type: "MRD" }]);
  expect((await taskThere(taskId)).results).toContainEqual(before.body);
});

it("takes no other file's blank result for that of a file whose creation was not answered", async () => {
  await using proxy = await losingProxy(/^POST \S*\/result\?/);
  await using site = await openSite(proxy.url);
  const taskId = await addTask();
  const claimed = await site.ledger.claim({ taskId, deviceId, isTriggered: false });
  await site.ledger.progressed(claimed, 50);
  const resultIds: (string | undefined)[] = [];
  for (const fileName of ["one.mrd", "two.mrd"]) {
    proxy.loseNext();
    const begun = await site.uploads.begin(claimed, announced(HDF5_BYTES, { fileName }));
    if (begun.kind !== "receive") throw new Error("nothing was sent before");
    resultIds.push((await site.store.transfer(begun.upload.transferId))?.resultId);
  }
  expect(new Set(resultIds).size).toBe(2);
  expect((await taskThere(taskId)).results.map(({ id }) => id).sort()).toEqual([...resultIds].sort());
  await site.ledger.abort(claimed.id, "SCAN_CANCELLED");
  expect(await taskThere(taskId)).toMatchObject({ status: "ERROR", results: [] });
});

it.each([
  ["a good file, before a call", true, false, ["ERROR ", "FINISHED MRD", "NEW "]],
  ["a good file, before the answer to a call", true, true, ["ERROR ", "FINISHED MRD"]],
  ["a file with a wrong sum, before the answer to a call", false, true, ["ERROR "]],
])("ends with one result there or none, wherever it dies over %s", async (_, isGood, isDone, possible) => {
  await using site = await openSite();
  const outcomes = new Set<string>();
  for (let last = 1, isThrough = false; !isThrough; last += 1) {
    expect(last).toBeLessThan(100);
    const taskId = await addTask();
    const dying = dyingAt(last, isDone);
    const ledger = createLedger({ ...site.ledger.world, ...dying.through(site.ledger.world) });
    const running = measure({ ledger, uploads: createUploads(ledger) }, taskId, isGood ? undefined : "0".repeat(64))
      .catch(() => undefined)
      .then(() => true);
    isThrough = await Promise.race([running, dying.died.then(() => false)]);
    await recover(site.ledger);
    for (let step = 0; step < 3; step += 1) {
      await site.clock.advance(1_000_000);
      await sweep(site.ledger, site.uploads);
    }
    const { status, results } = await taskThere(taskId);
    outcomes.add(`${String(status)} ${results.map(({ type }) => type).join()}`);
    expect((await filesBelow(site.lake.path)).filter((path) => path.includes(taskId))).toHaveLength(results.length);
  }
  expect([...outcomes].sort()).toEqual(possible);
});

/** Stands before the exam-manager: the first answer to a request of this kind is lost with its connection. */
async function losingProxy(kind: RegExp) {
  let isToLose = true;
  const { port } = new URL(remote.exam);
  const server = createServer((from) => {
    const to = connect(Number(port), "127.0.0.1");
    let isLost = false;
    from.on("data", (bytes: Buffer) => {
      isLost = isToLose && kind.test(bytes.toString("latin1"));
      if (isLost) isToLose = false;
      to.write(bytes);
    });
    to.on("data", (bytes: Buffer) => {
      if (isLost) from.destroy();
      else from.write(bytes);
    });
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const own = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${own}/api/v1/exam`,
    loseNext: () => {
      isToLose = true;
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}

/** Stands before the exam-manager: while it is shut nobody comes through. */
async function openGate() {
  const { port } = new URL(remote.exam);
  const gate = { url: "", isShut: false, [Symbol.asyncDispose]: async () => void server.close() };
  const server = createServer((from) => {
    if (gate.isShut) return void from.destroy();
    const to = connect(Number(port), "127.0.0.1");
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("data", (bytes) => (gate.isShut ? from.destroy() : other.write(bytes)));
      one.on("close", () => other.destroy());
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  gate.url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/api/v1/exam`;
  return gate;
}
