/** What the product has for `node:fs` while it is simulated: reading by descriptor, and as a stream. */
import * as real from "node:fs";
import { Readable } from "node:stream";
import { fileAt, isSimulated, syncFile, systemCall } from "../machine.ts";
import type { MemoryFile } from "../memory-disk.ts";

export * from "node:fs";

/** Higher than any of the system's. */
const FIRST_DESCRIPTOR = 1_000_000;
const openFiles = new Map<number, MemoryFile>();
let lastDescriptor = FIRST_DESCRIPTOR;

type Callback<T> = (error: unknown, value?: T) => void;

function opened(file: MemoryFile): number {
  lastDescriptor += 1;
  openFiles.set(lastDescriptor, file);
  return lastDescriptor;
}

export function open(path: string, flags: string, callback: Callback<number>): void {
  if (!isSimulated(path)) {
    real.open(path, flags, callback);
    return;
  }
  systemCall("read", "open", () => opened(fileAt(path))).then(
    (descriptor) => callback(null, descriptor),
    (thrown: unknown) => callback(thrown),
  );
}

export function fstatSync(descriptor: number): { readonly size: number; readonly mode: number } {
  const file = openFiles.get(descriptor);
  return file === undefined ? real.fstatSync(descriptor) : { size: file.content.length, mode: file.mode };
}

export function fchmod(descriptor: number, mode: number, callback: Callback<void>): void {
  const file = openFiles.get(descriptor);
  if (file === undefined) {
    real.fchmod(descriptor, mode, callback);
    return;
  }
  const change = (): void => {
    file.mode = mode;
  };
  systemCall("write", "fchmod", change).then(
    () => callback(null),
    (thrown: unknown) => callback(thrown),
  );
}

export function closeSync(descriptor: number): void {
  if (!openFiles.delete(descriptor)) real.closeSync(descriptor);
}

export function read(
  descriptor: number,
  target: Uint8Array,
  start: number,
  length: number,
  position: number,
  callback: Callback<number>,
): void {
  const file = openFiles.get(descriptor);
  if (file === undefined) {
    real.read(descriptor, target, start, length, position, callback);
    return;
  }
  systemCall("read", "read", () => {
    const bytes = file.content.subarray(position, position + length);
    target.set(bytes, start);
    return bytes.length;
  }).then(
    (count) => callback(null, count),
    (thrown: unknown) => callback(thrown),
  );
}

/** Done before its callback is called, as far as a power cut is concerned. */
function synced(file: MemoryFile, callback: Callback<void>): void {
  systemCall("write", "sync", () => syncFile(file)).then(
    () => callback(null),
    (thrown: unknown) => callback(thrown),
  );
}

export function fdatasync(descriptor: number, callback: Callback<void>): void {
  const file = openFiles.get(descriptor);
  if (file === undefined) real.fdatasync(descriptor, callback);
  else synced(file, callback);
}

export function fsync(descriptor: number, callback: Callback<void>): void {
  const file = openFiles.get(descriptor);
  if (file === undefined) real.fsync(descriptor, callback);
  else synced(file, callback);
}

export function close(descriptor: number, callback: Callback<void> = () => undefined): void {
  if (openFiles.delete(descriptor)) process.nextTick(callback, null);
  else real.close(descriptor, callback);
}

export function createReadStream(path: string, options?: { highWaterMark?: number }): Readable {
  if (!isSimulated(path)) return real.createReadStream(path, options);
  return Readable.from(
    (async function* () {
      yield await systemCall("read", "stream", () => Buffer.from(fileAt(path).content));
    })(),
  );
}
