import { GatewayError } from "../errors/gateway-error.ts";
import { type ErrorCode, errorRegistry } from "../errors/registry.ts";
import type { NewRequest, RefusedRow } from "../store/records.ts";
import { checkRow } from "./check-row.ts";
import { findKnownColumns, type KnownColumn, type KnownPlace } from "./columns.ts";
import { fitCells } from "./fit-cells.ts";
import { isPixlExtract, pixlCell } from "./pixl-extract.ts";
import { readCohortTable } from "./read-table.ts";
import { type Table, TableError, type TableLimits, unreadableTable } from "./table-file.ts";

export interface CohortOptions {
  readonly project: string;
  /** False: an accession number counts only with a patient id beside it. */
  readonly accessionNumbersUnique: boolean;
  readonly optOut?: ReadonlySet<string>;
  readonly isWithdrawn?: (patientId: string) => boolean;
  readonly limits?: TableLimits;
}

/** One thing wrong with one cell. It never repeats the cell. */
interface CohortFinding {
  /** Rows below the heading count from 1, blank ones among them. */
  readonly row: number;
  /** As the submitter named it; empty when it is about the row as a whole. */
  readonly column: string;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface CohortFile {
  /** The submitter's columns, as written. */
  readonly columns: readonly string[];
  readonly requests: readonly NewRequest[];
  readonly refused: readonly RefusedRow[];
  readonly findings: readonly CohortFinding[];
  /** Accepted and refused ones together. */
  readonly rows: number;
}

/**
 * Reads a cohort file in our format, a CSV extract of PIXL or the folder of an OMOP extract. Bad rows are refused with every finding; the others are accepted.
 * @throws GatewayError COHORT_FILE_MISSING; COHORT_UNREADABLE, COHORT_NO_KEY_COLUMN when no row can be made sense of
 */
export async function readCohortFile(path: string, options: CohortOptions): Promise<CohortFile> {
  const { columns, rows } = await read(path, options.limits);
  const places = placesOf(columns);
  const clean = isPixlExtract(columns) ? pixlCell : (cell: string) => cell;
  const rules = { ...options, optOut: options.optOut ?? new Set<string>() };
  const requests: NewRequest[] = [];
  const refused: RefusedRow[] = [];
  const findings: CohortFinding[] = [];
  for (const { number: rowNumber, cells: written, doubtful } of rows) {
    const cells = fitCells(written, columns.length);
    if (cells === undefined) {
      findings.push({ row: rowNumber, column: "", ...describe("ROW_MALFORMED", rowNumber) });
      refused.push({ rowNumber, code: "ROW_MALFORMED", cells: columns.map((_, place) => written[place] ?? "") });
      continue;
    }
    const checked = checkRow({ cells: cells.map(clean), doubtful }, places, rules);
    if (checked.ok) {
      requests.push({ ...checked.request, rowNumber, cells });
      continue;
    }
    refused.push({ rowNumber, code: checked.findings[0].code, cells });
    for (const { column, code } of checked.findings) {
      const name = places.get(column)?.name ?? column;
      findings.push({ row: rowNumber, column: name, ...describe(code, rowNumber, name) });
    }
  }
  return { columns, requests, refused, findings, rows: rows.length };
}

async function read(path: string, limits: TableLimits | undefined): Promise<Table> {
  try {
    const table = await readCohortTable(path, (columns) => findKnownColumns(columns).places.size, limits);
    if (table.rows.length === 0) throw new TableError("no-rows");
    return table;
  } catch (thrown) {
    if (!(thrown instanceof TableError)) throw thrown;
    throw unreadableTable(thrown);
  }
}

/** The first line might be data: its cells are not repeated in an error. */
function placesOf(columns: readonly string[]): ReadonlyMap<KnownColumn, KnownPlace> {
  const { places, twice } = findKnownColumns(columns);
  if (!places.has("study_instance_uid") && !places.has("accession_number"))
    throw new GatewayError("COHORT_NO_KEY_COLUMN");
  if (twice.length > 0) {
    throw new GatewayError("COHORT_UNREADABLE", { reason: "column-twice", column: [...new Set(twice)].join(", ") });
  }
  return places;
}

function describe(code: ErrorCode, row: number, column?: string): Pick<CohortFinding, "code" | "message"> {
  const { summary, remedy } = errorRegistry[code];
  const place = column === undefined ? `Row ${row}` : `Row ${row}, column ${column}`;
  return { code, message: `${place}: ${summary} ${remedy}` };
}
