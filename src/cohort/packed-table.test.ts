import { mkdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeOmopExtract, writeParquet } from "../../test/support/omop-extract.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { seededRandom } from "../units/random.ts";
import { readOmopExtract, readPackedTable } from "./packed-table.ts";
import { readParquetColumns } from "./parquet-columns.ts";
import { slugOf } from "./pixl-extract.ts";
import { readCohortFile } from "./read-cohort.ts";
import { TABLE_LIMITS, TableError } from "./table-file.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let path: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  path = join(folder.path, "extract");
  await mkdir(path);
});
afterEach(() => folder[Symbol.asyncDispose]());

const PROCEDURES = [
  { id: 4, mrn: "0987654321", accession: "AA12345601", studyUid: "1.3.6.1.1" },
  { id: 5, mrn: "5020765", accession: "AA12345605" },
  { id: 6, mrn: "0987654321" },
  { id: 7, mrn: "5020765", accession: "", studyUid: "1.3.6.1.2" },
  { id: 8, mrn: "5020765", accession: "  ", studyUid: "" },
];
const read = () => readOmopExtract(path, TABLE_LIMITS);

describe("an OMOP extract", () => {
  it.each([false, true])("is the table that PIXL's CSV extracts are (batched: %s)", async (batched) => {
    await writeOmopExtract(path, PROCEDURES, { batched, project: "Test Extract - UCLH OMOP CDM" });
    const project = "test-extract-uclh-omop-cdm";
    const row = (id: string, mrn: string, accession: string, uid: string) => [
      id,
      mrn,
      accession,
      project,
      "2023-12-07T14:08:58",
      "2022-11-22",
      uid,
      "",
    ];
    expect(await read()).toEqual({
      columns: [
        "procedure_id",
        "mrn",
        "accession_number",
        "project_name",
        "extract_generated_timestamp",
        "study_date",
        "study_uid",
        "participant_id",
      ],
      rows: [
        { number: 1, cells: row("4", "0987654321", "AA12345601", "1.3.6.1.1") },
        { number: 2, cells: row("5", "5020765", "AA12345605", "") },
        { number: 3, cells: row("7", "5020765", "", "1.3.6.1.2") },
      ],
    });
  });

  it("joins nothing to what has no number: a procedure of nobody is not that of a person without a number", async () => {
    await writeOmopExtract(path, PROCEDURES);
    await writeParquet(join(path, "private/PERSON_LINKS.parquet"), [
      { name: "person_id", type: "INT64", data: [1n, undefined] },
      { name: "PrimaryMrn", type: "STRING", data: ["0987654321", "5020765"] },
    ]);
    await writeParquet(join(path, "public/omop/PROCEDURE_OCCURRENCE.parquet"), [
      { name: "procedure_occurrence_id", type: "INT64", data: [4n, 5n] },
      { name: "person_id", type: "INT64", data: [1n, undefined] },
      { name: "procedure_date", type: "STRING", data: ["2022-11-22", "2022-11-22"] },
    ]);
    expect((await read()).rows.map(({ cells }) => cells.slice(0, 3))).toEqual([["4", "0987654321", "AA12345601"]]);
  });

  it("is a cohort of its project", async () => {
    await writeOmopExtract(path, [...PROCEDURES, { id: 9, mrn: "5020765", accession: "A*" }]);
    const cohort = await readCohortFile(path, { project: "trial", accessionNumbersUnique: false });
    expect(
      cohort.requests.map(({ patientId, accessionNumber, studyInstanceUid }) => [
        patientId,
        accessionNumber,
        studyInstanceUid,
      ]),
    ).toEqual([
      ["0987654321", "AA12345601", "1.3.6.1.1"],
      ["5020765", "AA12345605", undefined],
      ["5020765", undefined, "1.3.6.1.2"],
    ]);
    expect(cohort.findings).toMatchObject([{ row: 4, column: "accession_number", code: "KEY_HAS_WILDCARD" }]);
    const other = await readCohortFile(path, { project: "other", accessionNumbersUnique: false });
    expect(new Set(other.refused.map(({ code }) => code))).toContain("PROJECT_DIFFERS");
  });

  it("asks for no study by floating-point numbers that may have been others, nor by what such ones join", async () => {
    // 12345678901234567 and 12345678901234568 are the same double.
    const inexact = 12345678901234568;
    const column = (name: string, type: "DOUBLE" | "STRING", data: readonly unknown[]) => ({ name, type, data });
    await writeOmopExtract(path, PROCEDURES);
    await writeParquet(join(path, "private/PERSON_LINKS.parquet"), [
      column("person_id", "DOUBLE", [1, inexact]),
      column("PrimaryMrn", "DOUBLE", [5020765, 5020766]),
    ]);
    await writeParquet(join(path, "public/omop/PROCEDURE_OCCURRENCE.parquet"), [
      column("procedure_occurrence_id", "DOUBLE", [4, 5, 6, inexact]),
      column("person_id", "DOUBLE", [1, 1, inexact, 1]),
      column("procedure_date", "STRING", Array(4).fill("2022-11-22")),
    ]);
    await writeParquet(join(path, "private/PROCEDURE_OCCURRENCE_LINKS.parquet"), [
      column("procedure_occurrence_id", "DOUBLE", [4, 5, 6, inexact]),
      column("AccessionNumber", "DOUBLE", [4711, inexact, 4713, 4714]),
      column("StudyUid_X", "STRING", Array(4).fill("1.3.6.1.1")),
    ]);
    const { requests, findings } = await readCohortFile(path, { project: "trial", accessionNumbersUnique: false });
    expect(requests.map(({ patientId, accessionNumber }) => [patientId, accessionNumber])).toEqual([
      ["5020765", "4711"],
    ]);
    expect(findings.map(({ row, column: of, code }) => [row, of, code])).toEqual([
      [2, "accession_number", "KEY_DAMAGED_BY_SPREADSHEET"],
      [3, "mrn", "KEY_DAMAGED_BY_SPREADSHEET"],
      [4, "accession_number", "KEY_DAMAGED_BY_SPREADSHEET"],
    ]);
  });

  it.each([
    ["2023-12-07 14:08", "2023-12-07T14:08:00"],
    ["2023-12-07T14:08:58.250000", "2023-12-07T14:08:58.250000"],
    ["2023-12-07T14:08:58+01:00", "2023-12-07T14:08:58+01:00"],
    ["2023-12-07T14:08:58Z", "2023-12-07T14:08:58+00:00"],
    ["2023-12-07T14:08:58.12-00:00", "2023-12-07T14:08:58.120000+00:00"],
    ["2023-12-07T14:08:58.000", "2023-12-07T14:08:58"],
  ])("tells when it was made, as Python writes it: PIXL names folders by it: %s", async (datetime, written) => {
    await writeOmopExtract(path, PROCEDURES.slice(0, 1), { datetime });
    expect((await read()).rows[0]?.cells[4]).toBe(written);
  });
});

