import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import writeExcelFile from "write-excel-file/node";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { readCohortFile } from "../read-cohort.ts";
import type { ForeignFormat } from "./foreign-formats.ts";
import { cohortLines, type ImportedList, importList } from "./import-list.ts";

const RULES = { project: "trial", accessionNumbersUnique: true, optOut: new Set(["P9"]) };

async function imported(format: ForeignFormat, text: string, rules: Partial<typeof RULES> = {}): Promise<ImportedList> {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "list.csv");
  await writeFile(path, text);
  return await importList(path, { ...RULES, ...rules, format });
}

/** Row, column and code of each finding. */
function told({ findings }: ImportedList): readonly string[] {
  return findings.map(({ row, column, code }) => `${row} ${column} ${code}`);
}

describe("a batch file of ADIT", () => {
  it("becomes one request for each study, for the series of all its rows", async () => {
    const list = await imported(
      "adit-xlsx",
      [
        "PatientID,StudyInstanceUID,SeriesInstanceUID,Pseudonym",
        "0111,1.2.3,1.2.3.1,pseudo1",
        "0111,1.2.3,1.2.3.2,pseudo1",
        "0222,1.2.4,1.2.4.1,pseudo2",
        "0222,1.2.4,,pseudo2",
      ].join("\n"),
    );
    expect(list.columns).toEqual([
      ...["study_instance_uid", "series_instance_uids", "patient_id", "participant_id", "source_rows"],
    ]);
    expect(list.rows).toEqual([
      ["1.2.3", "1.2.3.1;1.2.3.2", "0111", "pseudo1", "1 2"],
      ["1.2.4", "", "0222", "pseudo2", "3 4"],
    ]);
    expect(list.findings).toEqual([]);
  });

  it("has everything told that is wrong with it, and no cell", async () => {
    const list = await imported(
      "adit-xlsx",
      [
        "PatientID,StudyInstanceUID,Pseudonym",
        "SECRET,1.2.3,p1",
        "OTHER,1.2.3,p1",
        ",1.2.4,p2",
        "P3,1.2E+10,p3",
        "P9,1.2.5,bad pseudonym",
      ].join("\n"),
    );
    expect(told(list)).toEqual([
      "2 PatientID IMPORT_ROWS_DIFFER",
      "3 PatientID KEY_MISSING",
      "4 StudyInstanceUID KEY_DAMAGED_BY_SPREADSHEET",
      "5 Pseudonym PARTICIPANT_ID_INVALID",
      "5 PatientID PATIENT_OPTED_OUT",
    ]);
    expect(list.rows).toEqual([["1.2.3", "SECRET", "p1", "1"]]);
    expect(JSON.stringify(list.findings)).not.toMatch(/SECRET|OTHER|1\.2\.3/);
  });
});

it("takes nothing of a row that a comma in a name has shifted: its accession number would be another cell", async () => {
  const list = await imported(
    "dqr-csv",
    ["Patient Name,Accession Number,Patient ID", "Doe, John,A1,P1", "Roe^Jane,A2,P2", "Poe^Jim,A3,P3,,"].join("\n"),
  );
  expect(told(list)).toEqual(["1  ROW_MALFORMED"]);
  expect(list.rows).toEqual([
    ["A2", "P2", "2"],
    ["A3", "P3", "3"],
  ]);
});

it("tells rows by where they stand in a workbook, and takes no date for a key", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "batch.xlsx");
  const names = ["PatientID", "StudyInstanceUID", "Pseudonym"].map((value) => ({ value }));
  const row = (patient: object) => [patient, { value: "1.2.3" }, { value: "p1" }];
  await writeExcelFile([
    names,
    row({ value: 42, type: Number, format: "0000" }),
    [null],
    row({ value: new Date(Date.UTC(2026, 1, 3)), type: Date, format: "yyyy-mm-dd" }),
  ]).toFile(path);
  const list = await importList(path, { ...RULES, format: "adit-xlsx" });
  expect(list.rows).toEqual([["1.2.3", "0042", "p1", "1"]]);
  expect(told(list)).toEqual(["3 PatientID KEY_DAMAGED_BY_SPREADSHEET"]);
});

