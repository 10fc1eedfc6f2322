import { type FileHandle, open } from "node:fs/promises";
import { encodeFileMeta } from "../dicom/writer.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { createSpareMemory } from "../units/spare-memory.ts";
import { BLOCK_BYTES, inBlocks, sizeOf } from "../units/write-blocks.ts";
import { plainRemoval, type Removal } from "./removal.ts";
import type { IncomingFileOptions } from "./staging-area.ts";
import { asStagingError } from "./staging-error.ts";

/** Small chunks are gathered to this size before they are written. */
const GATHER_BYTES = 1024 * 1024;
/** 16 MiB: half a mebibyte for each of some thirty senders. */
const spare = createSpareMemory(BLOCK_BYTES, 256, true);

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
  /** What `finish` answered is needed no more: the next instance gets its memory. */
  release(): void;
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
  const file = fileWhenNeeded(path, createFile, removeFile);
  const gathered = createGathering();
  gathered.add(encodeFileMeta(options));
  let writing: Promise<void> | undefined;
  let failure: unknown;

  const writeGathered = async (): Promise<void> => {
    using taken = gathered.take();
    try {
      for (const block of inBlocks(taken.pieces)) {
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
    if (writing === undefined && gathered.sizeBytes() > 0) writing = writeGathered();
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
      gathered.add(chunk);
      if (gathered.sizeBytes() < GATHER_BYTES) return;
      // Only a disk that is behind holds the sender back.
      if (writing !== undefined) return writing.then(begin);
      begin();
    },
    async finish() {
      await writing;
      if (failure === undefined && !file.isThere()) return gathered.pieces();
      await store();
    },
    store,
    release: () => gathered.take()[Symbol.dispose](),
    async discard() {
      await writing;
      await file.remove();
    },
  };
}

/** Chunks belong to the network's buffer, and are written later: they are copied, into memory that was used before. */
function createGathering() {
  let blocks: Buffer[] = [];
  let sizeBytes = 0;
  const addBlock = (): Buffer => {
    const block = spare.take();
    blocks.push(block);
    return block;
  };
  const pieces = (): Buffer[] =>
    blocks.map((block, index) => block.subarray(0, Math.min(BLOCK_BYTES, sizeBytes - index * BLOCK_BYTES)));
  return {
    sizeBytes: () => sizeBytes,
    add(chunk: Uint8Array): void {
      // Into shared memory `copy` is ten times as fast as `set`, which goes there word by word.
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
      for (let start = 0; start < bytes.length; ) {
        const used = sizeBytes % BLOCK_BYTES;
        const block = (used === 0 ? undefined : blocks.at(-1)) ?? addBlock();
        const copied = bytes.copy(block, used, start);
        start += copied;
        sizeBytes += copied;
      }
    },
    pieces,
    /** Disposing gives the memory back. */
    take(): Disposable & { readonly pieces: readonly Buffer[] } {
      const [taken, used] = [pieces(), blocks];
      blocks = [];
      sizeBytes = 0;
      return { pieces: taken, [Symbol.dispose]: () => used.forEach(spare.giveBack) };
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
