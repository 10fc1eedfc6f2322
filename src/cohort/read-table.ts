import { open, stat } from "node:fs/promises";
import { readPackedTable } from "./packed-table.ts";
import { readTable, TABLE_LIMITS, type Table, TableError, type TableLimits } from "./table-file.ts";
import type { PackedSource } from "./table-thread.ts";

/** What packed files begin with: a zip (APPNOTE 4.3.7), as workbooks are (ISO/IEC 29500-2), and Parquet. */
const SIGNATURES: readonly (readonly [string, PackedSource])[] = [
  ["PK\u0003\u0004", "xlsx"],
  ["PAR1", "parquet"],
];
const SIGNATURE_BYTES = 4;

/**
 * What studies are wanted by: a text file with a row for each, a workbook or a Parquet file with the same columns, or the folder of an OMOP extract.
 * @param weigh how well a first line fits what the caller looks for; it decides between delimiters
 * @throws TableError
 */
export async function readCohortTable(
  path: string,
  weigh: (columns: readonly string[]) => number,
  limits: TableLimits = TABLE_LIMITS,
): Promise<Table> {
  const source = await packedSourceOf(path);
  return source === undefined ? await readTable(path, weigh, limits) : await readPackedTable({ source, path, limits });
}

/** By what it is, whatever it is called. @throws TableError */
async function packedSourceOf(path: string): Promise<PackedSource | undefined> {
  const facts = await stat(path).catch(() => undefined);
  if (facts?.isDirectory() === true) return "omop";
  if (facts?.isFile() !== true) return undefined;
  await using file = await open(path, "r").catch(() => {
    throw new TableError("file-missing");
  });
  const { buffer, bytesRead } = await file.read(Buffer.alloc(SIGNATURE_BYTES), 0, SIGNATURE_BYTES, 0);
  const begin = buffer.toString("latin1", 0, bytesRead);
  return SIGNATURES.find(([signature]) => signature === begin)?.[1];
}
