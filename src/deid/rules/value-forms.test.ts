import { describe, expect, it } from "vitest";
import { decimalString, isIntegerString, isTechnicalText, splitValues } from "./value-forms.ts";

const WORDS = { kind: "words" } as const;

describe("technical words", () => {
  it.each(["SIEMENS Healthineers", "SOMATOM Definition AS+", "DIMENSION 3", "coil 128", "HD750", "head/neck"])(
    "%s stays",
    (value) => {
      expect(isTechnicalText(value, WORDS)).toBe(true);
    },
  );

  it.each([
    ["a name beside them", "SIEMENS Brandybuck"],
    ["a number of four digits beside them", "SIEMENS 4711"],
    ["a number of four digits behind one", "coil4711"],
    ["nothing but what separates words", " - / "],
    ["more than 64 characters, each word of them known", `${"head ".repeat(13)}head`],
  ])("%s: does not", (_what, value) => {
    expect(isTechnicalText(value, WORDS)).toBe(false);
  });
});

it("a decimal string keeps its sign, its exponent, and as many digits as its VR has room for", () => {
  const written = ["-158.135803", "+.5", "7.", "1e-3", "1.25E+004", "-1.6742341234567e-012"];
  expect(written.map(decimalString)).toEqual([...written.slice(0, 5), "-1.674234123e-12"]);
  expect(["0.333333333333333333", "-123456.7890123456789"].map(decimalString)).toEqual([
    "0.33333333333333",
    "-123456.78901235",
  ]);
  expect(["1,5", "1e", "e5", "0x10", "NaN", "1 2", ".", ""].map(decimalString)).toEqual(Array(8).fill(undefined));
});

it("an integer string is whole and within 32 bits", () => {
  expect(["17", "-2147483648", "+5"].map(isIntegerString)).toEqual([true, true, true]);
  expect(["17.0", "2147483649", "1e3", "4477009001234"].map(isIntegerString)).toEqual([false, false, false, false]);
});

it("values are cut at their first NUL, and what is left has no padding", () => {
  expect(splitValues(Buffer.from(" HFS \0Brandybuck\\FFS\0 "))).toEqual(["HFS", "FFS"]);
});
