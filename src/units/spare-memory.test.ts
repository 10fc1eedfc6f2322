import { expect, it } from "vitest";
import { createSpareMemory } from "./spare-memory.ts";

it("gives the same memory out again, and to one at a time", () => {
  const spare = createSpareMemory(16, 2);
  const [one, other] = [spare.take(), spare.take()];
  expect(one.buffer).not.toBe(other.buffer);
  spare.giveBack(one);
  expect(spare.take()).toBe(one);
  expect([one.length, spare.take().length]).toEqual([16, 16]);
});

it("keeps no more than it was told to, and nothing of another size", () => {
  const spare = createSpareMemory(16, 1);
  const [first, second] = [spare.take(), spare.take()];
  spare.giveBack(first.subarray(0, 8));
  spare.giveBack(first);
  spare.giveBack(second);
  expect([spare.take(), spare.take()]).toEqual([
    expect.toSatisfy((given) => given === first),
    expect.toSatisfy((given) => given !== second),
  ]);
});
