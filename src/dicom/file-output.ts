import { closeSync, openSync, renameSync, rmSync, writevSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { inBlocks, sizeOf } from "../units/write-blocks.ts";
import type { FileSourceOptions } from "./sources.ts";

const OWNER_ONLY = 0o600;

/** A file being written. `write` answers how much of the batch the system took. */
export interface OutputFile {
  write(batch: readonly Uint8Array[]): Promise<number> | number;
  close(): Promise<void> | void;
}

/** The same on this thread and off it. */
export interface FileOperations {
  /** @throws NodeJS.ErrnoException EEXIST when it is there */
  create(path: string): Promise<OutputFile> | OutputFile;
  rename(from: string, to: string): Promise<void> | void;
  remove(path: string): Promise<void> | void;
}

const BLOCKING: FileOperations = {
  create(path) {
    const descriptor = openSync(path, "wx", OWNER_ONLY);
    return {
      write(batch) {
        let done = 0;
        for (const block of inBlocks(batch)) {
          const written = writevSync(descriptor, block);
          done += written;
          if (written < sizeOf(block)) break;
        }
        return done;
      },
      close: () => closeSync(descriptor),
    };
  },
  rename: renameSync,
  remove: (path) => rmSync(path, { force: true }),
};

const NOT_BLOCKING: FileOperations = {
  async create(path) {
    const file: FileHandle = await open(path, "wx", OWNER_ONLY);
    return {
      async write(batch) {
        let done = 0;
        for (const block of inBlocks(batch)) {
          const { bytesWritten } = await file.writev(block);
          done += bytesWritten;
          if (bytesWritten < sizeOf(block)) break;
        }
        return done;
      },
      close: () => file.close(),
    };
  },
  rename,
  remove: (path) => rm(path, { force: true }),
};

export function fileOperations({ blocking = false }: FileSourceOptions): FileOperations {
  return blocking ? BLOCKING : NOT_BLOCKING;
}

/**
 * Writes a file under a temporary name beside its own, and renames it when it is whole: nobody sees half of it, and one that was there
 * stays until then. It is not synced.
 * @throws NodeJS.ErrnoException; what `batches` throws: then nothing is left behind
 */
export async function writeWhole(
  path: string,
  batches: AsyncIterable<readonly Uint8Array[]>,
  options: FileSourceOptions,
): Promise<void> {
  const operations = fileOperations(options);
  const temporaryPath = join(dirname(path), `.${basename(path)}.partial`);
  const output = await createAnew(temporaryPath, operations);
  try {
    try {
      for await (const batch of batches) await writeAll(output, batch);
    } finally {
      await output.close();
    }
    await operations.rename(temporaryPath, path);
  } catch (thrown) {
    await operations.remove(temporaryPath);
    throw thrown;
  }
}

/** What a run that was cut off left behind is replaced. @throws NodeJS.ErrnoException */
export async function createAnew(path: string, operations: FileOperations): Promise<OutputFile> {
  try {
    return await operations.create(path);
  } catch (thrown) {
    if (!(thrown instanceof Error && "code" in thrown && thrown.code === "EEXIST")) throw thrown;
    await operations.remove(path);
    return operations.create(path);
  }
}

/** The whole of a batch, however little of it the system takes at once. @throws NodeJS.ErrnoException */
export async function writeAll(output: OutputFile, batch: readonly Uint8Array[]): Promise<void> {
  const sizeBytes = sizeOf(batch);
  let done = await output.write(batch);
  if (done === sizeBytes) return;
  const bytes = Buffer.concat(batch);
  while (done < sizeBytes) done += await output.write([bytes.subarray(done)]);
}
