import { expect, test } from "vitest";
import { createManualClock } from "../../units/manual-clock.testing.ts";
import { createPace } from "./pace.ts";

test("without a rate nobody is held back", () => {
  expect(createPace(createManualClock()).take(1e9)).toBeUndefined();
});

test("bytes take their time, whatever pieces they come in", async () => {
  const clock = createManualClock(10_000);
  const pace = createPace(clock);
  pace.set(1_000);
  let done = false;
  const taking = (async () => {
    for (let piece = 0; piece < 50; piece += 1) await pace.take(100);
    done = true;
  })();
  await clock.advance(4_899);
  expect(done).toBe(false);
  await clock.advance(1);
  await taking;
  expect(clock.nowMs()).toBe(14_900);
});

test("a rest is not saved up beyond a moment", () => {
  const clock = createManualClock(10_000);
  const pace = createPace(clock);
  pace.set(1_000);
  expect(pace.take(100)).toBeUndefined();
  expect(pace.take(1)).toBeDefined();
});

test("nobody waits for an hour because the clock is set back by one", () => {
  let nowMs = 4_000_000;
  const slept: number[] = [];
  const pace = createPace({ nowMs: () => nowMs, sleep: async (durationMs) => void slept.push(durationMs) });
  pace.set(1_000);
  pace.take(100);
  nowMs -= 3_600_000;
  pace.take(500);
  expect(slept).toEqual([500]);
});

test("the rate can be lifted while bytes come", () => {
  const pace = createPace(createManualClock());
  pace.set(1);
  expect(pace.take(1_000)).toBeDefined();
  pace.set(undefined);
  expect(pace.take(1_000)).toBeUndefined();
});
