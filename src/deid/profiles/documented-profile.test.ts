import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { errorRegistry } from "../../errors/registry.ts";
import { EXCLUSION_REASONS } from "../outcome.ts";
import { checkProfileText } from "./load-profile.ts";
import { profileSchema } from "./profile-document.ts";

const page = readFileSync(new URL("../../../docs/profiles.md", import.meta.url), "utf8");

it("the profile in the documentation can be used", () => {
  const [, written = ""] = /```yaml\n(.*?)```/s.exec(page) ?? [];
  expect(written).toContain("profile: neuro-mr");
  expect(checkProfileText(written).problems).toEqual([]);
});

/** Every key that the schema knows, at any depth. */
function keysIn(schema: unknown): readonly string[] {
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([name, value]) =>
    name === "properties" ? [...Object.keys(value), ...Object.values(value).flatMap(keysIn)] : keysIn(value),
  );
}

it("the documentation speaks of every key", () => {
  const keys = [...new Set(keysIn(profileSchema()))];
  expect(keys.length).toBeGreaterThan(50);
  expect(keys.filter((key) => !new RegExp(`\\b${key}\\b`).test(page))).toEqual([]);
});

it("the documentation says what each reason for leaving an object out means", () => {
  expect(EXCLUSION_REASONS.filter((reason) => !page.includes(`\n| \`${reason}\` | `))).toEqual([]);
  // The only code of a report that is no error.
  expect(Object.keys(errorRegistry)).not.toContain("EXCLUDED");
  expect(page).toContain("`EXCLUDED`");
});
