import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { corpusObjects } from "../../test/peers/corpus.ts";
import { runProgram } from "../../test/peers/process.ts";
import { requirePeer } from "../../test/peers/require-peer.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { tags } from "./dictionary/tags.ts";
import { editPart10File } from "./edit.ts";
import { textElement } from "./values.ts";

const corpus = process.env.RADFERRY_CORPUS ?? "";
const canRun = corpus !== "" && requirePeer("dcmdump");

/** What dcmdump lists, a line an element, without comments: they name the file. */
async function dumped(path: string): Promise<readonly string[]> {
  const { output } = await runProgram("dcmdump", ["-q", path], dirname(path));
  return output.split("\n").filter((line) => line.trimStart().startsWith("("));
}

/** Group lengths follow edits, and the file meta repeats a UID. PS3.5 7.2, PS3.10 7.1. */
const FOLLOWS = /^\(0002,0003\)|^\([0-9a-f]{4},0000\)/;

describe.skipIf(!canRun)("a file edited without its pixel data being read", () => {
  it("has the edits and nothing else changed for dcmdump, in every transfer syntax of the corpus", async () => {
    await using folder = await temporaryFolder();
    const bySyntax = new Map((await corpusObjects(corpus)).map((one) => [one.transferSyntaxUid, one.path]));
    expect(bySyntax.size).toBeGreaterThan(10);
    const edits = [
      textElement(tags.SOPInstanceUID, "1.2.3.4.5"),
      textElement(tags.PatientName, "Somebody^Else"),
      textElement(tags.PatientID, "SUBJECT-1"),
    ];
    for (const [syntax, path] of bySyntax) {
      const edited = join(folder.path, `${syntax}.dcm`);
      await editPart10File(path, edited, () => ({ dataSet: new Map(edits.map((one) => [one.tag, one])) }));
      const [before, after] = await Promise.all([dumped(path), dumped(edited)]);
      const isEdited = (line: string): boolean => FOLLOWS.test(line) || /^\((0008,0018|0010,00[12]0)\)/.test(line);
      const unedited = (lines: readonly string[]): readonly string[] => lines.filter((line) => !isEdited(line));
      expect(unedited(after), syntax).toEqual(unedited(before));
      const names = after.filter((line) => /^\(0010,00[12]0\)/.test(line)).map((line) => line.slice(0, 40).trim());
      expect(names.join(), syntax).toContain("[Somebody^Else]");
      expect(names.join(), syntax).toContain("[SUBJECT-1]");
    }
  });
});
