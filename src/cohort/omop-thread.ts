import { parentPort, workerData } from "node:worker_threads";
import { readOmopTables } from "./omop-tables.ts";
import { type Table, TableError, type TableFault, type TableLimits } from "./table-file.ts";

/** What the thread is given. */
export interface OmopTask {
  readonly folder: string;
  readonly limits: TableLimits;
}

/** What it says: of each file before it is read, then the answer. */
export type OmopAnswer =
  | { readonly readingBytes: number }
  | { readonly table: Table }
  | { readonly fault: TableFault; readonly line: number | undefined; readonly what: string | undefined };

const { folder, limits }: OmopTask = workerData;

const onFile = (readingBytes: number): void => parentPort?.postMessage({ readingBytes });

parentPort?.postMessage(
  await readOmopTables(folder, limits, onFile).then(
    (table): OmopAnswer => ({ table }),
    (thrown: unknown): OmopAnswer => {
      if (!(thrown instanceof TableError)) throw thrown;
      const { fault, line, what } = thrown;
      return { fault, line, what };
    },
  ),
);
