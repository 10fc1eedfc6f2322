import { parentPort, workerData } from "node:worker_threads";
import { readOmopTables } from "./omop-tables.ts";
import { type Table, TableError, type TableFault, type TableLimits } from "./table-file.ts";

/** What the thread is given. */
export interface OmopTask {
  readonly folder: string;
  readonly limits: TableLimits;
}

/** What it answers, once. */
export type OmopAnswer =
  | { readonly table: Table }
  | { readonly fault: TableFault; readonly line: number | undefined; readonly what: string | undefined };

const { folder, limits }: OmopTask = workerData;

parentPort?.postMessage(
  await readOmopTables(folder, limits).then(
    (table): OmopAnswer => ({ table }),
    (thrown: unknown): OmopAnswer => {
      if (!(thrown instanceof TableError)) throw thrown;
      const { fault, line, what } = thrown;
      return { fault, line, what };
    },
  ),
);
