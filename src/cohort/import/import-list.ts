import { GatewayError } from "../../errors/gateway-error.ts";
import { type ErrorCode, errorRegistry } from "../../errors/registry.ts";
import { checkRow, type RowRules } from "../check-row.ts";
import type { KnownColumn, KnownPlace } from "../columns.ts";
import { csvLine } from "../export.ts";
import { fitCells } from "../fit-cells.ts";
import { readCohortTable } from "../read-table.ts";
import { type Table, TableError, type TableLimits, unreadableTable } from "../table-file.ts";
import { FORMAT_RULES, type ForeignFormat, type FormatRules, type ImportedColumn, placeIn } from "./foreign-formats.ts";

/** One thing wrong with one cell of the list. It never repeats the cell. */
export interface ImportFinding {
  /** Rows below the heading count from 1, blank ones among them. */
  readonly row: number;
  /** As the list names it; empty when it is about the row as a whole. */
  readonly column: string;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface ImportedList {
  /** Our own cohort format: the columns that the list has, and `source_rows`. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly findings: readonly ImportFinding[];
  /** Rows of the list in which something stands. */
  readonly sourceRows: number;
  /** Columns of the list that hold values and are of no use here. */
  readonly unused: readonly string[];
}

export interface ImportOptions extends RowRules {
  readonly format: ForeignFormat;
  readonly limits?: TableLimits;
}

/** What stands in several rows of the list and is one request here. */
interface Wanted {
  readonly rows: number[];
  readonly values: Map<ImportedColumn, string>;
  /** Undefined: the whole study. */
  series: Set<string> | undefined;
}

/**
 * Reads the list of another system as a cohort. Every bad row is told, each with its column; what can be used comes beside.
 * @throws GatewayError COHORT_FILE_MISSING, COHORT_UNREADABLE, IMPORT_COLUMNS_MISSING when it is another kind of list
 */
export async function importList(path: string, options: ImportOptions): Promise<ImportedList> {
  const rules = FORMAT_RULES[options.format];
  const table = await read(path, rules, options.limits);
  const missing = rules.needed.filter((names) => names.every((name) => placeIn(table, name) === undefined));
  if (missing.length > 0)
    throw new GatewayError("IMPORT_COLUMNS_MISSING", { format: options.format, columns: missing.flat().join(", ") });
  const columns = Object.entries(rules.columns).flatMap(([ours, theirs]) => {
    const index = placeIn(table, theirs);
    return index === undefined ? [] : [{ ours: ours as ImportedColumn, theirs, index }];
  });
  const findings: ImportFinding[] = [];
  const wanted = collect(table, rules, columns, findings);
  const places = new Map<KnownColumn, KnownPlace>(
    columns.map(({ ours, theirs }, index) => [ours, { index, name: theirs }]),
  );
  const rows: (readonly string[])[] = [];
  for (const each of wanted) {
    const cells = columns.map(({ ours }) => textOf(each, ours));
    const checked = checkRow({ cells }, places, options);
    if (checked.ok) rows.push([...cells, each.rows.join(" ")]);
    else
      for (const { column, code } of checked.findings)
        findings.push(findingOf(each.rows[0] ?? 0, places.get(column)?.name ?? "", code));
  }
  findings.sort((a, b) => a.row - b.row);
  const unused = rules.searching.filter((name) => isFilled(table, name));
  const names = [...columns.map(({ ours }) => ours), "source_rows"];
  return { columns: names, rows, findings, sourceRows: table.rows.length, unused };
}

/** As a cohort file. */
export function* cohortLines({ columns, rows }: Pick<ImportedList, "columns" | "rows">): Generator<string> {
  yield csvLine(columns);
  for (const row of rows) yield csvLine(row);
}

async function read(path: string, rules: FormatRules, limits: TableLimits | undefined): Promise<Table> {
  const weigh = (columns: readonly string[]): number =>
    Object.values(rules.columns).filter((name) => placeIn({ columns, rows: [] }, name) !== undefined).length;
  try {
    const table = await readCohortTable(path, weigh, limits);
    if (table.rows.length === 0) throw new TableError("no-rows");
    return table;
  } catch (thrown) {
    if (!(thrown instanceof TableError)) throw thrown;
    throw unreadableTable(thrown);
  }
}

interface Column {
  readonly ours: ImportedColumn;
  readonly theirs: string;
  readonly index: number;
}

function collect(
  table: Table,
  rules: FormatRules,
  columns: readonly Column[],
  findings: ImportFinding[],
): readonly Wanted[] {
  const wanted: Wanted[] = [];
  const byStudy = new Map<string, Wanted>();
  for (const { number: row, cells: written, doubtful } of table.rows) {
    const cells = fitCells(written, table.columns.length);
    if (cells === undefined) {
      findings.push(findingOf(row, "", "ROW_MALFORMED"));
      continue;
    }
    const damaged = columns.filter(({ index }) => doubtful?.has(index));
    for (const { theirs } of damaged) findings.push(findingOf(row, theirs, "KEY_DAMAGED_BY_SPREADSHEET"));
    if (damaged.length > 0) continue;
    const texts = columns.map((column) => [column, cleaned(cells[column.index] ?? "", column, rules)] as const);
    const lacking = texts.filter(([{ ours }, text]) => rules.required.includes(ours) && text === "");
    for (const [{ ours, theirs }] of lacking) findings.push(findingOf(row, theirs, lackOf(ours, rules)));
    if (lacking.length > 0) continue;
    const values = new Map(
      texts.flatMap(([{ ours }, text]) => (ours === "series_instance_uids" ? [] : [[ours, text] as const])),
    );
    const series = texts.find(([{ ours }]) => ours === "series_instance_uids")?.[1] ?? "";
    const one: Wanted = { rows: [row], values, series: series === "" ? undefined : new Set([series]) };
    const study = values.get("study_instance_uid") ?? "";
    const known = rules.joinsStudies ? byStudy.get(study) : undefined;
    if (known === undefined) {
      byStudy.set(study, one);
      wanted.push(one);
    } else join(known, one, columns, findings);
  }
  return wanted;
}

function cleaned(cell: string, { ours }: Column, { clean, valueIn }: FormatRules): string {
  const text = clean(cell).trim();
  return text === "" ? "" : (valueIn?.[ours]?.(text) ?? text);
}

/** A row of a search says what to look for, not which study is wanted. */
function lackOf(column: ImportedColumn, { searching }: FormatRules): ErrorCode {
  return column === "accession_number" && searching.length > 0 ? "IMPORT_ROW_IS_SEARCH" : "KEY_MISSING";
}

/** Two rows of one study that name different patients cannot both be right. */
function join(known: Wanted, one: Wanted, columns: readonly Column[], findings: ImportFinding[]): void {
  const [row = 0] = one.rows;
  const differing = columns.filter(({ ours }) => (known.values.get(ours) ?? "") !== (one.values.get(ours) ?? ""));
  for (const { theirs } of differing) findings.push(findingOf(row, theirs, "IMPORT_ROWS_DIFFER"));
  if (differing.length > 0) return;
  known.rows.push(row);
  known.series = known.series === undefined || one.series === undefined ? undefined : known.series.union(one.series);
}

function textOf({ values, series }: Wanted, column: ImportedColumn): string {
  return column === "series_instance_uids" ? [...(series ?? [])].join(";") : (values.get(column) ?? "");
}

function isFilled(table: Table, name: string): boolean {
  const place = placeIn(table, name);
  return place !== undefined && table.rows.some(({ cells }) => (cells[place] ?? "").trim() !== "");
}

/** What is wrong with a row of the list that became this one of its cohort file. @param row of that file, from 1 */
export function findingOfCohortRow({ rows }: Pick<ImportedList, "rows">, row: number, code: ErrorCode): ImportFinding {
  const [first = ""] = rows[row - 1]?.at(-1)?.split(" ") ?? [];
  return findingOf(Number(first), "", code);
}

function findingOf(row: number, column: string, code: ErrorCode): ImportFinding {
  const { summary, remedy } = errorRegistry[code];
  const place = column === "" ? `Row ${row}` : `Row ${row}, column ${column}`;
  return { row, column, code, message: `${place}: ${summary} ${remedy}` };
}