describe("a folder that is no OMOP extract", () => {
  it.each<readonly [string, () => Promise<unknown>, Readonly<Record<string, unknown>>]>([
    [
      "without private",
      () => rm(join(path, "private"), { recursive: true }),
      { fault: "folder-incomplete", what: "private" },
    ],
    [
      "without public",
      () => rm(join(path, "public"), { recursive: true }),
      { fault: "folder-incomplete", what: "public/omop" },
    ],
    ["without a table", () => rm(join(path, "private/PERSON_LINKS.parquet")), { fault: "folder-incomplete" }],
    [
      "without a summary",
      () => rm(join(path, "extract_summary.json")),
      { fault: "folder-incomplete", what: "extract_summary.json" },
    ],
    ["with another summary", () => writeFile(join(path, "extract_summary.json"), "{}"), { fault: "summary-malformed" }],
    ["with an empty table", () => truncate(join(path, "private/PERSON_LINKS.parquet")), { fault: "parquet-malformed" }],
    [
      "with another table",
      () =>
        writeParquet(join(path, "private/PERSON_LINKS.parquet"), [{ name: "person_id", type: "INT64", data: [1n] }]),
      { fault: "column-missing", what: "PrimaryMrn" },
    ],
    [
      "with a table of something else than texts",
      async () => {
        const columns = [{ name: "person_id", type: "INT64", data: [1n] } as const];
        const flags = { name: "PrimaryMrn", type: "BOOLEAN", data: [true] } as const;
        await writeParquet(join(path, "private/PERSON_LINKS.parquet"), [...columns, flags]);
      },
      { fault: "parquet-malformed" },
    ],
  ])("%s is refused", async (_, damage, refusal) => {
    await writeOmopExtract(path, PROCEDURES);
    await damage();
    await expect(read()).rejects.toMatchObject(refusal);
    await expect(readCohortFile(path, { project: "trial", accessionNumbersUnique: true })).rejects.toMatchObject({
      code: "COHORT_UNREADABLE",
      details: { reason: refusal.fault },
    });
  });

  it("because a batched table has no parts is refused", async () => {
    await writeOmopExtract(path, PROCEDURES, { batched: true });
    await rm(join(path, "private/person_links"), { recursive: true });
    await mkdir(join(path, "private/person_links"));
    await expect(read()).rejects.toMatchObject({ fault: "folder-incomplete", what: "private/person_links" });
  });
});

/** One column of one INT64: its page of a few bytes says that it holds 300,000,000 of them, each as large as the one before (DELTA_BINARY_PACKED). */
const PACKED_NUMBERS = [
  "UEFSMRUAFTQVNCwVgIyNngIVChUGFQYAAICAgEAEgMaGjwECAAAAAAAAAAAAAAAAAAAAFQIZLEgEcm9vdBUCABUEJQAYEnN0dWR5",
  "X2luc3RhbmNlX3VpZAAWAhkcGRwmCBwVBBkVABkYEnN0dWR5X2luc3RhbmNlX3VpZBUAFgIWXhZeJggAABbIARYCAABcAAAAUEFS",
  "MQ==",
].join("");

