import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { lookupTableOf } from "../../../src/deid/pseudonyms/lookup-table.ts";
import { tagOf } from "../../../src/dicom/tag.ts";
import { textOf } from "../../../src/dicom/values.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { deidentified, type RunOptions, type RunOutput, slice, studyIdentity } from "./support/studies.ts";
import { createTokens } from "./support/tokens.ts";
import { tracesOf } from "./support/traces.ts";

const tokens = createTokens(21);
const [known, unknown] = [studyIdentity(tokens), studyIdentity(tokens)];
const objects = [slice(known, 1, tokens), slice(known, 2, tokens), slice(unknown, 1, tokens)];
const rows = [
  "kind,original,replacement",
  `patient,${known.patientId},STUDY-0042`,
  `study,${known.studyInstanceUid},1.2.3.4.5`,
  `accession,${known.accessionNumber},ACC-42`,
];
const csv = rows.join("\n");

async function runWith(lookup: "optional" | "required", options: Partial<RunOptions> = {}): Promise<RunOutput> {
  await using folder = await temporaryFolder();
  const profile = join(folder.path, "profile.yaml");
  const pseudonyms = `pseudonyms: {lookup: ${lookup}, accession: pseudonym}`;
  await writeFile(profile, `profile: looked-up\nversion: 1\nbase: basic-2026c\n${pseudonyms}\n`);
  const table = lookupTableOf(csv, { project: "trial", merge: false });
  return await deidentified(objects, { lookup: table, ...options, profile });
}

const facts = ({ files }: RunOutput): string[] =>
  files.map(({ dataSet }) =>
    [0x00100020, 0x0020000d, 0x00080050].map((tag) => textOf(dataSet, tagOf(tag)) ?? "").join(" "),
  );

describe("given a table with a row for one of two patients", () => {
  it("when it is asked first, then its replacements are used, and the key makes the other's", async () => {
    const run = await runWith("optional");
    const isLookedUp = (each: string): boolean => each === "STUDY-0042 1.2.3.4.5 ACC-42";
    expect(facts(run).filter(isLookedUp)).toHaveLength(2);
    expect(facts(run).filter((each) => !isLookedUp(each))).toEqual([
      expect.stringMatching(/^[0-9A-Z]{16} 2\.25\.[0-9]+ [0-9A-Z]{16}$/),
    ]);
    for (const [name, bytes] of run.contents) expect(tracesOf(bytes, tokens.marks), name).toEqual([]);
  });

  it("when every patient needs a row, then the study without one is quarantined: no-lookup", async () => {
    const { result, files } = await runWith("required");
    expect(result.studies).toMatchObject({ delivered: 1, quarantined: 1 });
    expect(result.failures.map(({ code, reason }) => ({ code, reason }))).toEqual([
      { code: "LOOKUP_ROW_MISSING", reason: "no-lookup patient" },
    ]);
    expect(files).toHaveLength(2);
  });

  it("when every patient needs a row and there is no table, then nothing is begun", async () => {
    await expect(runWith("required", { lookup: undefined })).rejects.toMatchObject({
      code: "PSEUDONYM_SOURCE_MISSING",
    });
  });
});

describe("given a table that contradicts itself, then it is refused as it is loaded, by the number of the row", () => {
  const load = (more: string, merge = false) => lookupTableOf(`${csv}\n${more}`, { project: "trial", merge });
  const refusal = (row: number, problem: string) =>
    expect.objectContaining({ code: "LOOKUP_TABLE_INVALID", details: { row, problem } });

  it("one original with two replacements", () => {
    expect(() => load(`patient,${known.patientId},STUDY-0043`)).toThrow(refusal(4, "original-twice"));
  });

  it("two originals with one replacement, unless patients may be merged", () => {
    const row = `patient,${unknown.patientId},STUDY-0042`;
    expect(() => load(row)).toThrow(refusal(4, "replacement-twice"));
    expect(load(row, true).replacementOf("patient", unknown.patientId)).toBe("STUDY-0042");
  });

  it("a replacement that its attribute cannot hold", () => {
    for (const row of ["patient,x,A^B", "patient,x,A\\B", "study,x,1.02", `accession,x,${"A".repeat(17)}`]) {
      expect(() => load(row), row).toThrow(refusal(4, "replacement-invalid"));
    }
  });
});
