import { readFile, stat } from "node:fs/promises";
import { readSheet } from "read-excel-file/node";
import { type Table, TableError, type TableLimits } from "./table-file.ts";

/**
 * The first sheet of a workbook, every cell as text: numbers as the workbook holds them, days as `YYYY-MM-DD`. Blank rows are left out.
 * A workbook that was made to unpack for ever does: whoever does not know where it is from reads it in a thread that can be ended.
 * @throws TableError
 */
export async function readXlsxTable(
  path: string,
  limits: TableLimits,
  onFile: (sizeBytes: number) => void = () => undefined,
): Promise<Table> {
  const { size } = await stat(path).catch(() => {
    throw new TableError("file-missing");
  });
  if (size > limits.sizeBytes) throw new TableError("file-too-large");
  onFile(size);
  const sheet = await readSheet(await readFile(path), { trim: false, parseNumber: asWritten }).catch(() => {
    throw new TableError("xlsx-malformed");
  });
  const rows = sheet
    .map((row) => row.map((cell) => textOf(cell, limits)))
    .filter((row) => row.some((text) => text !== ""));
  const [columns, ...data] = rows;
  if (columns === undefined) throw new TableError("empty");
  if (columns.length > limits.columns) throw new TableError("too-many-columns");
  if (data.length > limits.rows) throw new TableError("too-many-rows");
  return { columns, rows: data };
}

/** Whole numbers of spreadsheets come as `1.2345E4` when they are long: 15 digits at most are ever right (ISO/IEC 29500-1 18.18.94). */
function asWritten(text: string): string {
  if (!/[eE]/.test(text)) return text.replace(/\.0+$/, "");
  const value = Number(text);
  return Number.isSafeInteger(value) ? String(value) : text;
}

/** @throws TableError */
function textOf(cell: unknown, { cellCharacters }: TableLimits): string {
  if (cell === null || cell === undefined) return "";
  const text = cell instanceof Date ? cell.toISOString().replace(/T00:00:00\.000Z$/, "") : String(cell);
  if (text.length > cellCharacters) throw new TableError("cell-too-long");
  return text;
}
