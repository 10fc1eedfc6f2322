import { expect, it } from "vitest";
import { remembering } from "./memo.ts";

it("answers again without asking, and forgets the oldest answer beyond its limit", () => {
  const asked: number[] = [];
  const square = remembering(2, (number: number) => {
    asked.push(number);
    return number * number;
  });
  expect([1, 2, 1, 2].map(square)).toEqual([1, 4, 1, 4]);
  expect(asked).toEqual([1, 2]);
  expect([3, 2, 1].map(square)).toEqual([9, 4, 1]);
  expect(asked).toEqual([1, 2, 3, 1]);
});
