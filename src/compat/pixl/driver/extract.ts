import { stat } from "node:fs/promises";
import { PIXL_COLUMNS, pixlCell } from "../../../cohort/pixl-extract.ts";
import { readCohortTable } from "../../../cohort/read-table.ts";
import { TableError } from "../../../cohort/table-file.ts";
import type { ErrorDocument } from "../../../errors/gateway-error.ts";
import { GatewayError, toGatewayError } from "../../../errors/gateway-error.ts";
import { checkKeys } from "../messages/keys.ts";
import type { Message } from "../messages/message.ts";
import { momentOf } from "../messages/python-dates.ts";

/** One study of an extract: its message, and what only the database is told. */
export interface ExtractRow {
  readonly message: Message;
  readonly participantId: string;
}

export interface Extract {
  /** By project, then study date. */
  readonly rows: readonly ExtractRow[];
  /** Repetitions and refused rows too, as they stand there: one study may be of several procedures. */
  readonly all: readonly ExtractRow[];
  /** It is a folder of Parquet files. */
  readonly isOmop: boolean;
  /** Rows without a key that may be asked for; rows below the heading count from 1. */
  readonly refused: readonly { readonly row: number; readonly error: ErrorDocument }[];
}

type Column = (typeof PIXL_COLUMNS)[number] | "series_uid";

const KEY_COLUMNS = ["mrn", "accession_number", "study_uid", "series_uid"] as const satisfies readonly Column[];

const DATE = /^\d{4}-\d\d-\d\d$/;
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
/** An OMOP extract's may be without a zone. */
const OMOP_TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;
const WHOLE_NUMBER = /^\d{1,15}$/;

/**
 * Reads an extract, a CSV file or a folder of Parquet files, as PIXL's command line does: rows without accession number and study UID are
 * left out, those of a folder without accession number too, and so are repetitions. Unlike there, rows of one study that name other series
 * are kept.
 * @throws GatewayError PIXL_EXTRACT_INVALID, PIXL_EXTRACT_EMPTY
 */
export async function readExtract(path: string): Promise<Extract> {
  const isOmop = (await stat(path).catch(() => undefined))?.isDirectory() === true;
  const { columns, rows } = await readCells(path);
  const places = new Map(columns.map((name, index) => [name.trim(), index]));
  const missing = PIXL_COLUMNS.filter((name) => !places.has(name));
  if (missing.length > 0) throw new GatewayError("PIXL_EXTRACT_INVALID", { missing: missing.join(", ") });
  const found = new Map<string, ExtractRow>();
  const all: ExtractRow[] = [];
  const refused: Extract["refused"][number][] = [];
  for (const { number, cells, doubtful } of rows) {
    const row = rowOf((column) => cellIn(cells, places.get(column)), number, isOmop ? OMOP_TIMESTAMP : TIMESTAMP);
    const { message } = row;
    if (message.accessionNumber === "" && (isOmop || message.studyUid === "")) continue;
    all.push(row);
    try {
      const damaged = KEY_COLUMNS.find((column) => doubtful?.has(places.get(column) ?? -1));
      if (damaged !== undefined) {
        const facts = { field: damaged, reason: "KEY_DAMAGED_BY_SPREADSHEET" };
        throw new GatewayError("PIXL_MESSAGE_KEY_UNSAFE", facts);
      }
      checkKeys(message);
    } catch (thrown) {
      refused.push({ row: number, error: toGatewayError(thrown).toJSON() });
      continue;
    }
    const key = JSON.stringify([message.projectName, ...keyOf(message), message.seriesUid]);
    if (!found.has(key)) found.set(key, row);
  }
  if (found.size === 0) throw new GatewayError("PIXL_EXTRACT_EMPTY", { refused: refused.length });
  return { rows: [...found.values()].sort(byProjectAndDate), all, isOmop, refused };
}

async function readCells(path: string): ReturnType<typeof readCohortTable> {
  try {
    return await readCohortTable(path, (columns) => columns.filter((name) => isColumn(name.trim())).length);
  } catch (thrown) {
    if (!(thrown instanceof TableError)) throw thrown;
    const { fault, line, what } = thrown;
    const place = { ...(line !== undefined && { line }), ...(what !== undefined && { what }) };
    throw new GatewayError("PIXL_EXTRACT_INVALID", { fault, ...place });
  }
}

function isColumn(name: string): boolean {
  return PIXL_COLUMNS.some((column) => column === name);
}

function cellIn(cells: readonly string[], place: number | undefined): string {
  return pixlCell(place === undefined ? "" : (cells[place] ?? ""));
}

function rowOf(cell: (column: Column) => string, row: number, timestamp: RegExp): ExtractRow {
  const checked = (column: Column, form: RegExp): string => {
    const value = cell(column);
    if (!form.test(value) || (form !== WHOLE_NUMBER && momentOf(value) === undefined))
      throw new GatewayError("PIXL_EXTRACT_INVALID", { row, column });
    return value;
  };
  return {
    message: {
      mrn: cell("mrn"),
      accessionNumber: cell("accession_number"),
      studyUid: cell("study_uid"),
      seriesUid: cell("series_uid"),
      studyDate: checked("study_date", DATE),
      procedureOccurrenceId: Number(checked("procedure_id", WHOLE_NUMBER)),
      projectName: cell("project_name"),
      extractGeneratedTimestamp: checked("extract_generated_timestamp", timestamp),
    },
    participantId: cell("participant_id"),
  };
}

function keyOf({ mrn, accessionNumber, studyUid }: Message): readonly string[] {
  return [mrn, accessionNumber, studyUid];
}

function byProjectAndDate({ message: one }: ExtractRow, { message: other }: ExtractRow): number {
  return compared(one.projectName, other.projectName) || compared(one.studyDate, other.studyDate);
}

/** In the order of the characters' codes, as in PIXL, whatever the language of this machine. */
function compared(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
