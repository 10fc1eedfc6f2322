import { expect, it } from "vitest";
import { indexLines, partOf } from "./line-index.ts";

const LINES = "1 one\n2 two of them\n10 ten\n2 two, as said later\n3 one";

it("finds lines by their value: of several the last", () => {
  const index = indexLines(LINES, "value");
  const meaningOf = (value: string) => partOf(LINES, index.find(value), "meaning");
  expect(["1", "2", "10", "3"].map(meaningOf)).toEqual(["one", "two, as said later", "ten", "one"]);
  for (const unknown of ["", "0", "11", "one", "2 two of them"]) expect(index.find(unknown)).toBe(-1);
});

it("finds lines by their meaning, whole", () => {
  const index = indexLines(LINES, "meaning");
  expect(partOf(LINES, index.find("two of them"), "value")).toBe("2");
  expect(partOf(LINES, index.find("one"), "value")).toBe("3");
  for (const unknown of ["two", "of them", "ten ", ""]) expect(index.find(unknown)).toBe(-1);
});

it("passes over lines that are not meant", () => {
  const index = indexLines(LINES, "meaning", (start) => partOf(LINES, start, "value") !== "3");
  expect(partOf(LINES, index.find("one"), "value")).toBe("1");
});

it("finds each of many lines", () => {
  const lines = Array.from({ length: 5_000 }, (_, number) => `${number} meaning ${number * 7}`);
  const text = lines.join("\n");
  const index = indexLines(text, "value");
  const found = lines.map((_, number) => partOf(text, index.find(String(number)), "meaning"));
  expect(found).toEqual(lines.map((_, number) => `meaning ${number * 7}`));
});
