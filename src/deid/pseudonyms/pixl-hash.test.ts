import { expect, it } from "vitest";
import { pixlHash } from "./pixl-hash.ts";

const SECRETS = { hashKey: "test-key", projectSalt: "a161577b49a9235a", localSalt: "pixl_salt" };

it.each([
  [64, "cc8ab6f3e63235b45f3d00cbc4873efac59bf15cec4bdffd461882d57dfc010f"],
  [16, "b721eef65328a79c"],
])("gives what PIXL's own hasher gives with %d characters", (length, expected) => {
  expect(pixlHash(SECRETS, "test", length)).toBe(expected);
});

it("gives one character less for an odd length, as PIXL does", () => {
  expect(pixlHash(SECRETS, "test", 63)).toMatch(/^[0-9a-f]{62}$/);
});

it.each([1, 65, 16.5, Number.NaN])("refuses a length of %d", (length) => {
  expect(() => pixlHash(SECRETS, "test", length)).toThrow(RangeError);
});

it("differs with every secret", () => {
  const hashes = [
    SECRETS,
    { ...SECRETS, hashKey: "k" },
    { ...SECRETS, projectSalt: "s" },
    { ...SECRETS, localSalt: "" },
  ];
  expect(new Set(hashes.map((secrets) => pixlHash(secrets, "test", 64))).size).toBe(4);
});
