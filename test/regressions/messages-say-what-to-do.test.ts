import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openGateway } from "../../src/gateway/open-gateway.ts";
import { runCli } from "../support/cli.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

function run(...words: readonly string[]) {
  return runCli([...words], { workingFolder: folder.path });
}

/** `init` makes settings that the verbs below read. */
async function withSettings(): Promise<void> {
  await run("init", "--archive", "VNA@127.0.0.1:104", "--destination", "out", "--project", "lung", "--no-probe");
}

it("tells once that the settings file cannot be read, and by which path", async () => {
  const { exitCode, stderr } = await run("-c", "nowhere.yaml", "project", "list");
  expect(exitCode).toBe(2);
  const [problem, remedy, ...more] = stderr.trimEnd().split("\n");
  expect(problem).toContain(`${join(folder.path, "nowhere.yaml")} cannot be read. [SETTINGS_FILE_MISSING]`);
  expect(remedy).toMatch(/^What to do: Name it with -c FILE/);
  expect(more).toEqual([]);
});

it("looks through a shipped profile as through a file", async () => {
  const shipped = await run("deid", "lint", "research");
  expect([shipped.exitCode, shipped.stdout]).toEqual([0, expect.stringContaining("the profile can be used")]);
  const unknown = await run("deid", "lint", "reserch", "--json");
  expect([unknown.exitCode, JSON.parse(unknown.stdout).error.code]).toEqual([2, "PROFILE_UNKNOWN"]);
});

it("says what to do about an object that would not leave", async () => {
  await writeFile(join(folder.path, "letter.txt"), "no image");
  const { stdout } = await run("deid", "preview", "letter.txt", "--profile", "research");
  expect(stdout).toMatch(/^rejected: INSTANCE_NOT_PARSABLE.*\n.+\nWhat to do: .+\n$/);
});

it("tells a list that is not there from one that is no table", async () => {
  await withSettings();
  const { exitCode, stderr } = await run("cohort", "import", "no.csv", "--from", "dqr-csv", "--project", "lung");
  expect(exitCode).toBe(2);
  expect(stderr).toContain("[COHORT_FILE_MISSING]");
});

it("says that an import without one row that can be used did nothing", async () => {
  await withSettings();
  await writeFile(join(folder.path, "list.csv"), "PatientID,StudyInstanceUID\nP1,1.2.x\n");
  const list = ["cohort", "import", "list.csv", "--from", "adit-xlsx", "--project", "lung"];
  const { exitCode, stdout } = await run(...list, "--leave-out-bad", "-o", "wanted.csv");
  expect(exitCode).toBe(1);
  expect(stdout).toContain("Nothing was handed in or written: no row can be used.");
});

it("tells people of an empty list on stderr, and keeps stdout for who counts lines", async () => {
  await withSettings();
  const world = { workingFolder: folder.path, openGateway };
  const { stdout, stderr } = await runCli(["notification", "list"], world);
  expect([stdout, stderr]).toEqual(["", "the settings name no channel\n"]);
  expect((await runCli(["notification", "list", "--json"], world)).stderr).toBe("");
});
