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

/** The few calls that a file on its way needs; everything throws what the operating system says. */
export interface FileCalls {
  create(path: string): number | Promise<number>;
  /** All of it, at the end of what was written so far. */
  append(descriptor: number, pieces: readonly Uint8Array[]): void | Promise<void>;
  read(descriptor: number, offset: number, length: number): Uint8Array | Promise<Uint8Array>;
  close(descriptor: number): void | Promise<void>;
  rename(from: string, to: string): void | Promise<void>;
  remove(path: string): void | Promise<void>;
}

/** Read, too: what was written is looked at before it is kept. */
const CREATE = "wx+";
const OWNER_ONLY = 0o600;

/** On this thread. */
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

/** On threads of their own. */
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

/** What a call that wrote so many bytes has left over: a full disk says so at the next one. */
function leftOf(pieces: readonly Uint8Array[], writtenBytes: number): readonly Uint8Array[] {
  let bytes = writtenBytes;
  let whole = 0;
  for (; whole < pieces.length && bytes >= (pieces[whole]?.length ?? 0); whole += 1)
    bytes -= pieces[whole]?.length ?? 0;
  const first = pieces[whole];
  return first === undefined ? [] : [first.subarray(bytes), ...pieces.slice(whole + 1)];
}
