import { expect, it } from "vitest";
import { isSameIdentifier } from "./same-identifier.ts";

it.each([
  ["0004711", "4711"],
  ["ab12", " AB12 "],
  ["000", "0"],
])("takes %j and %j for one number", (one, other) => {
  expect(isSameIdentifier(one, other)).toBe(true);
});

it.each([
  ["4711", "47110"],
  ["A0001", "A1"],
  ["0", ""],
])("keeps %j and %j apart", (one, other) => {
  expect(isSameIdentifier(one, other)).toBe(false);
});
