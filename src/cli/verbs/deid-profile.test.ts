import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../../../test/support/cli.ts";
import { checkProfileText } from "../../deid/profiles/load-profile.ts";

const PROFILE = `profile: neuro
version: 1
base: basic-2026c
rules:
  - {tag: StudyDescription, action: replace, with: MRI}
`;
const OPERATIONS = `- {name: Slice Thickness, group: 0x0018, element: 0x0050, op: keep}
- {name: Study Description, group: 0x0008, element: 0x1030, op: keep}
`;

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "deid-profile-"));
  await writeFile(join(folder, "neuro.yaml"), PROFILE);
  await writeFile(join(folder, "bad.yaml"), `${PROFILE}  - {tag: StudyDescrption, action: remove}\ncolour: blue\n`);
  await writeFile(join(folder, "base.yaml"), OPERATIONS);
});
afterEach(() => rm(folder, { recursive: true }));

function radferry(...args: readonly string[]): ReturnType<typeof runCli> {
  return runCli(["deid", ...args], { workingFolder: folder });
}

describe("deid explain", () => {
  it("says what happens to one attribute, and why", async () => {
    const { stdout, exitCode } = await radferry("explain", "neuro.yaml", "StudyDescription");
    expect(exitCode).toBe(0);
    expect(stdout).toBe("(0008,1030) StudyDescription LO\n  replaced by MRI\n  why: rules[0]: replace\n");
    const { stdout: json } = await radferry("explain", "neuro.yaml", "(0008,1030)", "--json");
    expect(JSON.parse(json)).toMatchObject({ keyword: "StudyDescription", decider: "rule", action: "replaced by MRI" });
  });

  it("lists every attribute", async () => {
    const { stdout } = await radferry("explain", "basic");
    expect(stdout).toMatch(/^TAG +VR +KEYWORD +WHY +WHAT HAPPENS\n/);
    expect(stdout).toMatch(/\(0010,0030\) +DA +PatientBirthDate +Table E\.1-1: basic Z +emptied\n/);
  });

  it("begins to say what happens within a terminal's width, however long some keywords and reasons are", async () => {
    const { stdout } = await radferry("explain", "research");
    const [header = ""] = stdout.split("\n");
    expect(header.indexOf("WHAT HAPPENS")).toBeLessThan(100);
  });

  it("refuses an attribute or a profile it does not know", async () => {
    expect(await radferry("explain", "basic", "Nothing")).toMatchObject({ exitCode: 2 });
    expect(await radferry("explain", "nowhere")).toMatchObject({ exitCode: 2 });
    expect(await radferry("explain", "nowhere.yaml")).toMatchObject({ exitCode: 2 });
  });
});

describe("deid lint", () => {
  it("reports every problem with its line, and ends with 2", async () => {
    const { stdout, exitCode } = await radferry("lint", "bad.yaml");
    expect(exitCode).toBe(2);
    expect(stdout).toMatch(/rules\[1\]\.tag \(line 6, column 6\): .+ \[PROFILE_TAG_UNKNOWN\]/);
    expect(stdout).toMatch(/colour \(line 7, column 1\): .+ \[PROFILE_KEY_UNKNOWN\]/);
  });

  it("looks into the mask files too: a profile without one of them cannot be used", async () => {
    await writeFile(join(folder, "wrong.yaml"), "masks: many\n");
    await writeFile(join(folder, "us.yaml"), `${PROFILE}pixels: {masks: [wrong.yaml, missing.yaml]}\n`);
    const { stdout, exitCode } = await radferry("lint", "us.yaml");
    expect(exitCode).toBe(2);
    expect(stdout).toMatch(
      /pixels\.masks\[0\] \(line 6, column \d+\): In the mask file, line 1, .+ \[PROFILE_VALUE_INVALID\]/,
    );
    expect(stdout).toMatch(
      /pixels\.masks\[1\] \(line 6, column \d+\): The mask file cannot be read\. \[PROFILE_VALUE_INVALID\]/,
    );
  });

  it("ends with 0 when the profile can be used", async () => {
    const { stdout, exitCode } = await radferry("lint", "neuro.yaml", "--json");
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ ok: true, problems: [], warnings: [] });
  });
});

it("deid diff names the attributes that differ", async () => {
  const { stdout, exitCode } = await radferry("diff", "basic", "neuro.yaml");
  expect(exitCode).toBe(0);
  expect(stdout).toBe("(0008,1030) StudyDescription\n  - removed\n  + replaced by MRI\n");
  expect((await radferry("diff", "basic", "basic")).stdout).toBe("the profiles do the same\n");
});

describe("deid import-pixl", () => {
  it("writes a profile that can be used", async () => {
    const { stdout, exitCode } = await radferry("import-pixl", "base.yaml", "--name", "mine", "--accept-free-text");
    expect(exitCode).toBe(0);
    const { document, problems } = checkProfileText(stdout);
    expect(problems).toEqual([]);
    expect(document).toMatchObject({ profile: "mine", unlisted: "remove", pseudonyms: { mode: "pixl" } });
  });

  it("refuses free text of studies unless it is accepted", async () => {
    const { stderr, exitCode } = await radferry("import-pixl", "base.yaml", "--name", "mine");
    expect(exitCode).toBe(2);
    expect(stderr).toContain("(0008,1030) is free text");
  });
});
