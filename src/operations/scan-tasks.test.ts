import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { addTask } from "../acquisition/rehearsal.testing.ts";
import { openSqliteStore } from "../store/sqlite/open.ts";
import { createManualClock } from "../units/manual-clock.testing.ts";
import { cancelScanTask, showScanTask } from "./scan-tasks.ts";
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

it("cancels a task that no scanner has begun, and writes down who did", async () => {
  await using site = await openSite();
  const task = await addTask(site.store);
  expect(await cancelScanTask(site.context, task)).toEqual({ id: task, cancelled: true, wasRunning: false });
  expect(await site.store.scanTask(task)).toMatchObject({ status: "ERROR" });
  expect(site.noted).toEqual([{ outcome: "success", detail: { what: "cancelled", task } }]);
});

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

it("says what a file of a task waits for, and nothing of that any more when it is published", async () => {
  await using site = await openSite();
  const { store } = site;
  const taskId = await addTask(store);
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