describe("a list for XNAT's DQR", () => {
  it("becomes accession numbers, its subjects participants, and what it cannot use is named", async () => {
    const list = await imported(
      "dqr-csv",
      "Accession Number,Patient ID,Study Date,Subject,Session\n0025175352,P1,20210101,Subj001,Subj001_MR1\n",
    );
    expect(list).toMatchObject({
      columns: ["accession_number", "patient_id", "participant_id", "source_rows"],
      rows: [["0025175352", "P1", "Subj001", "1"]],
      unused: ["Study Date", "Session"],
      findings: [],
    });
  });

  it("has a request for every row, and a row out of step told", async () => {
    const list = await imported(
      "dqr-csv",
      "Accession Number,Patient Name,Patient ID\nA1,Roe,P1\nA1,Doe, Jane,P9\nA2,Poe\nA2,Poe,P9\nA3,Moe,P3,,\n",
    );
    expect(list.rows).toEqual([
      ["A1", "P1", "1"],
      ["A3", "P3", "5"],
    ]);
    expect(told(list)).toEqual(["2  ROW_MALFORMED", "3  ROW_MALFORMED", "4 Patient ID PATIENT_OPTED_OUT"]);
  });

  it("is none without a row", async () => {
    const reading = imported("dqr-csv", "Accession Number\n");
    await expect(reading).rejects.toMatchObject({ code: "COHORT_UNREADABLE", details: { reason: "no-rows" } });
  });

  it("has rows told that search by something else", async () => {
    const list = await imported("dqr-csv", "Accession Number,Study Date\nA1,\n,20210101-20210131\n");
    expect(told(list)).toEqual(["2 Accession Number IMPORT_ROW_IS_SEARCH"]);
  });
});

describe("an extract of PIXL", () => {
  const HEAD =
    "procedure_id,mrn,accession_number,project_name,extract_generated_timestamp,study_date,study_uid,participant_id";

  it("keeps what its columns mean there, for the project whose slug it has", async () => {
    const list = await imported(
      "pixl-csv",
      `${HEAD}\n4,987654321,AA12345601,Trial,2023-12-07T14:08:58,2023-01-01,1.3.46.1,NULL\n5,1,A2,other,,,,\n6,NaN,A3,trial,,,NULL,\n`,
    );
    expect(list.rows).toEqual([
      ["1.3.46.1", "AA12345601", "987654321", "trial", "1"],
      ["", "A3", "", "trial", "3"],
    ]);
    expect(told(list)).toEqual(["2 project_name PROJECT_DIFFERS"]);
  });
});

it("says which columns are missing when it is another kind of list", async () => {
  await expect(imported("dqr-csv", "mrn,study_uid\n1,1.2.3\n")).rejects.toThrow(
    expect.objectContaining({
      code: "IMPORT_COLUMNS_MISSING",
      details: { format: "dqr-csv", columns: "Accession Number" },
    }),
  );
});

it("is read as a cohort when it was written", async () => {
  await using folder = await temporaryFolder();
  const list = await imported(
    "adit-xlsx",
    "PatientID,StudyInstanceUID,SeriesInstanceUID\n007,1.2.3,1.2.3.1\n007,1.2.3,1.2.3.2\n",
  );
  const path = join(folder.path, "cohort.csv");
  await writeFile(path, [...cohortLines(list)].join(""));
  const { requests } = await readCohortFile(path, RULES);
  expect(requests).toMatchObject([
    { patientId: "007", studyInstanceUid: "1.2.3", seriesInstanceUids: ["1.2.3.1", "1.2.3.2"] },
  ]);
});
