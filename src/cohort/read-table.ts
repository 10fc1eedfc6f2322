import { stat } from "node:fs/promises";
import { readOmopExtract } from "./omop-extract.ts";
import { readTable, TABLE_LIMITS, type Table, type TableLimits } from "./table-file.ts";

/**
 * What studies are wanted by: a text file with a row for each, or the folder of an OMOP extract.
 * @param weigh how well a first line fits what the caller looks for; it decides between delimiters
 * @throws TableError
 */
export async function readCohortTable(
  path: string,
  weigh: (columns: readonly string[]) => number,
  limits: TableLimits = TABLE_LIMITS,
): Promise<Table> {
  const facts = await stat(path).catch(() => undefined);
  return facts?.isDirectory() === true ? await readOmopExtract(path, limits) : await readTable(path, weigh, limits);
}
