import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { checkProfileText } from "./load-profile.ts";

it("the profile in the documentation can be used", () => {
  const page = readFileSync(new URL("../../../docs/profiles.md", import.meta.url), "utf8");
  const [, written = ""] = /```yaml\n(.*?)```/s.exec(page) ?? [];
  expect(written).toContain("profile: neuro-mr");
  expect(checkProfileText(written).problems).toEqual([]);
});
