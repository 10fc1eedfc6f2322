import { expect } from "vitest";
import type { Acquisition, AcquisitionClaim, NewScanTask, NewTransfer } from "../acquisitions.ts";
import type { Store } from "../store.ts";
import { type ContractCases, LEASE_MS } from "./support.testing.ts";

const task = (facts: Partial<NewScanTask> = {}): NewScanTask => ({
  id: "task-1",
  workflowId: "workflow-1",
  deviceId: undefined,
  isTemplate: false,
  status: "NEW",
  progress: 0,
  fields: '{"name":"scan"}',
  creator: "anna",
  wantedAtMs: undefined,
  ...facts,
});

const claim = (facts: Partial<AcquisitionClaim> = {}): AcquisitionClaim => ({
  id: "acquisition-1",
  origin: "local",
  taskId: "task-1",
  upsUid: "2.25.1",
  transactionUid: "2.25.2",
  deviceId: "device-1",
  previousStatus: "NEW",
  workflowId: "workflow-1",
  tokenHash: undefined,
  parameter: undefined,
  leaseMs: LEASE_MS,
  ...facts,
});

const transfer = (facts: Partial<NewTransfer> = {}): NewTransfer => ({
  id: "transfer-1",
  acquisitionId: "acquisition-1",
  fileName: "scan.mrd",
  sizeBytes: 10,
  declaredSha256: "ab",
  parameter: undefined,
  ...facts,
});

async function acquiring(store: Store, facts: Partial<AcquisitionClaim> = {}): Promise<Acquisition> {
  const claimed = await store.claimAcquisition(claim(facts), 0);
  if (claimed === undefined) throw new Error("somebody has it");
  await store.changeAcquisition(claimed, { state: "acquiring" }, 1);
  return claimed;
}

const device = { id: "device-1", name: "scanner", description: "3 T", status: "OFFLINE", tokenHash: "aa" } as const;

