import { type FileHandle, open } from "node:fs/promises";
import { encodeFileMeta } from "../dicom/writer.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { inBlocks, sizeOf } from "../units/write-blocks.ts";
import { plainRemoval, type Removal } from "./removal.ts";
import type { IncomingFileOptions } from "./staging-area.ts";
import { asStagingError } from "./staging-error.ts";

/** Small chunks are gathered to this size before they are written. */
const GATHER_BYTES = 1024 * 1024;

/** What a file being written needs of an open file: tests give one whose disk is full. */
export type WritableFile = Pick<FileHandle, "writev" | "close">;

/** Creates a file that is not there yet, for its owner alone. */
export type CreateFile = (path: string) => Promise<WritableFile>;

const createOwnerOnly: CreateFile = (path) => open(path, "wx", 0o600);

/**
 * An instance on its way in, in order, with bounded memory: one write on its way, the next being gathered. A small one stays in memory; a larger one
 * is a file under a temporary name.
 */
export interface PartFile {
  readonly path: string;
  write(chunk: Uint8Array): void | Promise<void>;
  /** Everything has come. Answers the bytes of a small instance, of which there is no file; undefined: all of them are with the operating system, and nothing is synced. */
  finish(): Promise<readonly Uint8Array[] | undefined>;
  /** Makes a file of what `finish` answered. */
  store(): Promise<void>;
  discard(): Promise<void>;
}

/** Its methods throw GatewayError STAGING_FULL, STAGING_UNAVAILABLE. */
export function createPartFile(
  path: string,
  options: IncomingFileOptions,
  {
    createFile = createOwnerOnly,
    remove: removeFile = plainRemoval.remove,
  }: { readonly createFile?: CreateFile | undefined; readonly remove?: Removal["remove"] | undefined } = {},
): PartFile {
  const head = encodeFileMeta(options);
  const file = fileWhenNeeded(path, createFile, removeFile);
  let gathered: Uint8Array[] = [head];
  let gatheredBytes = head.length;
  let writing: Promise<void> | undefined;
  let failure: unknown;

  const writeGathered = async (): Promise<void> => {
    const buffers = gathered;
    gathered = [];
    gatheredBytes = 0;
    try {
      for (const block of inBlocks(buffers)) {
        const { bytesWritten } = await file.writev(block);
        if (bytesWritten !== sizeOf(block)) throw new GatewayError("STAGING_FULL");
      }
    } catch (thrown) {
      failure ??= asStagingError(thrown);
      // Nobody will want what is cut short, and the room is needed.
      await file.remove().catch(() => {});
    } finally {
      writing = undefined;
    }
  };
  const begin = (): void => {
    if (failure !== undefined) throw failure;
    if (writing === undefined && gatheredBytes > 0) writing = writeGathered();
  };
  const store = async (): Promise<void> => {
    begin();
    await writing;
    if (failure !== undefined) throw failure;
    await file.close();
  };

  return {
    path,
    write(chunk) {
      if (failure !== undefined) throw failure;
      // The chunk belongs to the network's buffer: it is copied, as it is written later.
      gathered.push(Buffer.from(chunk));
      gatheredBytes += chunk.length;
      if (gatheredBytes < GATHER_BYTES) return;
      // Only a disk that is behind holds the sender back.
      if (writing !== undefined) return writing.then(begin);
      begin();
    },
    async finish() {
      await writing;
      if (failure === undefined && !file.isThere()) return gathered;
      await store();
    },
    store,
    async discard() {
      await writing;
      await file.remove();
    },
  };
}

/** A file that is created when it is first written to. */
function fileWhenNeeded(path: string, createFile: CreateFile, removeFile: Removal["remove"]) {
  let file: WritableFile | undefined;
  let isThere = false;
  const close = async (): Promise<void> => {
    const closing = file;
    file = undefined;
    await closing?.close();
  };
  return {
    isThere: () => isThere,
    close,
    async writev(buffers: Uint8Array[]): Promise<{ readonly bytesWritten: number }> {
      file ??= await createFile(path);
      isThere = true;
      return await file.writev(buffers);
    },
    async remove(): Promise<void> {
      await close();
      if (isThere) await removeFile(path);
    },
  };
}
