import { describe, expect, test } from "vitest";
import { admit, type Breaker, judge, takeSlot } from "./archive-condition.ts";

const policy = { failures: 3, firstRestMs: 1_000, longestRestMs: 5_000, probeMs: 600 };
const DOWN = "ASSOCIATION_REJECTED";

/** The breaker after failures at the given times. */
function after(timesMs: readonly number[], breaker: Breaker = { state: "closed", failures: 0 }): Breaker {
  return timesMs.reduce((before, nowMs) => judge(before, DOWN, policy, nowMs), breaker);
}

describe("the breaker", () => {
  test("stays closed until the failures in a row are too many, and forgets them at an answer", () => {
    expect(after([1, 2])).toEqual({ state: "closed", failures: 2 });
    expect(judge(after([1, 2]), undefined, policy, 3)).toEqual({ state: "closed", failures: 0 });
    expect(after([1, 2, 3])).toEqual({ state: "open", code: DOWN, openings: 1, untilMs: 1_003 });
  });

  test("lets nobody through while it is open, then one probe, and nobody beside the probe", () => {
    const open = after([0, 0, 0]);
    expect(admit(open, policy, 999)).toEqual([open, { kind: "resting", code: DOWN, untilMs: 1_000 }]);
    const [halfOpen, first] = admit(open, policy, 1_000);
    expect(first).toEqual({ kind: "probe" });
    expect(admit(halfOpen, policy, 1_001)[1]).toEqual({ kind: "resting", code: DOWN, untilMs: 1_600 });
  });

  test("closes when the probe is answered, rests twice as long when it fails, never longer than the limit", () => {
    const [probing] = admit(after([0, 0, 0]), policy, 1_000);
    expect(judge(probing, undefined, policy, 1_100)).toEqual({ state: "closed", failures: 0 });
    expect(judge(probing, DOWN, policy, 1_100)).toMatchObject({ state: "open", openings: 2, untilMs: 3_100 });
    const manyTimes: Breaker = { state: "half-open", code: DOWN, openings: 9, untilMs: 0 };
    expect(judge(manyTimes, DOWN, policy, 0)).toMatchObject({ openings: 10, untilMs: 5_000 });
  });

  test("lets another probe through when the first one died", () => {
    const [probing] = admit(after([0, 0, 0]), policy, 1_000);
    expect(admit(probing, policy, 1_600)[1]).toEqual({ kind: "probe" });
  });

  test("lets a probe through when the clock was set back behind all rests", () => {
    const open = after([3_600_000, 3_600_000, 3_600_000]);
    expect(admit(open, policy, 3_600_000)[1]).toMatchObject({ kind: "resting" });
    expect(admit(open, policy, 10_000)[1]).toEqual({ kind: "probe" });
  });

  test("is not opened anew by failures from before it opened", () => {
    const open = after([0, 0, 0]);
    expect(judge(open, DOWN, policy, 900)).toBe(open);
  });
});

describe("slots for studies", () => {
  const rate = { intervalMs: 2_000, maximumWaitMs: 3_000 };

  test("are spaced by the interval, whoever asks when", () => {
    const granted: number[] = [];
    let next = 0;
    for (const nowMs of [10_000, 10_001, 10_002, 15_000]) {
      const [following, slot] = takeSlot(next, rate, nowMs);
      next = following;
      if (slot.kind === "granted") granted.push(slot.atMs);
    }
    expect(granted).toEqual([10_000, 12_000, 15_000]);
  });

  test("one too far away is not taken", () => {
    expect(takeSlot(14_000, rate, 10_000)).toEqual([14_000, { kind: "later", atMs: 14_000 }]);
  });

  test("are an interval away, and no hour, when the clock is set back by an hour", () => {
    const slow = { intervalMs: 5_000, maximumWaitMs: 3_000 };
    const [next, slot] = takeSlot(3_600_000, slow, 10_000);
    expect([next, slot]).toEqual([15_000, { kind: "later", atMs: 15_000 }]);
    expect(takeSlot(next, slow, 15_000)[1]).toEqual({ kind: "granted", atMs: 15_000 });
  });
});