export const exams: ContractCases = {
  "keeps a task, and changes what is named alone": async (store) => {
    const added = await store.addScanTask(task({ deviceId: "device-1" }), 5);
    expect(added).toEqual({ ...task({ deviceId: "device-1" }), createdAtMs: 5 });
    await store.changeScanTask("task-1", { status: "STARTED", progress: 3 }, 6);
    expect(await store.scanTask("task-1")).toMatchObject({ status: "STARTED", progress: 3, deviceId: "device-1" });
    await store.changeScanTask("task-1", { deviceId: undefined }, 7);
    expect(await store.scanTask("task-1")).toMatchObject({ deviceId: undefined, workflowId: "workflow-1" });
    expect(await store.changeScanTask("task-2", { progress: 1 }, 8)).toBeUndefined();
  },

  "changes a task only while it says what was expected": async (store) => {
    await store.addScanTask(task({ status: "FINISHED" }), 0);
    expect(await store.changeScanTask("task-1", { status: "INPROGRESS" }, 1, ["STARTED"])).toBeUndefined();
    expect(await store.scanTask("task-1")).toMatchObject({ status: "FINISHED", updatedAtMs: undefined });
  },

  "lists tasks by workflow, kind and status, page by page": async (store) => {
    await store.addScanTask(task(), 0);
    await store.addScanTask(task({ id: "task-2", workflowId: "workflow-2", status: "ERROR" }), 0);
    await store.addScanTask(task({ id: "task-3", workflowId: undefined, isTemplate: true }), 0);
    const ids = async (filter: object) =>
      (await store.listScanTasks({ limit: 10, ...filter })).map(({ id }) => id.slice("task-".length));
    expect(await ids({})).toEqual(["1", "2", "3"]);
    expect(await ids({ after: "task-1", limit: 1 })).toEqual(["2"]);
    expect(await ids({ workflowId: "workflow-2" })).toEqual(["2"]);
    expect(await ids({ isTemplate: true })).toEqual(["3"]);
    expect(await ids({ status: "ERROR" })).toEqual(["2"]);
  },

  "lists nothing behind a task or a result that is gone: from the beginning, it would be told twice": async (store) => {
    await store.addScanTask(task(), 0);
    await store.addScanTask(task({ id: "task-2" }), 0);
    await store.removeScanTask("task-1");
    await expect(store.listScanTasks({ after: "task-1", limit: 1 })).rejects.toMatchObject({
      code: "SCAN_TASK_NOT_FOUND",
    });
    await store.addScanResult({ id: "result-1", taskId: "task-2" }, 0);
    await store.addScanResult({ id: "result-2", taskId: "task-2" }, 0);
    await store.removeScanResult("result-1");
    await expect(store.listScanResults({ after: "result-1", limit: 1 })).rejects.toMatchObject({
      code: "SCAN_RESULT_NOT_FOUND",
    });
  },

  "tells what is to be started, the oldest wish first": async (store) => {
    for (const id of ["task-1", "task-2"]) await store.addScanTask(task({ id }), 0);
    await store.wantScanTask("task-2", true, 1);
    await store.wantScanTask("task-1", true, 2);
    const wanted = async () => (await store.wantedScanTasks({ limit: 9 })).map(({ id }) => id);
    expect(await wanted()).toEqual(["task-2", "task-1"]);
    await store.wantScanTask("task-2", false, 3);
    expect(await wanted()).toEqual(["task-1"]);
  },

  "tells what is to be started of some devices, and without some tasks": async (store) => {
    const tasks = [undefined, "device-1", "device-1", "device-2"].map((deviceId, number) =>
      task({ id: `task-${number}`, deviceId, wantedAtMs: number }),
    );
    for (const each of tasks) await store.addScanTask(each, 0);
    const wanted = async (devices: readonly string[], ids: readonly string[] = []) =>
      (await store.wantedScanTasks({ except: { devices, tasks: ids }, limit: 2 })).map(({ id }) => id);
    expect(await wanted([])).toEqual(["task-0", "task-1"]);
    expect(await wanted(["", "device-1"])).toEqual(["task-3"]);
    expect(await wanted(["device-1"])).toEqual(["task-0", "task-3"]);
    expect(await wanted([""], ["task-1"])).toEqual(["task-2", "task-3"]);
  },

  "makes blank results, one for a transfer, each later than the one before": async (store) => {
    await store.addScanTask(task(), 0);
    expect(await store.addScanResult({ id: "r1", taskId: "task-1", transferId: "t" }, 5)).toEqual({
      id: "r1",
      taskId: "task-1",
      transferId: "t",
      type: "NOT_SET",
      directory: "",
      files: [],
      meta: undefined,
      createdAtMs: 5,
    });
    expect(await store.addScanResult({ id: "r2", taskId: "task-1", transferId: "t" }, 6)).toMatchObject({ id: "r1" });
    expect(await store.addScanResult({ id: "r3", taskId: "task-1" }, 5)).toMatchObject({ createdAtMs: 6 });
    expect(await store.addScanResult({ id: "r4", taskId: "nobody" }, 5)).toBeUndefined();
    expect((await store.scanResults("task-1")).map(({ id }) => id)).toEqual(["r1", "r3"]);
  },

  "sets a result, and takes one away once": async (store) => {
    await store.addScanTask(task(), 0);
    await store.addScanResult({ id: "r1", taskId: "task-1" }, 0);
    const content = { type: "MRD", directory: "/data/x", files: ["a.mrd"], meta: '{"a":1}' };
    expect(await store.setScanResult("r1", content)).toMatchObject(content);
    expect(await store.setScanResult("r2", content)).toBeUndefined();
    expect([await store.removeScanResult("r1"), await store.removeScanResult("r1")]).toEqual([true, false]);
    await store.addScanResult({ id: "r5", taskId: "task-1" }, 0);
    expect([await store.removeScanTask("task-1"), await store.removeScanTask("task-1")]).toEqual([true, false]);
    expect(await store.scanResult("r5")).toBeUndefined();
  },

  "keeps a sequence byte for byte": async (store) => {
    const file = Uint8Array.of(0x00, 0xff, 0x0d, 0x0a);
    const facts = { name: "gre", description: "", sequenceType: "PULSEQ", tags: ["a"], sha256: "00" };
    const extensions = { fileExtension: ".seq", headerExtension: undefined, header: undefined };
    await store.addScanSequence({ id: "s1", file, ...facts, ...extensions }, 4);
    expect(await store.scanSequence("s1")).toMatchObject({ file, ...facts, sizeBytes: 4, header: undefined });
    expect(await store.changeScanSequence("s1", { tags: [] }, 5)).toBe(true);
    expect(await store.listScanSequences(9)).toMatchObject([{ id: "s1", name: "gre", tags: [], updatedAtMs: 5 }]);
    expect([await store.removeScanSequence("s1"), await store.removeScanSequence("s1")]).toEqual([true, false]);
  },

  "changes a device until it is revoked": async (store) => {
    expect(await store.addScanDevice(device, 1)).toMatchObject({ ...device, details: "{}", isDeaf: false });
    await store.changeScanDevice("device-1", { status: "ONLINE", parameter: '{"b0":1}' }, 2);
    expect(await store.changeScanDevice("device-1", { isDeaf: true }, 3)).toMatchObject({
      status: "ONLINE",
      parameter: '{"b0":1}',
      isDeaf: true,
    });
    expect([await store.revokeScanDevice("device-1", 4), await store.revokeScanDevice("device-1", 5)]).toEqual([
      true,
      false,
    ]);
    expect(await store.changeScanDevice("device-1", { status: "ONLINE" }, 6)).toBeUndefined();
    expect(await store.listScanDevices(9)).toMatchObject([{ status: "OFFLINE", revokedAtMs: 4 }]);
  },

  "knows a token by its hash until it is revoked": async (store) => {
    await store.addScanToken({ id: "token-1", user: "anna", role: "operator", tokenHash: "bb" }, 1);
    expect(await store.scanTokenOf("bb")).toMatchObject({ user: "anna", role: "operator" });
    expect(await store.scanTokenOf("cc")).toBeUndefined();
    expect([await store.revokeScanToken("token-1", 2), await store.revokeScanToken("token-1", 3)]).toEqual([
      true,
      false,
    ]);
    expect(await store.scanTokenOf("bb")).toBeUndefined();
    expect(await store.listScanTokens(9)).toMatchObject([{ id: "token-1", revokedAtMs: 2 }]);
  },
};

