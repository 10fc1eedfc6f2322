import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { plainEmail, queryDigest } from "./hygiene.ts";

it("names a query by its words, whatever their letter case and the blanks between them", () => {
  const digest = createHash("sha256").update("select a from b").digest("hex").slice(0, 12);
  expect(queryDigest("  SELECT a\n\tFROM  b ")).toBe(`sha256:${digest}`);
});

it.each([
  ["Jo@NHS.net", "Jo@nhs.net"],
  ["", ""],
  ["Guest", "Guest"],
])("keeps %j as %j", (address, kept) => {
  expect(plainEmail(address)).toBe(kept);
});
