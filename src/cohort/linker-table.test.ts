import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parquetMetadata } from "hyparquet";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import type { ExportRow, JobRecord } from "../store/records.ts";
import { linkedStudies, linkerTable } from "./linker-table.ts";
import { readParquetColumns } from "./parquet-columns.ts";
import { TABLE_LIMITS } from "./table-file.ts";

const COLUMNS = ["procedure_occurrence_id", "pseudo_study_uid"];

const JOB: JobRecord = {
  id: "job",
  project: "trial",
  state: "delivered",
  stage: "confirming",
  code: undefined,
  verdict: "complete",
  archive: "vna",
  seriesInstanceUids: undefined,
  participantId: undefined,
  priority: 3,
  studyInstanceUid: "1.2.3",
  patientId: "4711",
  accessionNumber: "007",
  expected: 3,
  received: 3,
  excluded: 0,
  delivered: 3,
  attempts: 0,
  waitingUntilMs: undefined,
  pseudonym: "P1",
  pseudoStudyInstanceUid: undefined,
  createdAtMs: 0,
  finishedAtMs: 0,
};

async function* each(rows: readonly ExportRow[]): AsyncGenerator<ExportRow> {
  yield* rows;
}

/** A row with the studies that were delivered for it, and those that were not. */
function row(
  rowNumber: number,
  procedure: string,
  delivered: readonly (string | undefined)[],
  others: Partial<Record<JobRecord["state"], string>> = {},
): ExportRow {
  const job = (state: JobRecord["state"], uid: string | undefined) => ({ ...JOB, state, pseudoStudyInstanceUid: uid });
  const jobs = [
    ...delivered.map((uid) => job("delivered", uid)),
    ...Object.entries(others).map(([state, uid]) => job(state as JobRecord["state"], uid)),
  ];
  return { rowNumber, cells: ["A1", procedure], refusedCode: undefined, jobs };
}

const links = (rows: readonly ExportRow[], columns = ["accession_number", "procedure_id"]) =>
  linkedStudies({ columns, rows: each(rows) });

it("names each procedure's delivered studies once, whichever rows asked for them", async () => {
  const found = await links([
    row(1, "4", ["2.25.1"], { failed: "2.25.9", quarantined: "2.25.8", running: "2.25.7" }),
    row(2, "04.0", ["2.25.1", "2.25.1"]),
    row(3, "900719925474099301", ["2.25.2", "2.25.3"]),
    row(4, "no number, and nothing delivered", []),
    row(5, "5", [undefined]),
  ]);
  expect(found.map((link) => Object.values(link))).toEqual([
    [4n, "2.25.1"],
    [900719925474099301n, "2.25.2"],
    [900719925474099301n, "2.25.3"],
  ]);
});

it("takes every whole number of 64 bits for a procedure, as ids are that were made by hashing, and none beyond", async () => {
  const ids = [-(2n ** 63n), -5577006791947779410n, 2n ** 63n - 1n];
  const found = await links(ids.map((id, index) => row(index + 1, `${id}`, ["2.25.1"])));
  expect(found.map(({ procedureOccurrenceId }) => procedureOccurrenceId)).toEqual(ids);
  await expect(links([row(1, `${2n ** 63n}`, ["2.25.1"])])).rejects.toMatchObject({ code: "COHORT_NOT_LINKABLE" });
});

it.each([
  ["without such a column", [row(1, "4", ["2.25.1"])], ["accession_number", "procedure"], {}],
  ["with something else in it", [row(7, "four", ["2.25.1"])], undefined, { row: 7 }],
  ["with a number of more than 64 bits", [row(8, "9223372036854775808", ["2.25.1"])], undefined, { row: 8 }],
])("refuses a cohort %s", async (_, rows, columns, details) => {
  await expect(links(rows, columns)).rejects.toMatchObject({ code: "COHORT_NOT_LINKABLE", details });
});

it.each([0, 2])("is a Parquet file of exactly two columns, with %i rows", async (count) => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "IMAGE_LINKER.parquet");
  const uids = ["2.25.1", "2.25.2"].slice(0, count);
  const bytes = linkerTable(
    uids.map((pseudoStudyUid, index) => ({ procedureOccurrenceId: BigInt(index), pseudoStudyUid })),
  );
  await writeFile(path, bytes);
  expect(
    parquetMetadata(new Uint8Array(bytes).buffer)
      .schema.slice(1)
      .map(({ name, repetition_type }) => [name, repetition_type]),
  ).toEqual(COLUMNS.map((name) => [name, "REQUIRED"]));
  expect(await readParquetColumns(path, COLUMNS, TABLE_LIMITS)).toEqual(uids.map((uid, index) => [`${index}`, uid]));
});
