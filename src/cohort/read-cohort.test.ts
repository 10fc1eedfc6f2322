import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CohortOptions, readCohortFile } from "./read-cohort.ts";
import { TABLE_LIMITS } from "./table-file.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "radferry-cohort-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(content: string | Uint8Array, options: Partial<CohortOptions> = {}) {
  const path = join(folder, "cohort.csv");
  await writeFile(path, content);
  return await readCohortFile(path, { project: "trial", accessionNumbersUnique: true, ...options });
}

describe("a good file", () => {
  it("gives a request for each row, with the submitter's cells as they were", async () => {
    const { columns, requests, refused, findings, rows } = await read(
      "site,Study Instance UID,ACCESSION_NUMBER,mrn,series_instance_uids,priority,participant_id,note\r\n" +
        'A,1.2.3,, 0042 ,1.2.3.1\\1.2.3.2,5,P-1,"5"" of ""x"", y"\r\n' +
        "B,,007,,,,,\r\n",
    );
    expect({ refused, findings, rows }).toEqual({ refused: [], findings: [], rows: 2 });
    expect(columns.slice(0, 3)).toEqual(["site", "Study Instance UID", "ACCESSION_NUMBER"]);
    expect(requests).toEqual([
      {
        rowNumber: 1,
        studyInstanceUid: "1.2.3",
        accessionNumber: undefined,
        patientId: "0042",
        seriesInstanceUids: ["1.2.3.1", "1.2.3.2"],
        participantId: "P-1",
        priority: 5,
        cells: ["A", "1.2.3", "", " 0042 ", "1.2.3.1\\1.2.3.2", "5", "P-1", '5" of "x", y'],
      },
      {
        rowNumber: 2,
        studyInstanceUid: undefined,
        accessionNumber: "007",
        patientId: undefined,
        seriesInstanceUids: undefined,
        participantId: undefined,
        priority: 3,
        cells: ["B", "", "007", "", "", "", "", ""],
      },
    ]);
  });

  it.each([
    ["a byte order mark", "\ufeffaccession_number,x\n007,y\n"],
    ["semicolons", "accession_number;x\n007;y\n"],
    ["semicolons and a comma in another column's name", "accession_number;a,b,c\n007;y\n"],
    ["tabs", "accession_number\tx\n007\ty\n"],
    ["no line end at the end", "accession_number,x\n007,y"],
    ["blank lines before and after it", "\n,\naccession_number,x\n007,y\n\n,\n"],
    ["a blank line before it, and semicolons", "\naccession_number;x\n007;y\n"],
    ["old line ends", "accession_number,x\r007,y\r"],
    ["quoted names", '"Accession Number","x"\n"007","y"\n'],
    ["blank cells too many", "accession_number,x\n007,y,,\n"],
    ["one column", "AccessionNumber\n007\n"],
  ])("may have %s", async (_, text) => {
    const { requests } = await read(text);
    expect(requests.map(({ rowNumber, accessionNumber }) => ({ rowNumber, accessionNumber }))).toEqual([
      { rowNumber: 1, accessionNumber: "007" },
    ]);
  });

  it("may be PIXL's, whose other columns are the submitter's own", async () => {
    const { columns, requests, refused } = await read(
      "procedure_id,mrn,accession_number,project_name,extract_generated_timestamp,study_date,study_uid,participant_id,series_uid\n" +
        "4,00987,AA12345605,trial,2023-12-07T14:08:58Z,2015-05-01,1.2.3.4,,1.2.3.4.1\\1.2.3.4.2\n" +
        "5,00988,AA1,another,2023-12-07T14:08:58Z,2015-05-01,,,\n",
    );
    expect(columns).toHaveLength(9);
    expect(requests).toMatchObject([
      {
        patientId: "00987",
        accessionNumber: "AA12345605",
        studyInstanceUid: "1.2.3.4",
        seriesInstanceUids: ["1.2.3.4.1", "1.2.3.4.2"],
      },
    ]);
    expect(refused).toMatchObject([{ rowNumber: 2, code: "PROJECT_DIFFERS" }]);
  });

  it("takes what PIXL takes for an empty cell for one in PIXL's extracts alone, and gives it back as it was", async () => {
    const rest = "2023-12-07T14:08:58Z,2015-05-01";
    const { requests, refused } = await read(
      "procedure_id,mrn,accession_number,project_name,extract_generated_timestamp,study_date,study_uid,participant_id\n" +
        `4,00987, AA1 ,trial,${rest},NaN,NA\n5,00988,N/A,trial,${rest},null,\n`,
    );
    expect(requests).toMatchObject([{ accessionNumber: "AA1", studyInstanceUid: undefined, participantId: undefined }]);
    expect(requests[0]?.cells.slice(-2)).toEqual(["NaN", "NA"]);
    expect(refused).toMatchObject([{ rowNumber: 2, code: "KEY_MISSING" }]);
    const { requests: others } = await read("accession_number\nNA\n");
    expect(others).toMatchObject([{ accessionNumber: "NA" }]);
  });
});