export const acquisitions: ContractCases = {
  "gives a task to one of many claims, and again when it ended": async (store) => {
    const claims = await Promise.all(
      Array.from({ length: 20 }, (_, index) => store.claimAcquisition(claim({ id: `a${index}` }), 0)),
    );
    const [first, ...more] = claims.filter((each) => each !== undefined);
    expect(more).toEqual([]);
    if (first === undefined) throw new Error("nobody has it");
    expect(first).toMatchObject({ attempt: 1, state: "claimed", leaseUntilMs: LEASE_MS });
    await store.changeAcquisition(first, { state: "aborting" }, 1);
    expect(await store.claimAcquisition(claim({ id: "b" }), 2)).toBeUndefined();
    await store.changeAcquisition(first, { state: "canceled" }, 3);
    expect(await store.claimAcquisition(claim({ id: "c" }), 4)).toMatchObject({ id: "c", attempt: 2 });
    expect(await store.claimAcquisition(claim({ id: "d", origin: "elsewhere" }), 4)).toMatchObject({ attempt: 1 });
  },

  "changes nothing without the transaction UID, or against the order of states": async (store) => {
    const held = await acquiring(store);
    expect(await store.changeAcquisition({ ...held, transactionUid: "2.25.3" }, { progress: 5 }, 2)).toBe(false);
    expect(await store.changeAcquisition(held, { state: "claimed" }, 2)).toBe(false);
    expect(await store.changeAcquisition(held, { state: "canceled" }, 2)).toBe(false);
    expect(await store.changeAcquisition(held, { state: "completed" }, 2)).toBe(true);
    expect(await store.changeAcquisition(held, { progress: 99 }, 3)).toBe(false);
    expect(await store.changeAcquisition(held, { state: "aborting" }, 3)).toBe(false);
  },

  "lets progress grow only, and notes what happened": async (store) => {
    const held = await acquiring(store);
    await store.changeAcquisition(held, { progress: 50, code: "INTERNAL", reason: "coil" }, 2);
    await store.changeAcquisition(held, { progress: 20 }, 3, { event: "late", detail: "{}" });
    expect(await store.acquisition(held.id)).toMatchObject({ progress: 50, code: "INTERNAL", reason: "coil" });
    expect((await store.acquisitionEvents(held.id)).map(({ atMs, event }) => [atMs, event])).toEqual([
      [0, "claimed"],
      [3, "late"],
    ]);
  },

  "tells whose lease ended, and whose cancel was asked for": async (store) => {
    await acquiring(store);
    await acquiring(store, { id: "acquisition-2", taskId: "task-2", deviceId: "device-2" });
    const lapsed = async (nowMs: number) => (await store.lapsedAcquisitions(nowMs, 9)).map(({ taskId }) => taskId);
    expect(await lapsed(LEASE_MS - 1)).toEqual([]);
    await store.renewAcquisitionsOf("device-2", 2 * LEASE_MS);
    expect(await lapsed(LEASE_MS)).toEqual(["task-1"]);
    const ask = (taskId: string) => store.askToCancelAcquisition({ origin: "local", taskId }, 5);
    expect([await ask("task-2"), await ask("task-3")]).toEqual([true, false]);
    expect(await store.askToCancelAcquisition({ origin: "elsewhere", taskId: "task-1" }, 5), "another's").toBe(false);
    expect(await lapsed(0)).toEqual(["task-2"]);
  },

  "lists acquisitions by task, device and whether they are open, the newest first": async (store) => {
    const first = await acquiring(store);
    await store.changeAcquisition(first, { state: "completed" }, 1);
    await acquiring(store, { id: "acquisition-2" });
    await acquiring(store, { id: "acquisition-3", taskId: "task-2", deviceId: "device-2" });
    const ids = async (filter: object) =>
      (await store.listAcquisitions({ limit: 9, ...filter })).map(({ id }) => Number(id.at(-1)));
    expect(await ids({})).toEqual([3, 2, 1]);
    expect(await ids({ taskId: "task-1" })).toEqual([2, 1]);
    expect(await ids({ deviceId: "device-1", isOpen: true })).toEqual([2]);
    expect(await ids({ isOpen: false })).toEqual([1]);
    expect(await ids({ after: "acquisition-3" })).toEqual([2, 1]);
    expect(await ids({ taskId: "task-1", after: "acquisition-2" })).toEqual([1]);
  },

  "takes a transfer of an acquisition under way, and joins one that is alike": async (store) => {
    expect(await store.addTransfer(transfer(), 0)).toBeUndefined();
    const held = await acquiring(store);
    expect(await store.addTransfer(transfer(), 1)).toMatchObject({ isNew: true, transfer: { state: "blank-pending" } });
    expect(await store.addTransfer(transfer({ id: "transfer-2" }), 2)).toMatchObject({
      isNew: false,
      transfer: { id: "transfer-1" },
    });
    expect(await store.addTransfer(transfer({ id: "transfer-3", sizeBytes: 11 }), 2)).toMatchObject({ isNew: true });
    expect(await store.addTransfer(transfer({ id: "transfer-5", declaredSha256: undefined }), 2)).toMatchObject({
      isNew: true,
    });
    await store.changeTransfer("transfer-1", { state: "aborting" }, 3);
    expect(await store.addTransfer(transfer({ id: "transfer-4" }), 4)).toMatchObject({ isNew: true });
    await store.changeAcquisition(held, { state: "aborting" }, 5);
    expect(
      await store.addTransfer(transfer({ id: "transfer-6", sizeBytes: 12 }), 6),
      "it is taken back",
    ).toBeUndefined();
    expect((await store.transfersOf(held.id)).map(({ id }) => id)).toEqual(
      [1, 3, 5, 4].map((number) => `transfer-${number}`),
    );
  },

  "keeps with a device's last file that the device is done": async (store) => {
    const held = await acquiring(store);
    await store.addTransfer(transfer(), 1);
    expect(await store.acquisition(held.id)).toMatchObject({ isDeviceDone: false });
    await store.addTransfer(transfer({ id: "transfer-2", fileName: "last.mrd", isLast: true }), 2);
    expect(await store.acquisition(held.id)).toMatchObject({ state: "acquiring", isDeviceDone: true });
    expect(await store.renewAcquisitionsOf(held.deviceId, 9 * LEASE_MS), "its files have their time").toBe(0);
    expect((await store.acquisitionEvents(held.id)).at(-1)).toMatchObject({ atMs: 2, event: "device-done" });
  },

  "lists transfers page by page: those that are open, and those that got stuck": async (store) => {
    await acquiring(store);
    for (const number of [1, 2, 3, 4])
      await store.addTransfer(transfer({ id: `transfer-${number}`, fileName: `${number}` }), number);
    const ids = (page: readonly { readonly id: string }[]) => page.map(({ id }) => Number(id.at(-1)));
    expect(ids(await store.openTransfers(2))).toEqual([1, 2]);
    expect(ids(await store.openTransfers(9, "transfer-2"))).toEqual([3, 4]);
    for (const number of [2, 4])
      for (const state of ["receiving", "verified", "stuck"] as const)
        await store.changeTransfer(`transfer-${number}`, { state }, 5);
    expect(ids(await store.openTransfers(9, "transfer-1"))).toEqual([3]);
    expect(ids(await store.stuckTransfers(9))).toEqual([2, 4]);
    expect(ids(await store.stuckTransfers(1, "transfer-2"))).toEqual([4]);
    const again = { id: "transfer-5", fileName: "2" };
    expect(await store.addTransfer(transfer(again), 6)).toMatchObject({ isNew: true });
    expect(await store.changeTransfer("transfer-2", { state: "verified" }, 7)).toBe(true);
  },

  "leads a transfer from step to step, and not back": async (store) => {
    await acquiring(store);
    await store.addTransfer(transfer(), 1);
    const step = (change: Parameters<Store["changeTransfer"]>[1]) => store.changeTransfer("transfer-1", change, 2);
    expect(await step({ state: "verified" })).toBe(false);
    expect(await step({ state: "receiving", resultId: "r" })).toBe(true);
    expect(await step({ state: "verified", sha256: "ee" })).toBe(true);
    expect(await step({ state: "committed", directory: "/data" })).toBe(true);
    expect(await step({ state: "aborting" })).toBe(false);
    expect(await store.openTransfers(9)).toMatchObject([{ resultId: "r", sha256: "ee", directory: "/data" }]);
    expect(await step({ state: "published" })).toBe(true);
    expect(await store.openTransfers(9)).toEqual([]);
    expect(await store.transfer("transfer-1")).toMatchObject({ state: "published", resultId: "r" });
  },

  "tells which files are old, and how many bytes a device has, until they are removed": async (store) => {
    await acquiring(store);
    await store.addTransfer(transfer(), 1);
    await store.addTransfer(transfer({ id: "transfer-2", sizeBytes: 30, declaredSha256: undefined }), 1);
    await store.changeTransfer("transfer-2", { state: "aborting" }, 1);
    const { sizeBytes } = transfer();
    expect(await store.scanBytesOf("device-1")).toBe(sizeBytes);
    expect(await store.scanBytesOf("device-2")).toBe(0);
    for (const state of ["receiving", "verified", "committed"] as const)
      await store.changeTransfer("transfer-1", { state }, 2);
    expect(await store.publishedTransfersBefore(9, 9)).toEqual([]);
    await store.changeTransfer("transfer-1", { state: "published" }, 5);
    expect(await store.publishedTransfersBefore(5, 9)).toEqual([]);
    expect(await store.publishedTransfersBefore(6, 9)).toMatchObject([{ id: "transfer-1" }]);
    expect(await store.changeTransfer("transfer-1", { state: "removed" }, 7)).toBe(true);
    expect(await store.publishedTransfersBefore(9, 9)).toEqual([]);
    expect(await store.scanBytesOf("device-1")).toBe(0);
    expect((await store.openTransfers(9)).map(({ id }) => id)).toEqual(["transfer-2"]);
    expect(await store.addTransfer(transfer({ id: "transfer-3" }), 8)).toMatchObject({ isNew: true });
  },
};
