import { expect, it } from "vitest";
import { together } from "./together.ts";

it("asks once for what comes while it waits, and gives each his own answer", async () => {
  const asked: (readonly number[])[] = [];
  const first = Promise.withResolvers<void>();
  const double = together<number, number>(async (numbers) => {
    asked.push(numbers);
    if (asked.length === 1) await first.promise;
    return numbers.map((number) => number * 2);
  }, 3);
  const answers = [double(1), double(2)];
  await Promise.resolve().then(() => undefined);
  answers.push(double(3), double(4), double(5), double(6));
  first.resolve();
  expect(await Promise.all(answers)).toEqual([2, 4, 6, 8, 10, 12]);
  expect(asked).toEqual([[1, 2], [3, 4, 5], [6]]);
  expect(await double(7)).toBe(14);
});

it("lets one that cannot be answered spoil none of the others", async () => {
  const ask = together<number, number>(async (numbers) => {
    if (numbers.includes(2)) throw new Error("two");
    return numbers;
  }, 10);
  const settled = await Promise.allSettled([ask(1), ask(2), ask(3)]);
  expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
});

it("asks no further before it is ready, for what has come by then", async () => {
  const asked: (readonly number[])[] = [];
  const ready = Promise.withResolvers<void>();
  const ask = together<number, number>(
    async (numbers) => {
      asked.push(numbers);
      return numbers;
    },
    10,
    () => (asked.length === 0 ? undefined : ready.promise),
  );
  await ask(1);
  const later = [ask(2)];
  await new Promise(setImmediate);
  later.push(ask(3));
  expect(asked).toEqual([[1]]);
  ready.resolve();
  expect(await Promise.all(later)).toEqual([2, 3]);
  expect(asked).toEqual([[1], [2, 3]]);
});
