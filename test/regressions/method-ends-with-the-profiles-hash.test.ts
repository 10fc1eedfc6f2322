import { expect, it } from "vitest";
import { markTexts } from "../../src/deid/engine/marks.ts";
import { profileWith } from "../../src/deid/testing/deidentify.ts";

const DEIDENTIFICATION_METHOD = 0x00120063;

it("cuts a long name, never the hash, where the method would be longer than LO holds", () => {
  const profile = profileWith([], { name: "a-profile-with-a-name-of-forty-letters-x" });
  const method = markTexts(profile).get(DEIDENTIFICATION_METHOD) ?? "";
  expect(method.length).toBeLessThanOrEqual(64);
  expect(method.endsWith(` ${profile.hash.slice(0, 12)}`)).toBe(true);
});
