import type { ByteSource } from "../dicom/data-set.ts";
import { fileSource } from "../dicom/sources.ts";
import { type Table, TableError, type TableLimits, type TableRow } from "./table-file.ts";
import { NOTHING } from "./xlsx/cell-value.ts";
import { readSheetRows, type SheetRow } from "./xlsx/sheet.ts";
import { openWorkbook } from "./xlsx/workbook.ts";

/**
 * The first sheet of a workbook, every cell as text: numbers as they are shown where that is plain digits, days as `YYYY-MM-DD`.
 * A workbook may be made so that unpacking it never ends: read one of unknown origin in a thread that can be ended.
 * @throws TableError
 */
export async function readXlsxTable(
  path: string,
  limits: TableLimits,
  onFile: (sizeBytes: number) => void = () => undefined,
): Promise<Table> {
  await using file = await fileSource(path).catch(() => {
    throw new TableError("file-missing");
  });
  if (file.sizeBytes > limits.sizeBytes) throw new TableError("file-too-large");
  onFile(file.sizeBytes);
  const [heading, ...rows] = await sheetRows(file, limits);
  if (heading === undefined) throw new TableError("empty");
  const width = [heading, ...rows].reduce((most, { cells }) => Math.max(most, ...cells.keys()), 0) + 1;
  return { columns: textsOf(heading, width), rows: rows.map((row) => tableRow(row, heading.number, width)) };
}

/** The parsers throw errors of their own, whose messages may quote the file. @throws TableError */
async function sheetRows(zip: ByteSource, limits: TableLimits): Promise<readonly SheetRow[]> {
  try {
    return await readSheetRows(await openWorkbook(zip), limits);
  } catch (thrown) {
    throw thrown instanceof TableError ? thrown : new TableError("xlsx-malformed");
  }
}

function tableRow(row: SheetRow, heading: number, width: number): TableRow {
  const doubtful = new Set([...row.cells].flatMap(([column, { isDoubtful }]) => (isDoubtful ? [column] : [])));
  return {
    number: row.number - heading,
    cells: textsOf(row, width),
    doubtful: doubtful.size > 0 ? doubtful : undefined,
  };
}

function textsOf({ cells }: SheetRow, width: number): readonly string[] {
  return Array.from({ length: width }, (_, column) => (cells.get(column) ?? NOTHING).text);
}
