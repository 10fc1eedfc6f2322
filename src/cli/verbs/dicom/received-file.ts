import { randomUUID } from "node:crypto";
import { closeSync, fdatasync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const syncDescriptor = promisify(fdatasync);

export const TEMPORARY = /^\.incoming-[0-9a-f-]{36}\.part$/;

/** Held back until it is full: most objects show their UIDs in it, and small ones are written at once. */
const HEAD_BYTES = 16 * 1024;
/** Heads are used again: one of its own for each small object would be most of what is there to collect. */
const spareHeads: Buffer[] = [];
const MAXIMUM_SPARE_HEADS = 16;

/**
 * A file that arrives under a temporary name, in order. It is written by the thread that reads the network: this program has nothing else to do,
 * copying into the page cache takes less time than asking another thread for it, and a disk that is behind holds the senders back by itself.
 * Only what waits for the disk, syncing, is left to others. Everything throws what the operating system says.
 */
export interface ReceivedFile {
  readonly temporary: string;
  write(chunk: Uint8Array): void;
  /** Everything is with the operating system afterwards, and on disk when `isSynced`. */
  finish(isSynced: boolean): Promise<void>;
  /** Gives the finished file its name. */
  place(path: string): void;
  /** Removes what is there under the temporary name. */
  discard(): void;
}

/** @param onHead shown the first bytes before they are written, all of a small file; they are there until it returns */
export function createReceivedFile(folder: string, onHead: (head: Uint8Array) => void): ReceivedFile {
  const temporary = join(folder, `.incoming-${randomUUID()}.part`);
  let head: Buffer | undefined = spareHeads.pop() ?? Buffer.allocUnsafeSlow(HEAD_BYTES);
  let headBytes = 0;
  let descriptor: number | undefined = openSync(temporary, "wx");
  let isThere = true;

  const writeAll = (bytes: Uint8Array): void => {
    if (descriptor === undefined) throw new Error("the file is closed");
    for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
  };
  const giveHeadBack = (): void => {
    if (head !== undefined && spareHeads.length < MAXIMUM_SPARE_HEADS) spareHeads.push(head);
    head = undefined;
  };
  const writeHead = (): void => {
    if (head === undefined) return;
    const bytes = head.subarray(0, headBytes);
    try {
      onHead(bytes);
      writeAll(bytes);
    } finally {
      giveHeadBack();
    }
  };
  const close = (): void => {
    if (descriptor === undefined) return;
    const closing = descriptor;
    descriptor = undefined;
    closeSync(closing);
  };
  return {
    temporary,
    write(chunk) {
      if (head === undefined) return writeAll(chunk);
      const fitting = chunk.subarray(0, HEAD_BYTES - headBytes);
      head.set(fitting, headBytes);
      headBytes += fitting.length;
      if (headBytes < HEAD_BYTES) return;
      writeHead();
      writeAll(chunk.subarray(fitting.length));
    },
    async finish(isSynced) {
      writeHead();
      if (isSynced && descriptor !== undefined) await syncDescriptor(descriptor);
      close();
    },
    place(path) {
      renameSync(temporary, path);
      isThere = false;
    },
    discard() {
      giveHeadBack();
      close();
      if (isThere) rmSync(temporary, { force: true });
      isThere = false;
    },
  };
}
