import { expect, it } from "vitest";
import { progressText } from "./progress-text.ts";

it.each([
  ["row", "3 of 12 rows"],
  ["study", "3 of 12 studies"],
  ["query", "3 of 12 queries"],
] as const)("tells how many of what are done: %s", (unit, text) => {
  expect(progressText({ done: 3, total: 12 }, unit)).toBe(text);
});

it("has a word for one", () => {
  expect(progressText({ done: 0, total: 1 }, "query")).toBe("0 of 1 query");
});
