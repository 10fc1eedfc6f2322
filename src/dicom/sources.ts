import { closeSync, fstatSync, open, openSync, read, readSync } from "node:fs";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ByteSource } from "./data-set.ts";

export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    sizeBytes: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  };
}

/** A file that is open until it is disposed; reads that are under way then still end well. */
export interface FileSource extends ByteSource, AsyncDisposable {
  readInto(target: Uint8Array, offset: number): Promise<number>;
}

export interface FileSourceOptions {
  /**
   * Opens and reads on this thread, which waits for the disk: several times faster for headers that are read one after the other, and
   * for programs that have nothing else to do meanwhile; never for a server. @default false
   */
  readonly blocking?: boolean | undefined;
}

/**
 * A file opened for reading; closing it closes the ranges of what was read from it.
 * A descriptor and callbacks instead of a FileHandle, whose four trips to the thread pool would take longer than reading a header:
 * only what may wait for the disk leaves this thread, and asking an open file for its size or closing it does not.
 * @throws NodeJS.ErrnoException as `open`; GatewayError INTERNAL when read after it was closed
 */
export async function fileSource(path: string, { blocking = false }: FileSourceOptions = {}): Promise<FileSource> {
  const descriptor = blocking ? openSync(path, "r") : await opened(path);
  try {
    return createFileSource(descriptor, fstatSync(descriptor).size, blocking ? readNow : readOnce);
  } catch (thrown) {
    closeSync(descriptor);
    throw thrown;
  }
}

function opened(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, "r", (error, descriptor) => (error === null ? resolve(descriptor) : reject(error)));
  });
}

/** As `pread`: bytes of the file at `position` into `target` from `start`; how many. */
type ReadOnce = (descriptor: number, target: Uint8Array, start: number, position: number) => Promise<number> | number;

function createFileSource(descriptor: number, sizeBytes: number, readSome: ReadOnce): FileSource {
  let isClosed = false;
  let readsUnderWay = 0;
  const closeWhenIdle = (): void => {
    if (isClosed && readsUnderWay === 0) closeSync(descriptor);
  };
  async function readInto(target: Uint8Array, offset: number): Promise<number> {
    // The number of a closed descriptor may belong to another file by now.
    if (isClosed) throw new GatewayError("INTERNAL", { what: "read of a closed file" });
    readsUnderWay += 1;
    try {
      let done = 0;
      while (done < target.length) {
        const bytesRead = await readSome(descriptor, target, done, offset + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return done;
    } finally {
      readsUnderWay -= 1;
      closeWhenIdle();
    }
  }
  return {
    sizeBytes,
    readInto,
    async read(offset, length) {
      const bytes = Buffer.allocUnsafe(length);
      const count = await readInto(bytes, offset);
      return count === length ? bytes : bytes.subarray(0, count);
    },
    [Symbol.asyncDispose]() {
      if (!isClosed) {
        isClosed = true;
        closeWhenIdle();
      }
      return Promise.resolve();
    },
  };
}

function readOnce(descriptor: number, target: Uint8Array, start: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(descriptor, target, start, target.length - start, position, (error, bytesRead) =>
      error === null ? resolve(bytesRead) : reject(error),
    );
  });
}

function readNow(descriptor: number, target: Uint8Array, start: number, position: number): number {
  return readSync(descriptor, target, start, target.length - start, position);
}