describe("a bad row", () => {
  const header = "study_instance_uid,accession_number,patient_id,series_instance_uids,priority,participant_id,project";
  it.each([
    [",,4711,,,,trial", ["study_instance_uid KEY_MISSING"]],
    [", ,,,,,trial", ["study_instance_uid KEY_MISSING"]],
    ["1.2.x,,,,,,trial", ["study_instance_uid UID_INVALID"]],
    [",A*,,,,,trial", ["accession_number KEY_HAS_WILDCARD"]],
    ["1.2.3,A?,,,,,trial", ["accession_number KEY_HAS_WILDCARD"]],
    [",1.2E+10,,,,,trial", ["accession_number KEY_DAMAGED_BY_SPREADSHEET"]],
    [",1.23457E+12,,,,,trial", ["accession_number KEY_DAMAGED_BY_SPREADSHEET"]],
    [",A1,12345678.0,,,,trial", ["patient_id KEY_DAMAGED_BY_SPREADSHEET"]],
    ["1.2.3,,,1.2.3.1\\x,,,trial", ["series_instance_uids UID_INVALID"]],
    ["1.2.3,,,\\,,,trial", ["series_instance_uids UID_INVALID"]],
    ["1.2.3,,,,0,,trial", ["priority PRIORITY_INVALID"]],
    ["1.2.3,,,,6,,trial", ["priority PRIORITY_INVALID"]],
    ["1.2.3,,,,high,,trial", ["priority PRIORITY_INVALID"]],
    ["1.2.3,,,,,Jane Doe,trial", ["participant_id PARTICIPANT_ID_INVALID"]],
    ["1.2.3,,,,,,other", ["project PROJECT_DIFFERS"]],
    ["1.2.3,,,,,,", ["project PROJECT_DIFFERS"]],
    ["1.2.3,,gone,,,,trial", ["patient_id PATIENT_OPTED_OUT"]],
    ["1.2.3,,left,,,,trial", ["patient_id PATIENT_WITHDRAWN"]],
    ["1.2.3,A1", [" ROW_MALFORMED"]],
    ["1.2.3,A1,,,,,trial,more", [" ROW_MALFORMED"]],
    [
      "x,A*,gone,y,9,?,z",
      [
        "study_instance_uid UID_INVALID",
        "accession_number KEY_HAS_WILDCARD",
        "series_instance_uids UID_INVALID",
        "project PROJECT_DIFFERS",
        "priority PRIORITY_INVALID",
        "participant_id PARTICIPANT_ID_INVALID",
        "patient_id PATIENT_OPTED_OUT",
      ],
    ],
  ])("%s is refused and its neighbours are not", async (row, expected) => {
    const neighbour = "1.2.3,,,,,,trial";
    const { requests, refused, findings, rows } = await read(`${[header, neighbour, row, neighbour].join("\n")}\n`, {
      optOut: new Set(["gone"]),
      isWithdrawn: (patientId) => patientId === "left",
    });
    expect(rows).toBe(3);
    expect(requests.map(({ rowNumber }) => rowNumber)).toEqual([1, 3]);
    expect(findings.map(({ row: at, column, code }) => `${at} ${column} ${code}`)).toEqual(
      expected.map((text) => `2 ${text}`),
    );
    expect(refused).toMatchObject([{ rowNumber: 2, code: findings[0]?.code }]);
    expect(refused[0]?.cells).toHaveLength(7);
  });

  it("is told by where it stands in the file, whatever is blank above it", async () => {
    const cohort = await read("accession_number,x\nA1,\n\n,,,\nA*,\n , \nA2,\n");
    expect(cohort.rows).toBe(3);
    expect(cohort.requests.map(({ rowNumber }) => rowNumber)).toEqual([1, 6]);
    expect(cohort.findings).toMatchObject([{ row: 4, code: "KEY_HAS_WILDCARD" }]);
  });

  it("is named by its column as the submitter wrote it, never by its value", async () => {
    const { findings } = await read("MRN,Accession Number\nSECRET-MRN,SECRET-ACCESSION*\n");
    expect(findings).toEqual([
      {
        row: 1,
        column: "Accession Number",
        code: "KEY_HAS_WILDCARD",
        message: expect.stringMatching(/^Row 1, column Accession Number: /),
      },
    ]);
    expect(JSON.stringify(findings)).not.toContain("SECRET");
  });

  it("is one without patient id where accession numbers are not unique, unless it has the UID", async () => {
    const { requests, findings } = await read("study_uid,accession_number,mrn\n,A1,\n,A1,7\n1.2.3,A1,\n", {
      accessionNumbersUnique: false,
    });
    expect(findings).toMatchObject([{ row: 1, column: "mrn", code: "PATIENT_ID_NEEDED" }]);
    expect(requests.map(({ rowNumber }) => rowNumber)).toEqual([2, 3]);
  });
});

