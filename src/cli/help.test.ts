import { describe, expect, it } from "vitest";
import { runCli } from "../../test/support/cli.ts";
import { withinWidth } from "./help.ts";

describe("the help of a verb", () => {
  it("keeps its sentences within the width, whatever lines they were written in", async () => {
    const { stdout } = await runCli(["serve", "--help"]);
    const sentences = stdout.split("\n").filter((line) => !line.startsWith(" "));
    expect(Math.max(...sentences.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(stdout).toContain("Examples:\n  radferry serve\n");
  });

  it("says of a restored backup that withdrawals after it have to be made again before the start", async () => {
    const { stdout } = await runCli(["db", "restore", "--help"]);
    expect(stdout.replaceAll("\n", " ")).toContain("before the start, run patient withdraw and token revoke again");
  });

  it("says which options have to be there, and nothing of lists that begin empty", async () => {
    const { stdout } = await runCli(["dicom", "move", "--help"]);
    expect(stdout).toMatch(/--dest <ae> .*\(required\)\n/);
    expect(stdout).toMatch(/-k, --key <keyword=value> .*several times\n/);
    expect(stdout).toMatch(/--calling <ae> .*\(default: "RADFERRY"\)\n/);
  });
});

describe("withinWidth", () => {
  it.each([
    ["goes on in the next line", "one two\nthree four.", "one two three\nfour."],
    ["ends a line with its sentence", "one two.\nthree four.", "one two.\nthree four."],
    ["leaves blank and indented lines alone", "one\n\n  two three four five\nsix", "one\n\n  two three four five\nsix"],
    ["does not cut a long word", "one twothreefourfive six", "one\ntwothreefourfive\nsix"],
  ])("%s", (_, text, expected) => {
    expect(withinWidth(text, 14)).toBe(expected);
  });
});
