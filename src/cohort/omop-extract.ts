import { Worker } from "node:worker_threads";
import type { OmopAnswer, OmopTask } from "./omop-thread.ts";
import { type Table, TableError, type TableLimits } from "./table-file.ts";

/** A file that is made to be read for ever, or into all memory there is, ends the thread and nothing else. */
export interface ThreadLimits {
  /** For one file, however small; and for joining them. */
  readonly fileMs: number;
  /** More for large files: a slow machine that does much else reads faster. */
  readonly bytesPerSecond: number;
  readonly memoryMegabytes: number;
}

const USUAL_LIMITS: ThreadLimits = { fileMs: 30_000, bytesPerSecond: 500_000, memoryMegabytes: 2_048 };

/**
 * An OMOP extract as PIXL takes it, in one piece or in batches, as the table that PIXL's CSV extracts are. Read in a thread of its own.
 * @throws TableError
 */
export async function readOmopExtract(
  folder: string,
  limits: TableLimits,
  { fileMs, bytesPerSecond, memoryMegabytes }: ThreadLimits = USUAL_LIMITS,
): Promise<Table> {
  const workerData: OmopTask = { folder, limits };
  const resourceLimits = { maxOldGenerationSizeMb: memoryMegabytes };
  const worker = new Worker(new URL("./omop-thread.ts", import.meta.url), { workerData, resourceLimits });
  const table = Promise.withResolvers<Table>();
  const tooLong = (): void => table.reject(new TableError("takes-too-long"));
  let timer = setTimeout(tooLong, fileMs);
  worker.on("message", (said: OmopAnswer) => {
    if ("table" in said) return table.resolve(said.table);
    if ("fault" in said) return table.reject(new TableError(said.fault, said.line, said.what));
    clearTimeout(timer);
    timer = setTimeout(tooLong, fileMs + (said.readingBytes / bytesPerSecond) * 1_000);
  });
  worker.once("error", () => table.reject(new TableError("parquet-malformed")));
  worker.once("exit", () => table.reject(new TableError("parquet-malformed")));
  try {
    return await table.promise;
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
