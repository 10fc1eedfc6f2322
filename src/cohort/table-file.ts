import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { CsvError, type Options, parse } from "csv-parse";
import { parse as parseSync } from "csv-parse/sync";
import { GatewayError } from "../errors/gateway-error.ts";

/** Why a file is not a table; the words go into an error's details. */
export type TableFault =
  | "file-missing"
  | "file-too-large"
  | "not-text"
  | "empty"
  | "no-rows"
  | "too-many-columns"
  | "too-many-rows"
  | "cell-too-long"
  | "quote-not-closed"
  | "quote-misplaced"
  | "malformed"
  | "column-missing"
  | "folder-incomplete"
  | "summary-malformed"
  | "parquet-malformed"
  | "xlsx-malformed"
  | "takes-too-long";

/** A file that is not a table. Its message holds nothing of the file. */
export class TableError extends Error {
  override readonly name = "TableError";
  readonly fault: TableFault;
  /** Line of the file, from 1, where it is known. */
  readonly line: number | undefined;
  /** Which table of several, or which of its columns; names of PIXL's, none of the file. */
  readonly what: string | undefined;

  constructor(fault: TableFault, line?: number, what?: string) {
    super(`not a table: ${fault}`);
    this.fault = fault;
    this.line = line;
    this.what = what;
  }
}

/** For whoever handed the file in: one that is not there is no matter of how it is written. */
export function unreadableTable({ fault, line, what }: TableError): GatewayError {
  if (fault === "file-missing") return new GatewayError("COHORT_FILE_MISSING");
  const place = { ...(line === undefined ? {} : { line }), ...(what === undefined ? {} : { what }) };
  return new GatewayError("COHORT_UNREADABLE", { reason: fault, ...place });
}

export interface Table {
  /** The cells of the first line, as written. */
  readonly columns: readonly string[];
  /** Those in which something stands. */
  readonly rows: readonly TableRow[];
}

export interface TableRow {
  /** Rows below the heading count from 1, blank ones among them: a spreadsheet's own number is one more where the heading is its first row. */
  readonly number: number;
  /** Every cell as written; there may be another number of them than there are columns. */
  readonly cells: readonly string[];
  /** Columns in which a workbook holds a date, a fraction or what else may not be the identifier that was typed, a Parquet file an inexact number, a yes or no, or a list. Absent: none. */
  readonly doubtful?: ReadonlySet<number> | undefined;
}

/** Rows of a file that has no blank ones. */
export function numbered(rows: readonly (readonly string[])[]): readonly TableRow[] {
  return rows.map((cells, index) => ({ number: index + 1, cells }));
}

export interface TableLimits {
  readonly sizeBytes: number;
  readonly rows: number;
  readonly columns: number;
  readonly cellCharacters: number;
}

export const TABLE_LIMITS: TableLimits = { sizeBytes: 64 << 20, rows: 500_000, columns: 200, cellCharacters: 32_767 };

const DELIMITERS = [",", ";", "\t"] as const;
const CHUNK_CHARACTERS = 1 << 18;

/**
 * Reads CSV: UTF-8 with or without byte order mark, comma, semicolon or tab, RFC 4180 quotes, any line end. Lines of nothing but separators are left out.
 * @param weigh how well a first line fits what the caller looks for; it decides between delimiters.
 * @throws TableError
 */
export async function readTable(
  path: string,
  weigh: (columns: readonly string[]) => number,
  limits: TableLimits = TABLE_LIMITS,
): Promise<Table> {
  const text = decode(await readWhole(path, limits.sizeBytes));
  if (text.trim() === "") throw new TableError("empty");
  const options: Options = {
    delimiter: detectDelimiter(text, weigh),
    relax_column_count: true,
    max_record_size: limits.columns * (limits.cellCharacters + 3),
  };
  try {
    return await collect(text, options, limits);
  } catch (thrown) {
    throw thrown instanceof CsvError ? faultOf(thrown) : thrown;
  }
}

async function collect(text: string, options: Options, limits: TableLimits): Promise<Table> {
  const records = Readable.from(chunks(text)).pipe(parse(options)) as AsyncIterable<string[]>;
  let columns: readonly string[] | undefined;
  const rows: TableRow[] = [];
  let number = 0;
  for await (const record of records) {
    if (columns !== undefined) number += 1;
    if (record.every((cell) => cell.trim() === "")) continue;
    if (record.length > limits.columns) throw new TableError("too-many-columns");
    if (record.some((cell) => cell.length > limits.cellCharacters)) throw new TableError("cell-too-long");
    if (columns === undefined) columns = record;
    else if (rows.length === limits.rows) throw new TableError("too-many-rows");
    else rows.push({ number, cells: record });
  }
  if (columns === undefined) throw new TableError("empty");
  return { columns, rows };
}

/** In pieces, so that a long file does not keep everything else waiting. */
function* chunks(text: string): Generator<string> {
  for (let at = 0; at < text.length; at += CHUNK_CHARACTERS) yield text.slice(at, at + CHUNK_CHARACTERS);
}

async function readWhole(path: string, limitBytes: number): Promise<Buffer> {
  await using file = await open(path, "r").catch(() => {
    throw new TableError("file-missing");
  });
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for (;;) {
    const buffer = Buffer.allocUnsafe(1 << 16);
    const { bytesRead } = await file.read(buffer, 0, buffer.length).catch(() => {
      throw new TableError("file-missing");
    });
    if (bytesRead === 0) return Buffer.concat(parts, sizeBytes);
    parts.push(buffer.subarray(0, bytesRead));
    sizeBytes += bytesRead;
    if (sizeBytes > limitBytes) throw new TableError("file-too-large");
  }
}

function decode(bytes: Buffer): string {
  if (bytes.includes(0)) throw new TableError("not-text");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new TableError("not-text");
  }
}

/** The delimiter by which the first line fits best; then the one that makes most columns of it. */
function detectDelimiter(text: string, weigh: (columns: readonly string[]) => number): string {
  const candidates = DELIMITERS.map((delimiter) => {
    const columns = firstRecord(text, delimiter);
    return { delimiter, weight: weigh(columns), columns: columns.length };
  });
  candidates.sort((a, b) => b.weight - a.weight || b.columns - a.columns);
  return candidates[0]?.delimiter ?? ",";
}

function firstRecord(text: string, delimiter: string): readonly string[] {
  try {
    const [first = []] = parseSync(text, {
      delimiter,
      to: 1,
      relax_column_count: true,
      skip_records_with_empty_values: true,
    });
    return first;
  } catch {
    return [];
  }
}

const FAULTS: Readonly<Record<string, TableFault>> = {
  CSV_QUOTE_NOT_CLOSED: "quote-not-closed",
  CSV_INVALID_CLOSING_QUOTE: "quote-misplaced",
  INVALID_OPENING_QUOTE: "quote-misplaced",
  CSV_MAX_RECORD_SIZE: "cell-too-long",
};

/** The parser's message may quote the file: only its code and line are taken. */
function faultOf(error: CsvError): TableError {
  const { lines } = error as { lines?: unknown };
  return new TableError(FAULTS[error.code] ?? "malformed", typeof lines === "number" ? lines : undefined);
}
