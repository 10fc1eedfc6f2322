import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { loadLookupTable, lookupTableOf } from "./lookup-table.ts";

const OPTIONS = { project: "lung", merge: false };
const HEAD = "kind,original,replacement,project";

describe("a table", () => {
  it("gives replacements by kind, whatever the padding of the original", () => {
    const table = lookupTableOf(
      `kind,original,replacement\npatient,MRN 7,P-001\naccession,A1,X1\nstudy,1.2.3,2.25.7\nae-title,VNA,ARCHIVE\n`,
      OPTIONS,
    );
    expect(table.replacementOf("patient", " MRN 7 \0")).toBe("P-001");
    expect(table.replacementOf("accession", "A1")).toBe("X1");
    expect(table.replacementOf("study", "1.2.3")).toBe("2.25.7");
    expect(table.replacementOf("ae-title", "VNA ")).toBe("ARCHIVE");
    expect(table.replacementOf("patient", "A1")).toBeUndefined();
  });

  it("holds the rows of its project and those of every project", () => {
    const table = lookupTableOf(`${HEAD}\npatient,a,P1,lung\npatient,b,P2,heart\npatient,c,P3,\n`, OPTIONS);
    expect(["a", "b", "c"].map((id) => table.replacementOf("patient", id))).toEqual(["P1", undefined, "P3"]);
    expect([table.has("patient"), table.has("study")]).toEqual([true, false]);
  });

  it("may say the same twice", () => {
    const table = lookupTableOf(`${HEAD}\npatient,a,P1,\npatient,a,P1,lung\n`, OPTIONS);
    expect(table.replacementOf("patient", "a")).toBe("P1");
  });

  it("makes two patients one only where it may", () => {
    const csv = `${HEAD}\npatient,a,P1,\npatient,b,P1,\n`;
    expect(() => lookupTableOf(csv, OPTIONS)).toThrow(
      expect.objectContaining({ code: "LOOKUP_TABLE_INVALID", details: { row: 2, problem: "replacement-twice" } }),
    );
    expect(lookupTableOf(csv, { ...OPTIONS, merge: true }).replacementOf("patient", "b")).toBe("P1");
    const accessions = csv.replaceAll("patient", "accession");
    expect(() => lookupTableOf(accessions, { ...OPTIONS, merge: true })).toThrow(
      expect.objectContaining({ code: "LOOKUP_TABLE_INVALID" }),
    );
  });
});

describe("a table is refused", () => {
  it.each([
    ["another heading", "kind,old,new\n", 0, "columns"],
    ["a row that is short", `${HEAD}\npatient,a\n`, 0, "columns"],
    ["a kind nobody knows", `${HEAD}\nperson,a,P1,\n`, 1, "kind-unknown"],
    ["no original", `${HEAD}\npatient, ,P1,\n`, 1, "original-empty"],
    ["a caret in an id", `${HEAD}\npatient,a,P1,\npatient,b,A^B,\n`, 2, "replacement-invalid"],
    ["a backslash in an accession number", `${HEAD}\naccession,a,A\\B,\n`, 1, "replacement-invalid"],
    ["an accession number of 17 characters", `${HEAD}\naccession,a,${"x".repeat(17)},\n`, 1, "replacement-invalid"],
    ["a patient of 65 characters", `${HEAD}\npatient,a,${"x".repeat(65)},\n`, 1, "replacement-invalid"],
    ["a study that is no UID", `${HEAD}\nstudy,1.2,1.02,\n`, 1, "replacement-invalid"],
    ["an original that stays", `${HEAD}\npatient,a,a,\n`, 1, "same-as-original"],
    ["two replacements of one", `${HEAD}\npatient,a,P1,\npatient,a,P2,\n`, 2, "original-twice"],
  ])("for %s", (_name, csv, row, problem) => {
    const error = expect.objectContaining({ code: "LOOKUP_TABLE_INVALID", details: { row, problem } });
    expect(() => lookupTableOf(csv, OPTIONS)).toThrow(error);
  });

  it("as a file that is not there or is no UTF-8", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "table.csv");
    await expect(loadLookupTable(path, OPTIONS)).rejects.toMatchObject({ code: "LOOKUP_TABLE_UNREADABLE" });
    await writeFile(path, Buffer.from(`${HEAD}\npatient,M\xfcller,P1,\n`, "latin1"));
    await expect(loadLookupTable(path, OPTIONS)).rejects.toMatchObject({ code: "LOOKUP_TABLE_UNREADABLE" });
    await writeFile(path, `\uFEFF${HEAD}\r\npatient,Müller,P1,\r\n`);
    expect((await loadLookupTable(path, OPTIONS)).replacementOf("patient", "Mu\u0308ller")).toBe("P1");
  });
});
