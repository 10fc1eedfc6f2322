import { parentPort, workerData } from "node:worker_threads";
import { readOmopTables } from "./omop-tables.ts";
import { readParquetTable } from "./parquet-columns.ts";
import { type Table, TableError, type TableFault, type TableLimits } from "./table-file.ts";
import { readXlsxTable } from "./xlsx-table.ts";

/** Tables that are packed: what is in them may be far more than they are. */
export type PackedSource = "omop" | "parquet" | "xlsx";

/** What the thread is given. */
export interface PackedTask {
  readonly source: PackedSource;
  /** Of a file, or of the folder of an extract. */
  readonly path: string;
  readonly limits: TableLimits;
}

/** What it says: of each file before it is read, then the answer. */
export type PackedAnswer =
  | { readonly readingBytes: number }
  | { readonly table: Table }
  | { readonly fault: TableFault; readonly line: number | undefined; readonly what: string | undefined };

type Reader = (path: string, limits: TableLimits, onFile: (sizeBytes: number) => void) => Promise<Table>;

const READERS: Readonly<Record<PackedSource, Reader>> = {
  omop: readOmopTables,
  parquet: readParquetTable,
  xlsx: readXlsxTable,
};

const { source, path, limits }: PackedTask = workerData;

const onFile = (readingBytes: number): void => parentPort?.postMessage({ readingBytes });

parentPort?.postMessage(
  await READERS[source](path, limits, onFile).then(
    (table): PackedAnswer => ({ table }),
    (thrown: unknown): PackedAnswer => {
      if (!(thrown instanceof TableError)) throw thrown;
      const { fault, line, what } = thrown;
      return { fault, line, what };
    },
  ),
);
