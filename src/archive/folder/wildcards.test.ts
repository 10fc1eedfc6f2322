import fc from "fast-check";
import { expect, it } from "vitest";
import { matchesWildcards } from "./wildcards.ts";

it.each([
  ["CT HEAD", "CT HEAD", true],
  ["CT HEAD", "CT HEAD 2", false],
  ["CT*", "CT HEAD", true],
  ["*HEAD", "CT HEAD", true],
  ["*E?D*", "CT HEAD", true],
  ["CT?HEAD", "CT HEAD", true],
  ["CT?", "CT", false],
  ["**", "", true],
  ["", "CT", false],
  ["a.c", "abc", false],
  ["a*b*c", "a*b\nb*c", true],
  ["*ab", "aab", true],
])("takes %j for %j: %j", (pattern, text, isMatch) => {
  expect(matchesWildcards(pattern, text)).toBe(isMatch);
});

it("answers as a regular expression does", () => {
  const letters = fc.array(fc.constantFrom("a", "b", "*", "?"), { maxLength: 8 }).map((all) => all.join(""));
  const text = fc.array(fc.constantFrom("a", "b"), { maxLength: 10 }).map((all) => all.join(""));
  fc.assert(
    fc.property(letters, text, (pattern, value) => {
      const expression = new RegExp(`^${pattern.replaceAll(/\*+/g, ".*").replaceAll("?", ".")}$`, "s");
      expect(matchesWildcards(pattern, value)).toBe(expression.test(value));
    }),
  );
});

// A regular expression is at these for hours, and the whole gateway with it.
it("is at once done with many stars and a long text that nearly fits", () => {
  expect(matchesWildcards(`${"*a".repeat(30)}b`, "a".repeat(1_000))).toBe(false);
});
