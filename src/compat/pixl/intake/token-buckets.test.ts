import { expect, it } from "vitest";
import { neverAborted } from "../../../units/abort.ts";
import { createManualClock } from "../../../units/manual-clock.testing.ts";
import { createTokenBuckets } from "./token-buckets.ts";

const PRIMARY = "imaging-primary";

/** Takes tokens one after another, and tells how many it has. */
function takeOnAndOn(rate: number) {
  const clock = createManualClock();
  const buckets = createTokenBuckets(clock, rate);
  let taken = 0;
  const ending = new AbortController();
  const taking = (async () => {
    for (;;) {
      await buckets.take(PRIMARY, ending.signal);
      taken += 1;
    }
  })();
  return {
    clock,
    buckets,
    taken: () => taken,
    async end() {
      ending.abort("enough");
      await expect(taking).rejects.toBe("enough");
    },
  };
}

it("gives five at once, then at its rate", async () => {
  const taker = takeOnAndOn(0.5);
  await taker.clock.advance(0);
  expect(taker.taken()).toBe(5);
  await taker.clock.advance(1_999);
  expect(taker.taken()).toBe(5);
  await taker.clock.advance(1);
  expect(taker.taken()).toBe(6);
  await taker.end();
});

it("gives none at rate 0, and begins at once when the rate is raised", async () => {
  const taker = takeOnAndOn(0);
  await taker.clock.advance(600_000);
  expect(taker.taken()).toBe(0);
  taker.buckets.setRate(1);
  await taker.clock.advance(2_000);
  expect(taker.taken()).toBe(7);
  await taker.end();
});

it("keeps a bucket for each queue, with one rate", async () => {
  const taker = takeOnAndOn(1);
  await taker.clock.advance(0);
  await taker.buckets.take("imaging-secondary", neverAborted());
  expect(taker.taken()).toBe(5);
  await taker.end();
});

it("fills up no further than five during a rest", async () => {
  const clock = createManualClock();
  const buckets = createTokenBuckets(clock, 1);
  await buckets.take(PRIMARY, neverAborted());
  await clock.advance(60_000);
  for (let token = 0; token < 5; token += 1) await buckets.take(PRIMARY, neverAborted());
  const ending = new AbortController();
  const sixth = buckets.take(PRIMARY, ending.signal);
  ending.abort("late");
  await expect(sixth).rejects.toBe("late");
});

it("takes nothing away when the clock is set back", async () => {
  const manual = createManualClock(10_000_000);
  let setByMs = 0;
  const buckets = createTokenBuckets({ ...manual, nowMs: () => manual.nowMs() + setByMs }, 1);
  for (let token = 0; token < 5; token += 1) await buckets.take(PRIMARY, neverAborted());
  setByMs = -3_600_000;
  const sixth = buckets.take(PRIMARY, neverAborted());
  await manual.advance(1_000);
  await expect(sixth).resolves.toBeUndefined();
});

it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])("refuses the rate %s", (rate) => {
  expect(() => createTokenBuckets(createManualClock()).setRate(rate)).toThrow(RangeError);
});
