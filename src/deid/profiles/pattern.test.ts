import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { patternOf } from "./pattern.ts";

it.each([
  ["/^[A-Za-z0-9_ -]{1,32}$/", "T1 MPRAGE sag", true],
  ["/^[A-Za-z0-9_ -]{1,32}$/", "Jones^Mary", false],
  ["/[A-Z]{2,3}/", "ABC", true],
  ["/[A-Z]{2,3}/", "ABCD", false],
  ["/GTV|CTV|PTV/", "CTV", true],
  ["/GTV|CTV|PTV/", "CTVx", false],
  ["/ptv(?:_[0-9]{1,2})?/i", "PTV_12", true],
  ["/\\d+(?:\\.\\d{1,2})?/", "12.75", true],
  ["/[^\\^]*/", "a^b", false],
])("%s as the form of a whole value: %s", (pattern, text, matches) => {
  expect(patternOf(pattern, "whole").test(text)).toBe(matches);
});

it.each([
  ["/^siemens/i", "SIEMENS HEALTHINEERS", true],
  ["/^siemens/i", "by Siemens", false],
  ["/philips/i", "Philips Medical Systems", true],
  ["/systems$/i", "Philips Medical Systems", true],
])("%s searched for in %s", (pattern, text, matches) => {
  expect(patternOf(pattern, "anywhere").test(text)).toBe(matches);
});

describe("refuses what cannot be matched in linear time, or is not understood", () => {
  it.each([
    ["/(a+)+$/", "repetition"],
    ["/(?:a{1,9})*/", "repetition"],
    ["/(?:(?:a*)b){2,5}/", "repetition"],
    ["/a**/", "repetition"],
    ["/(a)\\1/", "escape"],
    ["/(?=a)b/", "look-around"],
    ["/(?<!a)b/", "look-around"],
    ["/(?<name>a)/", "named group"],
    ["/\\bword\\b/", "escape"],
    ["/a{2000}/", "count"],
    ["/a{10005}/", "count"],
    ["/(?:a{900}){900}/", "repetition"],
    ["/(a/", "parenthesis"],
    ["/a)/", "parenthesis"],
    ["/[a/", "bracket"],
    ["/[z-a]/", "range"],
    ["/a/g", "flag"],
    ["a", "slashes"],
  ])("%s", (pattern, why) => {
    expect(() => patternOf(pattern, "whole")).toThrow(why);
  });
});

it("is made at once of repetitions of nothing", () => {
  const pattern = patternOf("/((((a?|){1000}){0}){1000}(((){1000}){1000}){1000}){1000}/", "whole");
  expect([pattern.test(""), pattern.test("a")]).toEqual([true, false]);
});

it("does not look at text beyond 10 KB", () => {
  const pattern = patternOf("/a*/", "whole");
  expect(pattern.test("a".repeat(10 * 1024))).toBe(true);
  expect(pattern.test("a".repeat(10 * 1024 + 1))).toBe(false);
});

it("agrees with the engine's own regular expressions", () => {
  const sources = ["a*b?c{1,2}", "(?:ab|a)(?:c|bcd)d*", "[a-c]+", "^a|b$", "(?:a|b)*d", "[^ab]+$", "a{2,}b"];
  fc.assert(
    fc.property(
      fc.constantFrom(...sources),
      fc.string({ unit: fc.constantFrom(..."abcd"), maxLength: 8 }),
      (source, text) => {
        expect(patternOf(`/${source}/`, "anywhere").test(text)).toBe(new RegExp(source).test(text));
        expect(patternOf(`/${source}/`, "whole").test(text)).toBe(new RegExp(`^(?:${source})$`).test(text));
      },
    ),
  );
});
