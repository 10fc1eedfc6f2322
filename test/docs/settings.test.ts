import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { loadSettings } from "../../src/config/load-settings.ts";
import { manifest } from "../../src/config/manifest.ts";
import { SettingsError, type SettingsProblem } from "../../src/config/problems.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { blocksOf, docsPages } from "./code-blocks.ts";

const GROUPS: ReadonlySet<string> = new Set(Object.keys(manifest.shape));

/** Blocks that are part of a settings file, by what stands at their outermost. */
const BLOCKS = docsPages().flatMap((page) =>
  [...blocksOf(page, "yaml"), ...blocksOf(page, "")].flatMap((text) => {
    const keys = keysOf(text);
    return keys.length > 0 && keys.every((key) => GROUPS.has(key)) ? [[page, keys.join(", "), text] as const] : [];
  }),
);

function keysOf(text: string): readonly string[] {
  try {
    const value: unknown = parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
  } catch {
    return [];
  }
}

async function problemsOf(text: string): Promise<readonly SettingsProblem[]> {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "radferry.yaml");
  await writeFile(file, stringify(completed(parse(text))));
  const failed = await loadSettings({ file, environment: {}, cwd: folder.path }).catch((thrown: unknown) => thrown);
  const problems = failed instanceof SettingsError ? failed.problems : [];
  return problems.filter(({ code }) => code !== "SETTING_REFERENCE_UNKNOWN");
}

const PARTS = z.looseObject({ projects: z.array(z.looseObject({})).optional() });

/** A page shows of a project what it is about; what it names may be on another page. */
function completed(value: unknown): unknown {
  const { projects, ...groups } = PARTS.parse(value);
  const usual = { archives: ["vna"], destinations: ["store"], profile: "research", keyFile: "key" };
  return projects === undefined ? groups : { ...groups, projects: projects.map((one) => ({ ...usual, ...one })) };
}

it("reads many settings", () => {
  expect(BLOCKS.length).toBeGreaterThan(15);
});

it.each(BLOCKS)("%s shows settings that there are: %s", async (_, __, text) => {
  expect(await problemsOf(text)).toEqual([]);
});

it("would not let pass what is no setting", async () => {
  const problems = await problemsOf("intake: { quietSecond: 3 }");
  expect(problems).toMatchObject([{ code: "SETTING_UNKNOWN", path: "intake.quietSecond" }]);
});
