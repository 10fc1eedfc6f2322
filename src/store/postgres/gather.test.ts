import { expect, it } from "vitest";
import { gather } from "./gather.ts";

it("asks together what came while an answer was under way, in order, and no more at once than it may", async () => {
  const questions: (readonly number[])[] = [];
  const ask = gather<number, number>(3, async (items) => {
    questions.push(items);
    return items.map((item) => item * 10);
  });
  expect(await Promise.all([1, 2, 3, 4, 5].map(ask))).toEqual([10, 20, 30, 40, 50]);
  expect(questions).toEqual([
    [1, 2, 3],
    [4, 5],
  ]);
});

it("asks again what was not answered, before what came later", async () => {
  const questions: (readonly number[])[] = [];
  const ask = gather<number, number>(9, async (items) => {
    questions.push(items);
    return items.slice(0, 2);
  });
  expect(await Promise.all([1, 2, 3].map(ask))).toEqual([1, 2, 3]);
  expect(questions).toEqual([[1, 2, 3], [3]]);
});

it("tells each of a question what it failed with, and goes on", async () => {
  let questions = 0;
  const ask = gather<number, number>(2, async (items) => {
    questions += 1;
    if (questions === 1) throw new Error("lost");
    return items;
  });
  const told = await Promise.allSettled([1, 2, 3].map(ask));
  expect(told.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled"]);
  expect(await ask(4)).toBe(4);
});
