import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli } from "../../support/cli.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const BAD_PROFILE = `profile: bad
version: 1
base: basic-2026c
colour: blue
options:
  - retain-longitudinal-full-dates
  - retain-longitudinal-modified-dates
filters:
  series_description: {deny: ['']}
rules:
  - {tag: StudyDescriptionn, action: remove}
  - {tag: '(0018,1030)', action: keep, form: '/^(a+)+$/', review: 'board 2026-03'}
  - {tag: ProtocolName, action: keep}
  - {tag: PatientName, action: keep, review: 'board 2026-03'}
`;
const PROBLEMS = [
  [4, "PROFILE_KEY_UNKNOWN"],
  [7, "PROFILE_OPTIONS_EXCLUSIVE"],
  [9, "PROFILE_VALUE_INVALID"],
  [11, "PROFILE_TAG_UNKNOWN"],
  [12, "PROFILE_PATTERN_UNSAFE"],
  [13, "PROFILE_REVIEW_MISSING"],
  [14, "PROFILE_RULE_INVALID"],
];

describe("given a profile with an unknown key and tag, exclusive options, a regular expression that explodes, text kept without a form", () => {
  async function verb(...args: readonly string[]) {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "bad.yaml"), BAD_PROFILE);
    return await runCli(["deid", ...args], { workingFolder: folder.path });
  }

  it("when it is looked through, then all of it is reported at once, each with its line, and the exit code is 2", async () => {
    const { exitCode, stdout } = await verb("lint", "bad.yaml", "--json");
    expect(exitCode).toBe(2);
    const { problems } = JSON.parse(stdout);
    expect(problems.map(({ line, code }: { line: number; code: string }) => [line, code])).toEqual(PROBLEMS);
    for (const { column, message, remedy } of problems)
      expect([column > 0, message !== "", remedy !== ""]).not.toContain(false);
  });

  it.each([["run", "in", "out", "--key-file", "key"], ["explain"], ["preview", "image.dcm"]])(
    "when it is used by deid %s, then nothing is begun, and all of it is reported",
    async (name, ...args) => {
      const used = name === "explain" ? [name, "bad.yaml"] : [name, ...args, "--profile", "bad.yaml"];
      const { exitCode, stderr } = await verb(...used);
      expect(exitCode).toBe(2);
      for (const [line] of PROBLEMS) expect(stderr).toContain(`line ${line}, column `);
    },
  );
});
