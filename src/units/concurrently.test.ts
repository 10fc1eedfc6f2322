import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { concurrently } from "./concurrently.ts";

it("does everything, and never more than the limit at once", async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  await concurrently([1, 2, 3, 4, 5, 6, 7], 3, async (one) => {
    running += 1;
    most = Math.max(most, running);
    await turn();
    running -= 1;
    done.push(one);
  });
  expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(most).toBe(3);
});

it("begins nothing further after a failure, and throws it when all that ran has ended", async () => {
  const begun: number[] = [];
  let ended = 0;
  const work = async (one: number): Promise<void> => {
    begun.push(one);
    await turn();
    ended += 1;
    if (one === 1) throw new Error("first");
  };
  await expect(concurrently([1, 2, 3, 4], 2, work)).rejects.toThrow("first");
  expect(begun.length).toBeLessThan(4);
  expect(ended).toBe(begun.length);
});
