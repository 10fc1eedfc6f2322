import { expect, it } from "vitest";
import { areCounted, counted } from "./counted.ts";

it.each([
  [1, "question", "1 question"],
  [0, "question", "0 questions"],
  [2, "study", "2 studies"],
  [1, "study", "1 study"],
  [3, "series", "3 series"],
  [2, "audit record", "2 audit records"],
])("%i %s is told as %s", (count, words, told) => {
  expect(counted(count, words)).toBe(told);
});

it("agrees with its verb", () => {
  expect([areCounted(1, "study"), areCounted(0, "study")]).toEqual(["1 study is", "0 studies are"]);
});
