import { lstat, mkdir, mkdtemp, readdir, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writeOmopExtract } from "../../../../test/support/omop-extract.ts";
import { copyToExports } from "./export-folder.ts";
import { readExtract } from "./extract.ts";

const HEADER =
  "procedure_id,mrn,accession_number,project_name,extract_generated_timestamp,study_date,study_uid,participant_id,series_uid";
const row = (
  mrn: string,
  accession: string,
  { project = "p", date = "2022-11-22", uid = "", participant = "", series = "" } = {},
) => `4,${mrn},${accession},${project},2023-12-07T14:08:00Z,${date},${uid},${participant},${series}`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "extract-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(...lines: readonly string[]) {
  const path = join(folder, "extract.csv");
  await writeFile(path, lines.join("\n"));
  return await readExtract(path);
}

it("reads PIXL's columns into messages, leading zeros and all", async () => {
  const { rows } = await read(HEADER, row("0012", " A1 ", { uid: "1.2", participant: "P-1", series: "1.2.1\\1.2.2" }));
  expect(rows).toEqual([
    {
      message: {
        mrn: "0012",
        accessionNumber: "A1",
        studyUid: "1.2",
        seriesUid: "1.2.1\\1.2.2",
        studyDate: "2022-11-22",
        procedureOccurrenceId: 4,
        projectName: "p",
        extractGeneratedTimestamp: "2023-12-07T14:08:00Z",
      },
      participantId: "P-1",
    },
  ]);
});

it("leaves out repetitions and rows without keys, keeps other series of a study, sorts by project and date", async () => {
  const { rows, refused } = await read(
    HEADER,
    row("1", "B", { project: "q" }),
    row("1", "A", { date: "2023-01-01" }),
    row("1", "A", { date: "2023-01-01" }),
    row("1", "A", { date: "2023-01-01", series: "1.5" }),
    row("1", "NA"),
    row("1", "C", { date: "2021-01-01" }),
  );
  expect(rows.map(({ message }) => [message.projectName, message.accessionNumber, message.seriesUid])).toEqual([
    ["p", "C", ""],
    ["p", "A", ""],
    ["p", "A", "1.5"],
    ["q", "B", ""],
  ]);
  expect(refused).toEqual([]);
});

it("keeps a project's rows together where another project's name begins with its own", async () => {
  const { rows } = await read(
    HEADER,
    row("1", "A", { project: "trial", date: "2019-01-01" }),
    row("2", "B", { project: "trial20", date: "2020-01-01" }),
    row("3", "C", { project: "trial", date: "2023-01-01" }),
  );
  expect(rows.map(({ message }) => message.projectName)).toEqual(["trial", "trial", "trial20"]);
});

it("refuses rows whose keys may not be asked for, by their number", async () => {
  const { rows, refused } = await read(HEADER, row("NaN", "A"), row("1", "A*"), row("1", "A"), "", row("7.0", "A"));
  expect(rows).toHaveLength(1);
  expect(refused.map(({ row: number, error }) => [number, error.code, error.details])).toEqual([
    [1, "PIXL_MESSAGE_KEYS_BLANK", {}],
    [2, "PIXL_MESSAGE_KEY_UNSAFE", { field: "accession_number", reason: "KEY_HAS_WILDCARD" }],
    [5, "PIXL_MESSAGE_KEY_UNSAFE", { field: "mrn", reason: "KEY_DAMAGED_BY_SPREADSHEET" }],
  ]);
});

it.each<readonly [string, readonly string[], Readonly<Record<string, unknown>>]>([
  ["a missing column", ["mrn,accession_number", "1,A"], { code: "PIXL_EXTRACT_INVALID" }],
  [
    "a date of another form",
    [HEADER, row("1", "A", { date: "22/11/2022" })],
    { details: { row: 1, column: "study_date" } },
  ],
  [
    "a day that never was",
    [HEADER, row("1", "A", { date: "2022-02-30" })],
    { details: { row: 1, column: "study_date" } },
  ],
  ["no study", [HEADER, row("1", "")], { code: "PIXL_EXTRACT_EMPTY" }],
  ["an empty file", [""], { details: { fault: "empty" } }],
])("refuses a file with %s", async (_, lines, refusal) => {
  await expect(read(...lines)).rejects.toMatchObject(refusal);
});

const PROCEDURES = [
  { id: 4, mrn: "0012", accession: "A1", studyUid: "1.2" },
  { id: 5, mrn: "0013", studyUid: "1.3" },
  { id: 6, mrn: "0013", accession: "A2" },
];

it.each([false, true])(
  "reads an OMOP extract, and of it what has an accession number (batched: %s)",
  async (batched) => {
    const path = join(folder, `omop-${batched}`);
    await mkdir(path);
    await writeOmopExtract(path, PROCEDURES, { batched, project: "My Trial" });
    const { rows, isOmop } = await readExtract(path);
    expect(isOmop).toBe(true);
    expect(rows.map(({ message }) => message)).toMatchObject([
      {
        mrn: "0012",
        accessionNumber: "A1",
        studyUid: "1.2",
        seriesUid: "",
        studyDate: "2022-11-22",
        procedureOccurrenceId: 4,
        projectName: "my-trial",
        extractGeneratedTimestamp: "2023-12-07T14:08:58",
      },
      { mrn: "0013", accessionNumber: "A2", studyUid: "", procedureOccurrenceId: 6 },
    ]);
  },
);

it("refuses a folder that is no OMOP extract", async () => {
  await expect(readExtract(folder)).rejects.toMatchObject({
    code: "PIXL_EXTRACT_INVALID",
    details: { fault: "folder-incomplete", what: "public/omop" },
  });
});

it("exports the public part of an extract, without what links lead to, the last one as the latest", async () => {
  const [extract, root] = [join(folder, "to-export"), join(folder, "exports")];
  await mkdir(extract);
  await writeOmopExtract(extract, PROCEDURES);
  await symlink(join(extract, "private"), join(extract, "public", "omop", "people"));
  const exported = { extract, root, projectName: "trial" };
  await expect(copyToExports({ ...exported, generatedAt: "2023-12-07T14:08:58" })).rejects.toMatchObject({
    code: "FOLDER_NOT_WRITABLE",
  });
  await mkdir(root);
  await copyToExports({ ...exported, generatedAt: "2023-12-07T14:08:58" });
  const last = await copyToExports({ ...exported, generatedAt: "2023-12-08T00:00:00+01:00" });
  await copyToExports({ ...exported, generatedAt: "2023-12-08T00:00:00+01:00" });
  expect(last).toBe(join(root, "trial/all_extracts/2023-12-08t00-00-00-01-00"));
  expect(await readdir(join(root, "trial/all_extracts"))).toEqual(["2023-12-07t14-08-58", "2023-12-08t00-00-00-01-00"]);
  expect(await readlink(join(root, "trial/latest"))).toBe(last);
  expect(await readdir(join(root, "trial"))).toEqual(["all_extracts", "latest"]);
  expect((await lstat(join(last, "omop/public/omop/PROCEDURE_OCCURRENCE.parquet"))).isFile()).toBe(true);
  expect(await readdir(join(last, "omop/public/omop"))).toEqual(["PROCEDURE_OCCURRENCE.parquet"]);
});
