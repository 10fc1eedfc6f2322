import { access, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { readParquetColumns } from "./parquet-columns.ts";
import { PIXL_COLUMNS, slugOf } from "./pixl-extract.ts";
import { type Table, TableError, type TableLimits, type TableRow } from "./table-file.ts";

/** The tables that are joined: a folder of part files where the extract was made in batches, else one file. */
const PEOPLE = { batched: "private/person_links", single: "private/PERSON_LINKS.parquet" };
const LINKS = { batched: "private/procedure_occurrence_links", single: "private/PROCEDURE_OCCURRENCE_LINKS.parquet" };
const PROCEDURES = {
  batched: "public/omop/procedure_occurrence",
  single: "public/omop/PROCEDURE_OCCURRENCE.parquet",
};
type Place = typeof PEOPLE;

const SUMMARY = "extract_summary.json";
const SUMMARY_LIMIT_BYTES = 1 << 20;
const MOST_PARTS = 10_000;
/** ISO 8601 as Python's `datetime.fromisoformat` takes it. */
const MOMENT = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?:(:\d\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d:\d\d)?$/;

const summaryShape = z.object({
  datetime: z.string().regex(MOMENT),
  settings: z.object({ cdm_source_name: z.string().min(1).max(1_000) }),
});

/**
 * The procedures of an OMOP extract that have an accession number or a study UID, as PIXL joins them: persons with their MRN, procedures with
 * their date, links with what the archive knows them by.
 * @param onFile told of each Parquet file before it is read
 * @throws TableError
 */
export async function readOmopTables(
  folder: string,
  limits: TableLimits,
  onFile: (sizeBytes: number) => void = () => undefined,
): Promise<Table> {
  for (const name of ["public/omop", "private"]) await requireFolder(join(folder, name), name);
  const { project, generatedAt } = await readSummary(folder);
  const isBatched = await areFolders([PROCEDURES, PEOPLE, LINKS].map(({ batched }) => join(folder, batched)));
  const doubtful = new Set<string>();
  const readFile = (path: string, columns: readonly string[]) =>
    readParquetColumns(join(folder, path), columns, limits, onFile, (text) => doubtful.add(text));
  const read = (place: Place, columns: readonly string[]) => readTables(folder, place, isBatched, columns, readFile);
  const people = await read(PEOPLE, ["person_id", "PrimaryMrn"]);
  const procedures = await read(PROCEDURES, ["procedure_occurrence_id", "person_id", "procedure_date"]);
  const links = await read(LINKS, ["procedure_occurrence_id", "AccessionNumber", "StudyUid_X"]);

  const mrnsOf = groupedBy(people);
  const linksOf = groupedBy(links.filter(([, accession, uid]) => !isBlank(accession) || !isBlank(uid)));
  const rows: TableRow[] = [];
  for (const [procedure, person, date] of procedures) {
    for (const [, accession = "", uid = ""] of linksOf.get(procedure ?? "") ?? []) {
      for (const [, mrn = ""] of mrnsOf.get(person ?? "") ?? []) {
        if (rows.length === limits.rows) throw new TableError("too-many-rows");
        // In the order of PIXL_COLUMNS.
        const cells = [procedure ?? "", mrn, accession, project, generatedAt, (date ?? "").slice(0, 10), uid, ""];
        rows.push({ number: rows.length + 1, cells, ...doubtIn({ procedure, person, mrn, accession }, doubtful) });
      }
    }
  }
  return { columns: PIXL_COLUMNS, rows };
}

type Row = readonly (string | undefined)[];

interface Joined {
  readonly procedure: string | undefined;
  readonly person: string | undefined;
  readonly mrn: string;
  readonly accession: string;
}

const [MRN, ACCESSION] = [PIXL_COLUMNS.indexOf("mrn"), PIXL_COLUMNS.indexOf("accession_number")];

/** What a number joins that may have been another one may be another's, too. */
function doubtIn(
  { procedure = "", person = "", mrn, accession }: Joined,
  doubtful: ReadonlySet<string>,
): Pick<TableRow, "doubtful"> {
  const columns = [
    ...(doubtful.has(mrn) || doubtful.has(person) ? [MRN] : []),
    ...(doubtful.has(accession) || doubtful.has(procedure) ? [ACCESSION] : []),
  ];
  return columns.length === 0 ? {} : { doubtful: new Set(columns) };
}

/** Rows by their first cell; those without one join nothing. */
function groupedBy(rows: readonly Row[]): ReadonlyMap<string, readonly Row[]> {
  return Map.groupBy(
    rows.filter(([key]) => !isBlank(key)),
    ([key]) => key ?? "",
  );
}

function isBlank(text: string | undefined): boolean {
  return text === undefined || text.trim() === "";
}

async function readTables(
  folder: string,
  place: Place,
  isBatched: boolean,
  columns: readonly string[],
  read: (path: string, columns: readonly string[]) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  if (!isBatched) return await read(place.single, columns);
  const names = (await readdir(join(folder, place.batched))).filter((name) => name.endsWith(".parquet")).sort();
  if (names.length === 0) throw new TableError("folder-incomplete", undefined, place.batched);
  if (names.length > MOST_PARTS) throw new TableError("too-many-rows", undefined, place.batched);
  const rows: Row[] = [];
  for (const name of names) {
    for (const row of await read(join(place.batched, name), columns)) rows.push(row);
  }
  return rows;
}

async function requireFolder(path: string, name: string): Promise<void> {
  if (!(await areFolders([path]))) throw new TableError("folder-incomplete", undefined, name);
}

async function areFolders(paths: readonly string[]): Promise<boolean> {
  const facts = await Promise.all(paths.map((path) => stat(path).catch(() => undefined)));
  return facts.every((one) => one?.isDirectory() === true);
}

async function readSummary(folder: string): Promise<{ readonly project: string; readonly generatedAt: string }> {
  const path = join(folder, SUMMARY);
  await access(path).catch(() => {
    throw new TableError("folder-incomplete", undefined, SUMMARY);
  });
  try {
    const { size } = await stat(path);
    if (size > SUMMARY_LIMIT_BYTES) throw new RangeError("too long");
    const { datetime, settings } = summaryShape.parse(JSON.parse(await readFile(path, "utf8")));
    return { project: slugOf(settings.cdm_source_name), generatedAt: asPython(datetime) };
  } catch {
    throw new TableError("summary-malformed", undefined, SUMMARY);
  }
}

/** As Python's `isoformat` writes it again: PIXL's export API looks for the extract in the folder of that name. */
function asPython(moment: string): string {
  const [, day = "", minute = "", second = ":00", fraction = "", zone = ""] = MOMENT.exec(moment) ?? [];
  const microseconds = /[1-9]/.test(fraction) ? `.${fraction.padEnd(6, "0")}` : "";
  return `${day}T${minute}${second}${microseconds}${zone.replace(/^(?:Z|-00:00)$/, "+00:00")}`;
}