describe("a folder that is made to do harm", () => {
  it("ends its thread by never being read to its end", async () => {
    await writeOmopExtract(path, PROCEDURES);
    const table = join(path, "private/PROCEDURE_OCCURRENCE_LINKS.parquet");
    const bytes = await readFile(table);
    // The header of the second page: definition levels, field 5, take 2 bytes; repetition levels, field 6, none; end. The reader goes astray
    // where field 6 is of a type that there is not.
    const header = Buffer.from([0x15, 0x04, 0x15, 0x00, 0x00]);
    const levels = bytes.indexOf(header, bytes.indexOf(header) + 1);
    bytes[levels + 2] = 0xd0;
    await writeFile(table, bytes);
    const limits = { fileMs: 1_000, bytesPerSecond: 1_000_000, memoryMegabytes: 512 };
    await expect(readOmopExtract(path, TABLE_LIMITS, limits)).rejects.toMatchObject({ fault: "takes-too-long" });
  });

  it("ends its thread by taking too much memory", async () => {
    await writeOmopExtract(
      path,
      Array.from({ length: 25_000 }, (_, id) => ({ id, mrn: "1", accession: `A${id}` })),
    );
    const limits = { fileMs: 60_000, bytesPerSecond: 1_000_000, memoryMegabytes: 16 };
    await expect(readOmopExtract(path, TABLE_LIMITS, limits)).rejects.toMatchObject({ fault: "parquet-malformed" });
  });
});

it("ends its thread when a few bytes unpack to gigabytes outside of the heap", async () => {
  const file = join(path, "bomb.parquet");
  await writeFile(file, Buffer.from(PACKED_NUMBERS, "base64"));
  const task = { source: "parquet", path: file, limits: TABLE_LIMITS } as const;
  const limits = { fileMs: 60_000, bytesPerSecond: 1_000_000, memoryMegabytes: 512 };
  await expect(readPackedTable(task, limits)).rejects.toMatchObject({ fault: "parquet-malformed" });
});

describe("a Parquet file", () => {
  const columns = ["procedure_occurrence_id", "AccessionNumber"];
  const table = () => join(path, "private/PROCEDURE_OCCURRENCE_LINKS.parquet");
  /** Either a table, or a refusal of the registry: nothing else comes out. */
  async function outcome(): Promise<string> {
    try {
      return `${(await readParquetColumns(table(), columns, TABLE_LIMITS)).length} rows`;
    } catch (thrown) {
      if (thrown instanceof TableError) return thrown.fault;
      throw thrown;
    }
  }

  it("that was cut anywhere is refused", async () => {
    await writeOmopExtract(path, PROCEDURES);
    const whole = await readFile(table());
    const outcomes = new Set<string>();
    for (let length = 0; length < whole.length; length += 7) {
      await writeFile(table(), whole.subarray(0, length));
      outcomes.add(await outcome());
    }
    expect([...outcomes]).toEqual(["parquet-malformed"]);
  });

  it("in which bytes were changed is read or refused", async () => {
    await writeOmopExtract(path, PROCEDURES);
    const whole = await readFile(table());
    const random = seededRandom(7);
    for (let round = 0; round < 300; round += 1) {
      const damaged = Buffer.from(whole);
      for (let change = 0; change < 3; change += 1) {
        damaged[Math.floor(random.next() * damaged.length)] = Math.floor(random.next() * 256);
      }
      await writeFile(table(), damaged);
      await outcome();
    }
  });

  it("of more rows than the limit allows is refused before they are read", async () => {
    await writeOmopExtract(
      path,
      Array.from({ length: 31 }, (_, id) => ({ id, mrn: "1", accession: `A${id}` })),
    );
    const limits = { ...TABLE_LIMITS, rows: 3 };
    await expect(readParquetColumns(table(), columns, limits)).rejects.toMatchObject({ fault: "too-many-rows" });
    await expect(readOmopExtract(path, { ...limits, rows: 10 })).rejects.toMatchObject({ fault: "too-many-rows" });
  });

  it("with a text that is no cell is refused", async () => {
    await writeOmopExtract(path, [{ id: 1, mrn: "1", accession: "A".repeat(50) }]);
    const limits = { ...TABLE_LIMITS, cellCharacters: 40 };
    await expect(readParquetColumns(table(), columns, limits)).rejects.toMatchObject({ fault: "cell-too-long" });
  });
});

it.each([
  ["Test Extract - UCLH OMOP CDM", "test-extract-uclh-omop-cdm"],
  ["Études: 1,000 of  them!", "etudes-1000-of-them"],
  ["plain", "plain"],
])("makes a project's name of %s", (text, slug) => {
  expect(slugOf(text)).toBe(slug);
});
