import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { GatewayError } from "../errors/gateway-error.ts";
import { ACQUISITION_STATES, TRANSFER_STATES } from "../store/acquisition-states.ts";
import { sweep } from "./recover.ts";
import {
  acquiring,
  addTask,
  announced,
  DEVICE,
  filesBelow,
  HDF5_BYTES,
  OTHER_DEVICE,
  openScanSite,
  type ScanSite,
  sha256Of,
} from "./rehearsal.testing.ts";
import { UPS_OF_TASK, upsFailureOf } from "./ups.ts";

const refusal = (code: string) => expect.objectContaining({ code });

async function send(
  site: ScanSite,
  acquisition: Awaited<ReturnType<typeof acquiring>>,
  bytes: Uint8Array = HDF5_BYTES,
  facts: Parameters<typeof announced>[1] = {},
) {
  const begun = await site.uploads.begin(acquisition, announced(bytes, facts));
  if (begun.kind === "have") return begun.file;
  await begun.upload.write(Uint8Array.from(bytes));
  return await begun.upload.finish();
}

it("leads a task from claim to finish, its data in the lake before it is finished", async () => {
  await using site = await openScanSite();
  const { store, ledger } = site;
  const acquisition = await acquiring(site, 100);
  const { taskId } = acquisition;
  expect(await store.scanTask(taskId)).toMatchObject({ status: "INPROGRESS", progress: 100 });
  const file = await send(site, acquisition, HDF5_BYTES, { parameter: '{"b0":3}' });
  expect(await store.scanTask(taskId)).toMatchObject({ status: "FINISHED", progress: 100 });
  expect(await readFile(file.path)).toEqual(HDF5_BYTES);
  expect(JSON.parse(await readFile(join(file.path, "../device_parameter.json"), "utf8"))).toEqual({
    device_id: DEVICE,
    parameter: { b0: 3 },
  });
  const [result] = await store.scanResults(taskId);
  expect(result).toMatchObject({
    type: "MRD",
    directory: join(file.path, ".."),
    files: ["scan.mrd", "device_parameter.json"],
  });
  const transfer = { transfer_id: file.transferId, attempt_id: acquisition.id, size_bytes: HDF5_BYTES.length };
  const facts = { sha256: sha256Of(HDF5_BYTES), signature: "hdf5", content_type: "application/x-ismrmrd+hdf5" };
  expect(JSON.parse(result?.meta ?? "")).toEqual({ gateway: { ...transfer, ...facts } });
  expect(await store.acquisition(acquisition.id)).toMatchObject({ state: "completed" });
  const { id } = acquisition;
  expect(await site.ends()).toEqual([{ acquisition: id, task: taskId, scanner: DEVICE, end: "finished", files: 1 }]);
  await expect(ledger.heldBy(taskId, DEVICE)).rejects.toEqual(refusal("SCAN_NOT_CLAIMED"));
});

