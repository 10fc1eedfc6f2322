import {
  close,
  closeSync,
  open,
  openSync,
  readSync,
  read as readWaiting,
  rename,
  renameSync,
  rm,
  rmSync,
  writeSync,
  writev,
} from "node:fs";
import { promisify } from "node:util";
import { BLOCK_BYTES, inBlocks } from "../../units/write-blocks.ts";

/** The few calls that a file needs while it is received. Each throws what the operating system says. */
export interface FileCalls {
  create(path: string): number | Promise<number>;
  /** All of it, at the end of what was written so far. */
  append(descriptor: number, pieces: readonly Uint8Array[]): void | Promise<void>;
  read(descriptor: number, offset: number, length: number): Uint8Array | Promise<Uint8Array>;
  close(descriptor: number): void | Promise<void>;
  rename(from: string, to: string): void | Promise<void>;
  remove(path: string): void | Promise<void>;
}

/** For reading too: what was written is checked before it is kept. Fails where there is such a file. */
const CREATE = "wx+";
const OWNER_ONLY = 0o600;

/** Wait for the disk on the calling thread, which does nothing else meanwhile: for threads that only receive. */
export const blockingFiles: FileCalls = {
  create: (path) => openSync(path, CREATE, OWNER_ONLY),
  append(descriptor, pieces) {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length; ) {
        at += writeSync(descriptor, piece, at, Math.min(BLOCK_BYTES, piece.length - at));
      }
    }
  },
  read(descriptor, offset, length) {
    const bytes = Buffer.allocUnsafe(length);
    return bytes.subarray(0, readSync(descriptor, bytes, 0, length, offset));
  },
  close: closeSync,
  rename: renameSync,
  remove: (path) => rmSync(path, { force: true }),
};

const opened = promisify(open);
const written = promisify(writev);
const readOnce = promisify(readWaiting);
const closed = promisify(close);
const renamed = promisify(rename);
const removed = promisify(rm);

/** Wait for the disk on Node's thread pool: the calling thread goes on. */
export const waitingFiles: FileCalls = {
  create: (path) => opened(path, CREATE, OWNER_ONLY),
  async append(descriptor, pieces) {
    for (const block of inBlocks(pieces)) {
      for (let left: readonly Uint8Array[] = block; left.length > 0; )
        left = leftOf(left, (await written(descriptor, left)).bytesWritten);
    }
  },
  async read(descriptor, offset, length) {
    const bytes = Buffer.allocUnsafe(length);
    return bytes.subarray(0, (await readOnce(descriptor, bytes, 0, length, offset)).bytesRead);
  },
  close: (descriptor) => closed(descriptor),
  rename: (from, to) => renamed(from, to),
  remove: (path) => removed(path, { force: true }),
};

/** What is still to be written after a call that wrote so many bytes. A full disk writes less, and fails at the next call. */
function leftOf(pieces: readonly Uint8Array[], writtenBytes: number): readonly Uint8Array[] {
  let bytes = writtenBytes;
  let whole = 0;
  for (; whole < pieces.length && bytes >= (pieces[whole]?.length ?? 0); whole += 1)
    bytes -= pieces[whole]?.length ?? 0;
  const first = pieces[whole];
  return first === undefined ? [] : [first.subarray(bytes), ...pieces.slice(whole + 1)];
}
