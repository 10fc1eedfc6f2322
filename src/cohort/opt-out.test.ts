import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadOptOut } from "./opt-out.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "radferry-opt-out-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function load(...texts: readonly string[]): Promise<readonly string[]> {
  const paths = await Promise.all(
    texts.map(async (text, index) => {
      const path = join(folder, `${index}.csv`);
      await writeFile(path, text);
      return path;
    }),
  );
  return [...(await loadOptOut(paths))];
}

describe("loadOptOut", () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ["a column patient_id", ["name,Patient ID\nx,007\ny, 8 \n"], ["007", "8"]],
    ["a column mrn", ["date;mrn\n1;007\n2;\n"], ["007"]],
    ["no known column: the first, its first line too", ["007,x\n8,y\n"], ["007", "8"]],
    ["a first column, whatever commas are behind it", ["mrn,note\n007,a,b\n8,,,\n"], ["007", "8"]],
    ["blank cells too many", ["note,mrn\na,007,,\nb,8\n"], ["007", "8"]],
    ["no known column, and rows of several lengths", ["007\n8,y\n9,y,z\n"], ["007", "8", "9"]],
    ["one id alone", ["007\n"], ["007"]],
    ["nothing", [""], []],
    ["several lists", ["mrn\n1\n", "2\n1\n"], ["1", "2"]],
  ])("reads %s", async (_, texts, patients) => {
    expect(await load(...texts)).toEqual(patients);
  });

  it.each([
    ["was damaged by a spreadsheet", "mrn\n1.2E+10\n", "KEY_DAMAGED_BY_SPREADSHEET"],
    ["holds a pattern", "mrn\n12*\n", "KEY_HAS_WILDCARD"],
    ["has a row without the column", "x,mrn\n1,2\n3\n", "row-malformed"],
    ["has a row that a comma in a name has shifted", "name,mrn\nDoe, John,007\nRoe,8\n", "row-malformed"],
    ["has two columns of patient ids", "patient_id,mrn\n,007\n8,9\n", "column-twice"],
    ["has a quote left open", 'mrn\n"1\n2\n', "quote-not-closed"],
  ])("refuses a list that %s: a patient might be lost from it", async (_, text, reason) => {
    await expect(load(text)).rejects.toMatchObject({ code: "OPT_OUT_UNREADABLE", details: { list: 1, reason } });
  });

  it("refuses a list that is not there", async () => {
    await expect(loadOptOut([join(folder, "none.csv")])).rejects.toMatchObject({ code: "OPT_OUT_UNREADABLE" });
  });
});
