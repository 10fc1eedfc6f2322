import { expect, it } from "vitest";
import { asciiDigits, plainLetters } from "./plain-letters.ts";

const EVERY_DIGIT = Array.from({ length: 0x110000 }, (_, codePoint) => codePoint)
  .filter((codePoint) => codePoint < 0xd800 || codePoint > 0xdfff)
  .map((codePoint) => String.fromCodePoint(codePoint))
  .filter((character) => /\p{Nd}/u.test(character));

it.each([
  ["Arabic-Indic", "٠١٢٣٤٥٦٧٨٩"],
  ["Extended Arabic-Indic", "۰۱۲۳۴۵۶۷۸۹"],
  ["Devanagari", "०१२३४५६७८९"],
  ["Thai", "๐๑๒๓๔๕๖๗๘๙"],
  ["full-width", "０１２３４５６７８９"],
  ["of ASCII", "0123456789"],
])("writes %s digits as digits", (_, digits) => expect(asciiDigits(digits)).toBe("0123456789"));

it("writes the digits of every script by tens", () => {
  expect(EVERY_DIGIT.length).toBeGreaterThan(600);
  const written = asciiDigits(EVERY_DIGIT.join(""));
  expect(written).toBe("0123456789".repeat(EVERY_DIGIT.length / 10));
});

it("writes letters that look Latin as Latin ones, and no others", () => {
  expect(plainLetters("натсоѕκ")).toBe("hatcosk");
  expect(plainLetters("жщδ李")).toBe("жщδ李");
});