describe("a file that is no cohort", () => {
  it.each<[string, string | Uint8Array, object]>([
    ["nothing", "", { code: "COHORT_UNREADABLE", details: { reason: "empty" } }],
    ["blanks", " \n \n", { code: "COHORT_UNREADABLE", details: { reason: "empty" } }],
    ["only names", "accession_number\n", { code: "COHORT_UNREADABLE", details: { reason: "no-rows" } }],
    ["no key column", "mrn,note\n1,2\n", { code: "COHORT_NO_KEY_COLUMN" }],
    ["data in the first line", "DOE,1.2.3\nROE,1.2.4\n", { code: "COHORT_NO_KEY_COLUMN", details: {} }],
    [
      "a column twice",
      "mrn,accession_number,Patient ID\n1,2,3\n",
      { code: "COHORT_UNREADABLE", details: { reason: "column-twice", column: "patient_id" } },
    ],
    [
      "the beginning of a workbook",
      Buffer.from("PK\x03\x04\x00\x00", "latin1"),
      { code: "COHORT_UNREADABLE", details: { reason: "xlsx-malformed" } },
    ],
    [
      "Latin-1",
      Buffer.from("accession_number,name\n1,M\xfcller\n", "latin1"),
      { code: "COHORT_UNREADABLE", details: { reason: "not-text" } },
    ],
    [
      "text of two bytes a character",
      Buffer.from("accession_number,name\n1,x\n", "utf16le"),
      { code: "COHORT_UNREADABLE", details: { reason: "not-text" } },
    ],
    [
      "a quote left open",
      'accession_number,x\n1,"a\n2,b\n',
      { code: "COHORT_UNREADABLE", details: { reason: "quote-not-closed" } },
    ],
    [
      "a stray quote",
      'accession_number,x\n1,a\n2,5" disk\n',
      { code: "COHORT_UNREADABLE", details: { reason: "quote-misplaced", line: 3 } },
    ],
    [
      "too many rows",
      "accession_number\n1\n2\n3\n4\n",
      { code: "COHORT_UNREADABLE", details: { reason: "too-many-rows" } },
    ],
    [
      "too many columns",
      "accession_number,a,b,c\n1,2,3,4\n",
      { code: "COHORT_UNREADABLE", details: { reason: "too-many-columns" } },
    ],
    [
      "a cell too long",
      `accession_number\n${"1".repeat(21)}\n`,
      { code: "COHORT_UNREADABLE", details: { reason: "cell-too-long" } },
    ],
    [
      "too many bytes",
      `accession_number\n${"1\n".repeat(150)}`,
      { code: "COHORT_UNREADABLE", details: { reason: "file-too-large" } },
    ],
  ])("%s", async (_, content, error) => {
    const limits = { ...TABLE_LIMITS, rows: 3, columns: 3, cellCharacters: 20, sizeBytes: 300 };
    await expect(read(content, { limits })).rejects.toMatchObject(error);
  });

  it("is one that is not there", async () => {
    const reading = readCohortFile(join(folder, "none.csv"), { project: "trial", accessionNumbersUnique: true });
    await expect(reading).rejects.toMatchObject({ code: "COHORT_FILE_MISSING" });
  });
});

it("keeps every leading zero", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.stringMatching(/^0{0,8}[0-9]{1,8}$/), { minLength: 1, maxLength: 20 }),
      async (keys) => {
        const { requests } = await read(
          `accession_number,patient_id\n${keys.map((key) => `${key},${key}`).join("\n")}\n`,
        );
        expect(requests.map(({ accessionNumber }) => accessionNumber)).toEqual(keys);
        expect(requests.map(({ patientId }) => patientId)).toEqual(keys);
      },
    ),
    { numRuns: 30 },
  );
});
