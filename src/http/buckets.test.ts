import { expect, it } from "vitest";
import { createBuckets } from "./buckets.ts";

function bucketsAt(start: number) {
  let nowMs = start;
  const buckets = createBuckets({ nowMs: () => nowMs }, { perSecond: 2, burst: 3 });
  return { buckets, pass: (ms: number) => (nowMs += ms) };
}

it("gives so many at once, then one as often as they come back", () => {
  const { buckets, pass } = bucketsAt(1_000);
  expect([1, 2, 3].map(() => buckets.take("a"))).toEqual([0, 0, 0]);
  expect(buckets.take("a")).toBe(500);
  pass(250);
  expect(buckets.take("a")).toBe(250);
  pass(300);
  expect(buckets.take("a")).toBe(0);
});

it("keeps names apart, and knows which were not used lately", () => {
  const { buckets, pass } = bucketsAt(0);
  for (let turn = 0; turn < 4; turn += 1) buckets.take("a");
  expect(buckets.take("b")).toBe(0);
  expect([buckets.isFull("a"), buckets.isFull("c")]).toEqual([false, true]);
  pass(10_000);
  expect(buckets.isFull("a")).toBe(true);
});

it("forgets those that were used longest ago, however many come", () => {
  const { buckets } = bucketsAt(0);
  for (let turn = 0; turn < 3; turn += 1) buckets.take("first");
  for (let name = 0; name < 10_001; name += 1) buckets.take(`other ${name}`);
  expect(buckets.take("first")).toBe(0);
});

it("is not confused by a clock that was put back", () => {
  const { buckets, pass } = bucketsAt(10_000);
  for (let turn = 0; turn < 3; turn += 1) buckets.take("a");
  pass(-5_000);
  expect(buckets.take("a")).toBe(500);
});