it("gives a task to one of two devices that claim it at once", async () => {
  await using site = await openScanSite();
  const taskId = await addTask(site.store, { deviceId: undefined });
  const claims = await Promise.allSettled(
    [DEVICE, OTHER_DEVICE].map((deviceId) => site.ledger.claim({ taskId, deviceId, isTriggered: false })),
  );
  expect(claims.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(claims.find(({ status }) => status === "rejected")).toMatchObject({ reason: refusal("SCAN_TASK_TAKEN") });
});

it("lets a device take its own tasks only, and none that is a template, done or unknown", async () => {
  await using site = await openScanSite();
  const claim = async (facts: Parameters<typeof addTask>[1]) =>
    await site.ledger.claim({ taskId: await addTask(site.store, facts), deviceId: DEVICE, isTriggered: false });
  await expect(claim({ deviceId: OTHER_DEVICE })).rejects.toEqual(refusal("SCAN_TASK_OF_ANOTHER"));
  await expect(claim({ isTemplate: true })).rejects.toEqual(refusal("SCAN_TASK_NOT_SCHEDULED"));
  await expect(claim({ status: "FINISHED" })).rejects.toEqual(refusal("SCAN_TASK_NOT_SCHEDULED"));
  await expect(claim({ fields: '{"task_type":"DAG"}' })).rejects.toEqual(refusal("SCAN_TASK_WRONG_TYPE"));
  const unknown = site.ledger.claim({ taskId: DEVICE, deviceId: DEVICE, isTriggered: true });
  await expect(unknown).rejects.toEqual(refusal("SCAN_TASK_NOT_FOUND"));
});

it("opens a new attempt of a task that ended, under another Transaction UID", async () => {
  await using site = await openScanSite();
  const first = await acquiring(site);
  await site.ledger.abort(first.id, "SCAN_DEVICE_FAILED", "coil not connected");
  expect(await site.store.scanTask(first.taskId)).toMatchObject({ status: "ERROR", progress: 10 });
  expect(await site.store.acquisition(first.id)).toMatchObject({ state: "canceled", reason: "coil not connected" });
  const second = await site.ledger.claim({ taskId: first.taskId, deviceId: DEVICE, isTriggered: true });
  expect(second.attempt).toBe(2);
  expect(upsFailureOf(second, first.transactionUid)).toBe("wrongTransaction");
  await expect(site.ledger.progressed(first, 50)).rejects.toEqual(refusal("SCAN_NOT_CLAIMED"));
});

const FAULTS: Readonly<
  Record<string, { code: string; run: (site: ScanSite, of: Awaited<ReturnType<typeof acquiring>>) => Promise<unknown> }>
> = {
  "a sum that is another": {
    code: "SCAN_FILE_MISMATCH",
    run: (site, of) => send(site, of, HDF5_BYTES, { sha256: "0".repeat(64) }),
  },
  "more bytes than announced": {
    code: "SCAN_FILE_INCOMPLETE",
    run: (site, of) => send(site, of, HDF5_BYTES, { sizeBytes: 7 }),
  },
  "fewer bytes than announced": {
    code: "SCAN_FILE_INCOMPLETE",
    run: (site, of) => send(site, of, HDF5_BYTES, { sizeBytes: 9_999, sha256: undefined }),
  },
};

it.each(Object.entries(FAULTS))(
  "leaves nothing of a file with %s, and ends the task with ERROR",
  async (_, { code, run }) => {
    await using site = await openScanSite();
    const acquisition = await acquiring(site);
    const sending = run(site, acquisition).catch(async (thrown: unknown) => {
      const [open] = await site.store.openTransfers(1);
      // The overrun is thrown at the writer, who then takes it back.
      if (open !== undefined) await site.ledger.abort(acquisition.id, code as "SCAN_FILE_MISMATCH");
      throw thrown;
    });
    await expect(sending).rejects.toEqual(refusal(code));
    expect(await filesBelow(site.lake.path)).toEqual([]);
    expect(await site.store.scanResults(acquisition.taskId)).toEqual([]);
    expect(await site.store.scanTask(acquisition.taskId)).toMatchObject({ status: "ERROR" });
  },
);

const BAD_NAMES = [
  "../x",
  "/abs",
  "a/b",
  "C:\\x",
  "C:x",
  "a\0b",
  "",
  ".",
  "..",
  "x".repeat(256),
  " x",
  "device_parameter.json",
];

it("refuses names that no file may have before anything is made", async () => {
  await using site = await openScanSite();
  const acquisition = await acquiring(site);
  for (const fileName of BAD_NAMES) {
    await expect(send(site, acquisition, HDF5_BYTES, { fileName })).rejects.toEqual(refusal("SCAN_FILE_NAME_UNSAFE"));
  }
  expect(await site.store.scanResults(acquisition.taskId)).toEqual([]);
  expect(await site.store.openTransfers(1)).toEqual([]);
});

it("refuses files of no size, too large ones, and those that would fill the disk", async () => {
  await using site = await openScanSite({ policy: { maximumFileBytes: 100, maximumAcquisitionBytes: 150 } });
  const acquisition = await acquiring(site);
  const announce = (sizeBytes: number, fileName = "a") =>
    site.uploads.begin(acquisition, { fileName, sizeBytes, sha256: undefined, parameter: undefined, isLast: false });
  for (const sizeBytes of [0, -1, 1.5, 101]) {
    await expect(announce(sizeBytes)).rejects.toEqual(refusal("SCAN_FILE_TOO_LARGE"));
  }
  const begun = await announce(100);
  await expect(announce(51, "b")).rejects.toEqual(refusal("SCAN_FILE_TOO_LARGE"));
  if (begun.kind === "receive") await begun.upload.abort("SCAN_TRANSFER_CUT");

  await using small = await openScanSite({ policy: { reserveBytes: Number.MAX_SAFE_INTEGER } });
  await expect(send(small, await acquiring(small))).rejects.toEqual(refusal("SCAN_LAKE_FULL"));
});

it.each([
  ["with", {}],
  ["without", { sha256: undefined }],
])("answers a repeated file %s a declared sum with the first one's result", async (_, facts) => {
  await using site = await openScanSite();
  const acquisition = await acquiring(site);
  const first = await send(site, acquisition, HDF5_BYTES, facts);
  const again = await send(site, acquisition, HDF5_BYTES, facts);
  expect(again).toEqual(first);
  expect(await site.store.scanResults(acquisition.taskId)).toHaveLength(1);
  const other = Buffer.from(HDF5_BYTES);
  other[100] = 1;
  const second = await send(site, acquisition, other, { sha256: undefined });
  expect(second.resultId).not.toBe(first.resultId);
  expect(await readFile(first.path)).toEqual(HDF5_BYTES);
});

it("commits a second time without any change, and never over another file", async () => {
  await using site = await openScanSite();
  const acquisition = await acquiring(site);
  const { transferId, resultId, sha256, path } = await send(site, acquisition);
  const folder = join(path, "..");
  await site.lake.commit(transferId, folder, "scan.mrd", sha256);
  expect(await readFile(path)).toEqual(HDF5_BYTES);
  const file = await site.lake.begin("another");
  await file.write(Uint8Array.of(1));
  const other = await file.finish();
  await expect(site.lake.commit("another", folder, "scan.mrd", other.sha256)).rejects.toEqual(
    refusal("SCAN_RESULT_DAMAGED"),
  );
  expect(await readFile(path)).toEqual(HDF5_BYTES);
  expect(await site.store.scanResult(resultId)).toMatchObject({ type: "MRD" });
});

it("tells what nobody answers for: silent, gone, done without data, cancelled", async () => {
  const policy = { startTimeoutMs: 10, disconnectGraceMs: 20, quietPeriodMs: 30 };
  await using site = await openScanSite({ policy });
  const { store, ledger, clock } = site;
  const silent = await ledger.claim({ taskId: await addTask(store), deviceId: DEVICE, isTriggered: true });
  await ledger.started(silent);
  const gone = await acquiring(site);
  const empty = await acquiring(site, 100);
  const cancelled = await acquiring(site);
  await store.askToCancelAcquisition(cancelled, clock.nowMs());
  const ended: string[] = [];
  for (let step = 0; step < 4; step += 1) {
    for (const { id } of await sweep(ledger, site.uploads)) ended.push((await store.acquisition(id))?.code ?? "");
    await clock.advance(10);
  }
  expect(ended).toEqual(["SCAN_CANCELLED", "SCAN_DEVICE_SILENT", "SCAN_DEVICE_LOST", "SCAN_NO_DATA"]);
  for (const { taskId } of [silent, gone, empty, cancelled])
    expect(await store.scanTask(taskId)).toMatchObject({ status: "ERROR" });
  const ends = [cancelled, silent, gone, empty].map(({ id, taskId }, index) => ({
    acquisition: id,
    task: taskId,
    scanner: DEVICE,
    end: index === 0 ? "cancelled" : "failed",
    code: ended[index],
  }));
  expect(await site.ends()).toEqual(ends);
});

it("keeps verified data whose result cannot be set", async () => {
  const through: NonNullable<Parameters<typeof openScanSite>[0]>["through"] = (parts) => ({
    ...parts,
    exams: { ...parts.exams, setResult: () => Promise.reject(new GatewayError("SCAN_RESULT_NOT_FOUND")) },
  });
  await using site = await openScanSite({ through });
  const acquisition = await acquiring(site);
  await expect(send(site, acquisition)).rejects.toEqual(refusal("SCAN_RESULT_NOT_FOUND"));
  expect(await filesBelow(site.lake.path)).toHaveLength(1);
  expect(await site.store.transfersOf(acquisition.id)).toMatchObject([
    { state: "stuck", code: "SCAN_RESULT_NOT_FOUND" },
  ]);
});

it.each([
  ["comes in time", 3, "published"],
  ["does not", 4, "committed"],
])("asks for a result again after half a second, one and two; an exam manager that %s", async (_, failures, state) => {
  const askedAtMs: number[] = [];
  const through: NonNullable<Parameters<typeof openScanSite>[0]>["through"] = (parts) => ({
    ...parts,
    exams: {
      ...parts.exams,
      setResult(...given) {
        askedAtMs.push(site.clock.nowMs());
        const isAway = askedAtMs.length <= failures;
        return isAway ? Promise.reject(new GatewayError("HTTP_UNAVAILABLE")) : parts.exams.setResult(...given);
      },
    },
  });
  await using site = await openScanSite({ through });
  const acquisition = await acquiring(site);
  const startMs = site.clock.nowMs();
  const sent = send(site, acquisition).catch(() => undefined);
  for (const waitMs of [500, 1_000, 2_000]) {
    await vi.waitFor(() => expect(site.clock.sleeping).toBe(1), { timeout: 10_000 });
    await site.clock.advance(waitMs);
  }
  await sent;
  expect(askedAtMs.map((atMs) => atMs - startMs)).toEqual([0, 500, 1_500, 3_500]);
  expect(await site.store.transfersOf(acquisition.id)).toMatchObject([{ state }]);
});

it("reads every status of a task as a state of PS3.4 CC, and leads to final states only forward", () => {
  expect(UPS_OF_TASK).toEqual({
    NEW: "SCHEDULED",
    UPDATED: "SCHEDULED",
    STARTED: "IN PROGRESS",
    INPROGRESS: "IN PROGRESS",
    FINISHED: "COMPLETED",
    ERROR: "CANCELED",
  });
  for (const table of [ACQUISITION_STATES, TRANSFER_STATES])
    for (const { next } of Object.values(table)) for (const name of next) expect(Object.keys(table)).toContain(name);
  expect(upsFailureOf(undefined, "2.25.1")).toBe("unknown");
  expect(upsFailureOf({ state: "completed", transactionUid: "2.25.1" }, "2.25.1")).toBe("noLongerUpdatable");
});
