import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { addTask } from "../acquisition/rehearsal.testing.ts";
import type { Acquisition } from "../store/acquisitions.ts";
import { openSqliteStore } from "../store/sqlite/open.ts";
import type { Store } from "../store/store.ts";
import { createManualClock } from "../units/manual-clock.testing.ts";
import { cancelScanTask, releaseScanFiles, retryScanTask, showScanTask } from "./scan-tasks.ts";
import type { ScannerContext } from "./scanner-operations.ts";

async function openSite() {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await temporaryFolder());
  const store = opened.use(await openSqliteStore({ path: join(folder.path, "radferry.db") }));
  const noted: unknown[] = [];
  const context: ScannerContext = {
    store,
    clock: createManualClock(1_000_000),
    actor: { name: "anna", kind: "token" },
    audit: { record: async ({ outcome, detail }) => void noted.push({ outcome, detail }) },
    scanFiles: { lake: async () => folder.path, sumOf: () => Promise.reject(new Error("no file is read")) },
  };
  const closing = opened.move();
  return { store, noted, context, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

/** An attempt at a task, whose scanner is at it. */
async function acquiring(store: Store, taskId: string): Promise<Acquisition> {
  const held = await store.claimAcquisition(
    {
      id: "acquisition",
      origin: "local",
      taskId,
      upsUid: "2.25.1",
      transactionUid: "2.25.2",
      deviceId: "device",
      previousStatus: "NEW",
      workflowId: undefined,
      tokenHash: undefined,
      parameter: undefined,
      leaseMs: 1,
    },
    0,
  );
  if (held === undefined) throw new Error("somebody has it");
  await store.changeAcquisition(held, { state: "acquiring" }, 0);
  return held;
}

it("cancels a task that no scanner has begun, and writes down who did", async () => {
  await using site = await openSite();
  const task = await addTask(site.store);
  expect(await cancelScanTask(site.context, task)).toEqual({ id: task, cancelled: true, wasRunning: false });
  expect(await site.store.scanTask(task)).toMatchObject({ status: "ERROR" });
  expect(site.noted).toEqual([{ outcome: "success", detail: { what: "cancelled", task } }]);
});

it.each(["ERROR", "FINISHED"] as const)(
  "takes back the retry of a task that ended as %s while it waits for its device, and says so",
  async (status) => {
    await using site = await openSite();
    const task = await addTask(site.store, { status });
    await retryScanTask(site.context, task);
    expect(await cancelScanTask(site.context, task)).toEqual({ id: task, cancelled: true, wasRunning: false });
    expect(await site.store.scanTask(task)).toMatchObject({ status, wantedAtMs: undefined });
    const said = (what: string) => ({ outcome: "success", detail: { what, task } });
    expect(site.noted).toEqual([said("retried"), said("cancelled")]);
    await expect(cancelScanTask(site.context, task)).rejects.toMatchObject({ code: "SCAN_TASK_NOT_SCHEDULED" });
  },
);

it.each([
  ["a template, whose status every task made from it would take over", { isTemplate: true }],
  ["a task that is over", { status: "FINISHED" }],
] as const)(
  "refuses to cancel %s: it stays as it is, and the audit trail tells of no cancellation",
  async (_, facts) => {
    await using site = await openSite();
    const task = await addTask(site.store, facts);
    const before = await site.store.scanTask(task);
    await expect(cancelScanTask(site.context, task)).rejects.toMatchObject({ code: "SCAN_TASK_NOT_SCHEDULED" });
    expect(await site.store.scanTask(task)).toEqual(before);
    expect(site.noted).toEqual([]);
  },
);

it("releases the files of a task that got stuck: from where each was, and no other", async () => {
  await using site = await openSite();
  const { store, context, noted } = site;
  const taskId = await addTask(store);
  const held = await acquiring(store, taskId);
  const far = ["receiving", "verified", "committed", "published"] as const;
  for (const [id, steps] of Object.entries({ whole: 2, named: 3, published: 4 })) {
    const facts = { fileName: `${id}.mrd`, sizeBytes: 1, declaredSha256: undefined, parameter: undefined };
    await store.addTransfer({ id, acquisitionId: held.id, ...facts }, 0);
    for (const state of far.slice(0, steps))
      await store.changeTransfer(id, { state, ...(state === "committed" ? { directory: "/lake/a" } : {}) }, 0);
    if (steps < 4) await store.changeTransfer(id, { state: "stuck", code: "SCANHUB_UNREACHABLE" }, 0);
  }
  expect(await releaseScanFiles(context, taskId)).toEqual({ id: taskId, files: ["whole.mrd", "named.mrd"] });
  const states = (await store.transfersOf(held.id)).map(({ state }) => state);
  expect(states).toEqual(["verified", "committed", "published"]);
  expect(noted).toEqual([{ outcome: "success", detail: { what: "files released", task: taskId } }]);
  expect(await releaseScanFiles(context, taskId)).toEqual({ id: taskId, files: [] });
  await expect(releaseScanFiles(context, "none")).rejects.toMatchObject({ code: "SCAN_TASK_NOT_FOUND" });
});

it("says what a file of a task waits for, and nothing of that any more when it is published", async () => {
  await using site = await openSite();
  const { store } = site;
  const taskId = await addTask(store);
  const held = await acquiring(store, taskId);
  const facts = { fileName: "scan.mrd", sizeBytes: 1, declaredSha256: undefined, parameter: undefined };
  await store.addTransfer({ id: "transfer", acquisitionId: held.id, ...facts }, 0);
  const shown = async () => (await showScanTask(site.context, taskId)).attempts[0]?.files;
  for (const state of ["receiving", "verified", "committed"] as const)
    await store.changeTransfer("transfer", { state }, 0);
  await store.changeTransfer("transfer", { code: "SCANHUB_UNREACHABLE" }, 0);
  expect(await shown()).toMatchObject([{ name: "scan.mrd", state: "committed", code: "SCANHUB_UNREACHABLE" }]);
  await store.changeTransfer("transfer", { state: "published" }, 0);
  expect(await shown()).toMatchObject([{ state: "published", code: null }]);
});
