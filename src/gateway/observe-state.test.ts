import { join } from "node:path";
import { expect, it } from "vitest";
import { acquiring, openScanSite } from "../acquisition/rehearsal.testing.ts";
import { createMetrics } from "../observe/metrics.ts";
import type { Operations } from "../operations/operations.ts";
import { openSqliteStore } from "../store/sqlite/open.ts";
import { systemDisk } from "../units/disk.ts";
import { createManualClock } from "../units/manual-clock.testing.ts";
import { createHealth, createStateGauges } from "./observe-state.ts";

/** Nothing waits, no archive is there. */
const idle = {
  overview: async () => ({ oldestWaitingSeconds: null, storeTrouble: null }),
  listNodes: async () => [],
  async *listArchives() {},
} as unknown as Operations;

const NOTHING_COUNTED = {
  jobCounts: async () => [],
  intakeCounts: async () => [],
  openTransfers: async () => [],
  stuckTransfers: async () => [],
};

it("tells of the archives there are whether their window is open, paused or not", async () => {
  let archives: readonly object[] = [
    { name: "open", state: "open" },
    { name: "paused-by-day", state: "paused" },
    { name: "paused-by-night", state: "paused", opensAt: "2026-01-01T20:00:00.000Z" },
    { name: "closed", state: "closed" },
  ];
  const operations = {
    ...idle,
    async *listArchives() {
      yield* archives;
    },
  } as unknown as Operations;
  const metrics = createMetrics();
  const staging = { path: "/nonexistent", reserveBytes: 0 };
  const parts = { operations, store: NOTHING_COUNTED, clock: createManualClock(), disk: systemDisk, staging };
  const bringUp = createStateGauges(metrics, { ...parts, version: "0", followers: () => 0 });
  const windows = async (): Promise<readonly string[]> => {
    await bringUp();
    const { text } = await metrics.text();
    return [...text.matchAll(/^radferry_archive_window_open\{archive="(.+)"\} (\d)$/gm)].map(([, ...told]) =>
      told.join(),
    );
  };
  expect(await windows()).toEqual(["open,1", "paused-by-day,1", "paused-by-night,0", "closed,0"]);
  // Taken out of the settings.
  archives = archives.slice(1, 2);
  expect(await windows()).toEqual(["paused-by-day,1"]);
});

it("counts the files of scanners that are whole and wait to be published, and those that got stuck", async () => {
  await using site = await openScanSite();
  const acquisition = await acquiring(site);
  for (const id of ["coming", "waiting", "published", "stuck"]) {
    const facts = { fileName: id, sizeBytes: 1, declaredSha256: undefined, parameter: undefined };
    await site.store.addTransfer({ id, acquisitionId: acquisition.id, ...facts }, 0);
    const states = ["receiving", "verified", "committed", "published"] as const;
    const steps = { coming: 1, waiting: 3, published: 4, stuck: 2 }[id] ?? 0;
    for (const state of states.slice(0, steps)) await site.store.changeTransfer(id, { state }, 0);
    if (id === "stuck") await site.store.changeTransfer(id, { state: "stuck", code: "SCAN_RESULT_NOT_FOUND" }, 0);
  }
  await using store = await openSqliteStore({ path: join(site.folder, "radferry.db") });
  const metrics = createMetrics();
  const staging = { path: site.folder, reserveBytes: 0 };
  const clock = createManualClock();
  const parts = { operations: idle, store, clock, disk: systemDisk, staging, version: "0", followers: () => 0 };
  await createStateGauges(metrics, parts)();
  const { text } = await metrics.text();
  expect(text).toMatch(/^radferry_scan_files_waiting 1$/m);
  expect(text).toMatch(/^radferry_scan_files_stuck 1$/m);
});

it.each([
  ["rests after failures", "CONNECTION_FAILED", false],
  ["asked to be left alone for a while", "ARCHIVE_ASKED_TO_WAIT", true],
])("is ready or not while its only archive %s", async (_, code, isReady) => {
  const operations = {
    ...idle,
    async *listArchives() {
      yield { name: "vna", state: "resting", code };
    },
  } as unknown as Operations;
  const disk = { ...systemDisk, freeBytes: async () => 1 };
  const health = createHealth({ operations, disk, staging: { path: "/nonexistent", reserveBytes: 0 } });
  expect(await health()).toMatchObject({ isReady });
});
