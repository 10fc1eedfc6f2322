import { expect } from "vitest";
import type { ErrorCode } from "../../errors/registry.ts";
import type { Store } from "../store.ts";
import { type ContractCases, claimed, submit } from "./support.testing.ts";

const DOWN = "ASSOCIATION_REJECTED";
const breaker = { failures: 2, firstRestMs: 1_000, longestRestMs: 4_000, probeMs: 500 };

/** A job that waits with the code until long after; answers when it is due next. */
async function waiting(store: Store, code: ErrorCode): Promise<void> {
  await submit(store, [{ studyInstanceUid: "1.1" }]);
  const { lease } = await claimed(store);
  await store.settle(lease, { state: "waiting", code, dueAtMs: 90_000, attempts: 0 }, 1);
}

export const archives: ContractCases = {
  "knows nothing against an archive that was never asked": async (store) => {
    expect(await store.archiveCondition("vna")).toEqual({
      archive: "vna",
      paused: false,
      overrides: {},
      breaker: { state: "closed", failures: 0 },
      nextStudyAtMs: 0,
      sparedUntilMs: 0,
    });
  },

  "keeps what operators set, one thing beside the other, and each archive by itself": async (store) => {
    await store.setArchiveControls("vna", { paused: true }, 1);
    await store.setArchiveControls("vna", { overrides: { studiesPerMinute: 30 } }, 2);
    await store.setArchiveControls("vna", { overrides: { windows: ["Sat-Sun 00:00-24:00"], bytesPerSecond: null } }, 3);
    expect(await store.archiveCondition("vna")).toMatchObject({
      paused: true,
      overrides: { studiesPerMinute: 30, windows: ["Sat-Sun 00:00-24:00"], bytesPerSecond: null },
    });
    expect(await store.archiveCondition("pacs")).toMatchObject({ paused: false, overrides: {} });
    expect((await store.setArchiveControls("vna", { paused: false }, 4)).paused).toBe(false);
  },

  "wakes the jobs that wait for what an operator changed, and no others": async (store) => {
    await waiting(store, "ARCHIVE_PAUSED");
    await store.setArchiveControls("vna", { paused: false }, 5);
    expect(await store.nextDueAtMs()).toBe(5);
    const { lease } = await claimed(store, 5);
    await store.settle(lease, { state: "waiting", code: "INSTANCES_MISSING", dueAtMs: 90_000, attempts: 1 }, 6);
    await store.setArchiveControls("vna", { paused: false }, 7);
    expect(await store.nextDueAtMs()).toBe(90_000);
  },

  "wakes who waits for other settings, and nobody else": async (store) => {
    await waiting(store, "PROJECT_UNKNOWN");
    expect(await store.wakeHeldBack(5)).toBe(1);
    const { lease } = await claimed(store, 5);
    await store.settle(lease, { state: "waiting", code: "INSTANCES_MISSING", dueAtMs: 90_000, attempts: 1 }, 6);
    expect(await store.wakeHeldBack(7)).toBe(0);
  },

  "opens the breaker for all, lets one probe through, and wakes who waited when it is answered": async (store) => {
    await waiting(store, "ARCHIVE_RESTING");
    await store.judgeArchive("vna", DOWN, breaker, 10);
    expect(await store.admitToArchive("vna", breaker, 11)).toEqual({ kind: "admitted" });
    await store.judgeArchive("vna", DOWN, breaker, 12);
    expect(await store.admitToArchive("vna", breaker, 13)).toEqual({ kind: "resting", code: DOWN, untilMs: 1_012 });
    expect(await store.admitToArchive("vna", breaker, 1_012)).toEqual({ kind: "probe" });
    expect(await store.admitToArchive("vna", breaker, 1_013)).toMatchObject({ kind: "resting", untilMs: 1_512 });
    expect(await store.nextDueAtMs()).toBe(90_000);
    await store.judgeArchive("vna", undefined, breaker, 1_100);
    expect(await store.admitToArchive("vna", breaker, 1_101)).toEqual({ kind: "admitted" });
    expect(await store.nextDueAtMs()).toBe(1_100);
  },

  "has nobody wait for a rest or a pause that ended before he was put back for later": async (store) => {
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const settleLate = async (code: ErrorCode, nowMs: number): Promise<number | undefined> => {
      const { lease } = await claimed(store, nowMs);
      const wait = { state: "waiting", code, dueAtMs: 90_000, attempts: 0, heldBackBy: "vna" } as const;
      await store.settle(lease, wait, nowMs);
      return await store.nextDueAtMs();
    };
    await store.judgeArchive("vna", DOWN, breaker, 10);
    await store.judgeArchive("vna", DOWN, breaker, 12);
    expect(await settleLate("ARCHIVE_RESTING", 20)).toBe(90_000);
    await submit(store, [{ studyInstanceUid: "1.2" }]);
    await store.admitToArchive("vna", breaker, 1_012);
    expect(await settleLate("ARCHIVE_RESTING", 1_013), "a probe is under way").toBe(90_000);
    await store.judgeArchive("vna", undefined, breaker, 30);
    expect(await settleLate("ARCHIVE_RESTING", 31)).toBe(31);
    await store.setArchiveControls("vna", { paused: true }, 40);
    expect(await settleLate("ARCHIVE_PAUSED", 41)).toBe(90_000);
    await store.setArchiveControls("vna", { paused: false }, 50);
    expect(await settleLate("ARCHIVE_PAUSED", 51)).toBe(51);
    // Of other reasons nothing is known here.
    expect(await settleLate("ARCHIVE_CLOSED", 60)).toBe(90_000);
  },

  "waits for no probe that died with its process": async (store) => {
    await waiting(store, "ARCHIVE_RESTING");
    await store.judgeArchive("vna", DOWN, breaker, 10);
    await store.judgeArchive("vna", DOWN, breaker, 12);
    expect(await store.admitToArchive("vna", breaker, 1_012)).toEqual({ kind: "probe" });
    await store.releaseLeases(1_020);
    expect(await store.nextDueAtMs()).toBe(1_020);
    expect(await store.admitToArchive("vna", breaker, 1_020)).toEqual({ kind: "probe" });
    expect(await store.admitToArchive("vna", breaker, 1_021)).toMatchObject({ kind: "resting" });
  },

  "gives studies their turns, however many ask at once": async (store) => {
    const rate = { intervalMs: 2_000.5, maximumWaitMs: 3_000 };
    const slots = await Promise.all([1, 2, 3].map(() => store.takeStudySlot("vna", rate, 10_000)));
    expect(slots.sort((one, other) => one.atMs - other.atMs)).toEqual([
      { kind: "granted", atMs: 10_000 },
      { kind: "granted", atMs: 12_000.5 },
      { kind: "later", atMs: 14_001 },
    ]);
    await store.setArchiveControls("vna", { overrides: { studiesPerMinute: 600 } }, 10_001);
    expect(await store.takeStudySlot("vna", rate, 10_001)).toEqual({ kind: "granted", atMs: 10_001 });
  },

  "spares an archive until the latest time that it asked for, whatever else becomes of it, or until it is well again":
    async (store) => {
      const sparedUntilMs = async () => (await store.archiveCondition("vna")).sparedUntilMs;
      await Promise.all([3_000, 9_000, 5_000].map((untilMs) => store.spareArchive("vna", untilMs)));
      await store.setArchiveControls("vna", { paused: true }, 1);
      await store.judgeArchive("vna", DOWN, breaker, 2);
      expect(await sparedUntilMs()).toBe(9_000);
      expect((await store.archiveCondition("pacs")).sparedUntilMs).toBe(0);
      await store.spareArchive("vna", undefined);
      expect(await sparedUntilMs()).toBe(0);
      expect((await store.archiveCondition("vna")).paused).toBe(true);
    },
};
