import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { FileProblem } from "../../units/file-problems.ts";
import { loadProfile } from "./load-profile.ts";
import { ProfileError } from "./profile-problems.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "masks-"));
});
afterEach(() => rm(folder, { recursive: true }));

const MASK = "masks:\n  - {name: m, when: {model: X, rows: 4, columns: 4}, outside: regions}\n";

async function profileWith(files: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const masks = Object.keys(files).join(", ");
  const path = join(folder, "us.profile.yaml");
  await writeFile(path, `profile: us\nversion: 1\nbase: basic-2026c\npixels: {masks: [${masks}, ./more.yaml]}\n`);
  return path;
}

it("finds mask files beside the profile, and makes them part of its hash", async () => {
  await writeFile(join(folder, "more.yaml"), MASK.replace("rows: 4", "rows: 5"));
  const path = await profileWith({ "us.yaml": MASK });
  const before = loadProfile(path);
  expect(before.pixels.masks.map(({ when }) => when.rows)).toEqual([4, 5]);
  await writeFile(join(folder, "us.yaml"), MASK.replace("rows: 4", "rows: 6"));
  expect(loadProfile(path).hash).not.toBe(before.hash);
});

it("says what is wrong with every file, and where", async () => {
  const wrong = MASK.replace("rows: 4", "rows: many");
  const problemsOf = (path: string): readonly FileProblem[] => {
    try {
      loadProfile(path);
    } catch (thrown) {
      if (thrown instanceof ProfileError) return thrown.problems;
    }
    return [];
  };
  const problems = problemsOf(await profileWith({ "us.yaml": wrong, "broken.yaml": "masks: [" }));
  expect(problems.map(({ path }) => path)).toEqual(["pixels.masks[0]", "pixels.masks[1]", "pixels.masks[2]"]);
  expect(problems.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^In the mask file, line 2, column [0-9]+, masks\[0\]\.when\.rows: a number is expected/),
    expect.stringMatching(/^In the mask file, line [0-9]+, column [0-9]+: The file is not valid YAML/),
    "The mask file cannot be read.",
  ]);
});

it("reports who answers for radiographs that do not say whether they are burned in", async () => {
  const path = join(folder, "dx.profile.yaml");
  const pixels = "{allow_absent: {signed_off: 'board 2026-03'}}";
  await writeFile(path, `profile: dx\nversion: 1\nbase: basic-2026c\npixels: ${pixels}\n`);
  const profile = loadProfile(path);
  expect(profile.pixels.allowAbsent).toBe("board 2026-03");
  expect(profile.reviews).toEqual([{ tag: "(0028,0301)", review: "board 2026-03" }]);
});
