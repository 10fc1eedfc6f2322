import { join } from "node:path";
import { expect, it } from "vitest";
import { GatewayError } from "../errors/gateway-error.ts";
import type { Acquisition, AcquisitionStore } from "../store/acquisitions.ts";
import type { DataLake } from "./lake/data-lake.ts";
import { createLedger } from "./ledger.ts";
import { recover, sweep } from "./recover.ts";
import {
  acquiring,
  announced,
  dyingAt,
  filesBelow,
  HDF5_BYTES,
  openScanSite,
  type ScanSite,
  type ScanSiteParts,
} from "./rehearsal.testing.ts";
import { createUploads } from "./uploads.ts";

async function runOnce(site: Pick<ScanSite, "store" | "ledger" | "uploads">, isGood: boolean): Promise<void> {
  const acquisition = await acquiring(site, 100);
  const facts = isGood ? {} : { sha256: "0".repeat(64) };
  const begun = await site.uploads.begin(acquisition, announced(HDF5_BYTES, { ...facts, parameter: "{}" }));
  if (begun.kind === "have") return;
  await begun.upload.write(Uint8Array.from(HDF5_BYTES));
  await begun.upload.finish();
}

it.each([
  ["a good file", true],
  ["a file with a wrong sum", false],
])("ends with one result or none, wherever it dies over %s", async (_, isGood) => {
  await using site = await openScanSite();
  const { store, lake, clock } = site;
  const outcomes = new Set<string>();
  for (let last = 1, isThrough = false; !isThrough; last += 1) {
    expect(last).toBeLessThan(100);
    const dying = dyingAt(last);
    const running = runOnce(siteOver(dying.through(site.ledger.world), site), isGood)
      .catch(() => undefined)
      .then(() => true);
    isThrough = await Promise.race([running, dying.died.then(() => false)]);
    await recover(site.ledger);
    // Nobody comes back.
    for (let step = 0; step < 3; step += 1) {
      await clock.advance(1_000_000);
      await sweep(site.ledger, site.uploads);
    }
    outcomes.add(await outcomeOf(store, lake));
  }
  expect([...outcomes].sort()).toEqual(isGood ? ["ERROR 0", "FINISHED 1", "NEW 0"] : ["ERROR 0", "NEW 0"]);
});

/** Another process over the same store and lake. */
function siteOver(
  parts: ScanSiteParts,
  { ledger: { world } }: ScanSite,
): Pick<ScanSite, "store" | "ledger" | "uploads"> {
  const ledger = createLedger({ ...world, ...parts });
  return { store: world.store, ledger, uploads: createUploads(ledger) };
}

/** Of the newest task, which nobody works on any more: its status and results, which are whole, or not there. */
async function outcomeOf(store: AcquisitionStore, lake: DataLake): Promise<string> {
  const task = (await store.listScanTasks({ limit: 1_000 })).at(-1);
  if (task === undefined) throw new Error("there is no task");
  const results = await store.scanResults(task.id);
  const files = (await filesBelow(lake.path)).filter((path) => path.includes(task.id));
  expect(files).toHaveLength(2 * results.length);
  for (const { type, directory } of results) {
    expect(type).toBe("MRD");
    expect((await lake.sumOf(directory, "scan.mrd")).sizeBytes).toBe(HDF5_BYTES.length);
    expect(files).toContain(join(directory, "device_parameter.json").slice(lake.path.length + 1));
  }
  expect(await store.listAcquisitions({ isOpen: true, limit: 1 })).toEqual([]);
  expect(await store.openTransfers(1)).toEqual([]);
  expect(await lake.staged()).toEqual([]);
  return `${task.status} ${results.length}`;
}

it.each(["after it was stopped for good", "after a restart"])(
  "ends the attempt at a task that was deleted meanwhile, %s, and holds up no other",
  async (when) => {
    await using site = await openScanSite();
    const { store, clock, ledger, uploads } = site;
    const deleted = await acquiring(site);
    const other = await acquiring(site);
    await uploads.begin(deleted, announced(HDF5_BYTES));
    await store.askToCancelAcquisition(deleted, clock.nowMs());
    await store.removeScanTask(deleted.taskId);
    await store.askToCancelAcquisition(other, clock.nowMs());
    if (when === "after a restart") {
      await store.changeAcquisition(deleted, { state: "aborting", code: "SCAN_CANCELLED" }, clock.nowMs());
      await recover(ledger);
    }
    await sweep(ledger, uploads);
    for (const { id } of [deleted, other]) expect(await store.acquisition(id)).toMatchObject({ state: "canceled" });
    expect(await store.listAcquisitions({ isOpen: true, limit: 1 })).toEqual([]);
  },
);

it("finishes an attempt without data though its task was deleted", async () => {
  await using site = await openScanSite({ policy: { finishWithoutData: "finished" } });
  const { store, clock, ledger, uploads } = site;
  const empty = await acquiring(site, 100);
  await store.removeScanTask(empty.taskId);
  await clock.advance(1_000_000);
  await sweep(ledger, uploads);
  expect(await store.acquisition(empty.id)).toMatchObject({ state: "completed" });
});

it("looks at every attempt that lapsed, though one of them cannot be ended now", async () => {
  let isAway = true;
  const through: NonNullable<Parameters<typeof openScanSite>[0]>["through"] = (parts) => ({
    ...parts,
    exams: {
      ...parts.exams,
      setTask: (taskId, change) =>
        isAway && taskId === first?.taskId
          ? Promise.reject(new GatewayError("HTTP_UNAVAILABLE"))
          : parts.exams.setTask(taskId, change),
    },
  });
  await using site = await openScanSite({ through });
  const { store, clock, ledger, uploads } = site;
  let first: Acquisition | undefined;
  const attempts = [await acquiring(site), await acquiring(site)];
  [first] = attempts;
  for (const each of attempts) await store.askToCancelAcquisition(each, clock.nowMs());
  const states = async () => await Promise.all(attempts.map(async ({ id }) => (await store.acquisition(id))?.state));
  await sweep(ledger, uploads);
  expect(await states()).toEqual(["aborting", "canceled"]);
  isAway = false;
  await sweep(ledger, uploads);
  expect(await states()).toEqual(["canceled", "canceled"]);
});
