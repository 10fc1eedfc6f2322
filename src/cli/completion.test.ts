import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { runCli } from "../../test/support/cli.ts";

const complete = async (...words: readonly string[]) =>
  (await runCli(["complete", "--", ...words])).stdout.split("\n").filter((word) => word !== "");

it.each([
  [["arch"], ["archive"]],
  [["archive", "p"], ["pause"]],
  [
    ["completion", ""],
    ["bash", "fish", "zsh"],
  ],
  [["init", "--retrieve", "m"], ["move"]],
  [["--log-level", "w"], ["warn"]],
  [["--json", "cohort", "submit", "--wa"], ["--wait"]],
  [["init", "--archive", ""], []],
  [["nothing", "of", "ours"], []],
])("completes %j to %j", async (words, expected) => {
  expect(await complete(...words)).toEqual(expected);
});

it("offers every verb and hides its own", async () => {
  const verbs = await complete("");
  expect(verbs).toEqual(expect.arrayContaining(["archive", "cohort", "dicom", "init", "serve"]));
  expect(verbs).not.toContain("complete");
});

it("works in bash", () => {
  const program = fileURLToPath(new URL("../../bin/radferry", import.meta.url));
  const script = `radferry() { "${program}" "$@"; }
source <(radferry completion bash)
COMP_WORDS=(radferry archive re) COMP_CWORD=2
_radferry
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
  expect(stdout).toBe("resume\n");
});
