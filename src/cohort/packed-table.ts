import { Worker } from "node:worker_threads";
import { type Table, TableError, type TableFault, type TableLimits } from "./table-file.ts";
import type { PackedAnswer, PackedSource, PackedTask } from "./table-thread.ts";

/** A file that is made to be read for ever, or into all memory there is, ends the thread and nothing else. */
export interface ThreadLimits {
  /** For one file, however small; and for joining them. */
  readonly fileMs: number;
  /** More for large files: a slow machine that does much else reads faster. */
  readonly bytesPerSecond: number;
  /** Of values, and as much again of buffers and long texts, which lie outside of the heap. */
  readonly memoryMegabytes: number;
}

const MEBIBYTE = 1 << 20;
const USUAL_LIMITS: ThreadLimits = { fileMs: 30_000, bytesPerSecond: 500_000, memoryMegabytes: 2_048 };

/** Buffers have no limit of their own: a page of a few bytes may unpack to gigabytes of them. */
const LOOK_EVERY_MS = 250;

/** What a file is that ends the thread which reads it. */
const MALFORMED: Readonly<Record<PackedSource, TableFault>> = {
  omop: "parquet-malformed",
  parquet: "parquet-malformed",
  xlsx: "xlsx-malformed",
};

/** An OMOP extract as PIXL takes it, in one piece or in batches, as the table that PIXL's CSV extracts are. @throws TableError */
export function readOmopExtract(folder: string, limits: TableLimits, thread?: ThreadLimits): Promise<Table> {
  return readPackedTable({ source: "omop", path: folder, limits }, thread);
}

/** Reads a table in a thread of its own. @throws TableError */
export async function readPackedTable(
  task: PackedTask,
  { fileMs, bytesPerSecond, memoryMegabytes }: ThreadLimits = USUAL_LIMITS,
): Promise<Table> {
  const resourceLimits = { maxOldGenerationSizeMb: memoryMegabytes };
  const worker = new Worker(new URL("./table-thread.ts", import.meta.url), { workerData: task, resourceLimits });
  const table = Promise.withResolvers<Table>();
  const tooLong = (): void => table.reject(new TableError("takes-too-long"));
  const broken = (): void => table.reject(new TableError(MALFORMED[task.source]));
  let timer = setTimeout(tooLong, fileMs);
  worker.on("message", (said: PackedAnswer) => {
    if ("table" in said) return table.resolve(said.table);
    if ("fault" in said) return table.reject(new TableError(said.fault, said.line, said.what));
    clearTimeout(timer);
    timer = setTimeout(tooLong, fileMs + (said.readingBytes / bytesPerSecond) * 1_000);
  });
  worker.once("error", broken);
  worker.once("exit", broken);
  const watch = watchBuffers(worker, memoryMegabytes, broken);
  try {
    return await table.promise;
  } finally {
    clearTimeout(timer);
    clearInterval(watch);
    await worker.terminate();
  }
}

/** The thread answers between two instructions, however busy it is. */
function watchBuffers(worker: Worker, megabytes: number, onTooMuch: () => void): NodeJS.Timeout {
  let isLooking = false;
  return setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    void worker
      .getHeapStatistics()
      .then(({ external_memory: bytes }) => {
        if (bytes > megabytes * MEBIBYTE) onTooMuch();
      })
      // It has ended, which is told otherwise.
      .catch(() => undefined)
      .finally(() => {
        isLooking = false;
      });
  }, LOOK_EVERY_MS);
}
