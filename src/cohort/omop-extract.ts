import { Worker } from "node:worker_threads";
import type { OmopAnswer, OmopTask } from "./omop-thread.ts";
import { type Table, TableError, type TableLimits } from "./table-file.ts";

/** A file that is made to be read for ever, or into all memory there is, ends the thread and nothing else. */
const LONGEST_MS = 120_000;
const MEMORY = { maxOldGenerationSizeMb: 2_048 };

/**
 * An OMOP extract as PIXL takes it, in one piece or in batches, as the table that PIXL's CSV extracts are. Read in a thread of its own.
 * @throws TableError
 */
export async function readOmopExtract(folder: string, limits: TableLimits): Promise<Table> {
  const workerData: OmopTask = { folder, limits };
  const worker = new Worker(new URL("./omop-thread.ts", import.meta.url), { workerData, resourceLimits: MEMORY });
  const answer = Promise.withResolvers<OmopAnswer>();
  worker.once("message", answer.resolve);
  worker.once("error", () => answer.reject(new TableError("parquet-malformed")));
  worker.once("exit", () => answer.reject(new TableError("parquet-malformed")));
  const timer = setTimeout(() => answer.reject(new TableError("takes-too-long")), LONGEST_MS);
  try {
    const said = await answer.promise;
    if ("table" in said) return said.table;
    throw new TableError(said.fault, said.line, said.what);
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
