import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { ByteSource } from "../../dicom/data-set.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { systemCodeOf } from "../../units/durable-files.ts";
import { freeRead } from "../http-client/read-memory.ts";
import { type FileCalls, waitingFiles } from "./file-calls.ts";
import { bytesAt, type IncomingInstance } from "./incoming.ts";

/** Of a long instance so much of the beginning stays in memory: its header is looked at when the rest is on disk. */
const HEAD_BYTES = 64 * 1024;

/** The calls for a file of that many bytes, as far as it has come. */
type Calls = (sizeBytes: number) => FileCalls;

/** @throws GatewayError FOLDER_NOT_WRITABLE for what the operating system says */
export function notWritable(thrown: unknown): never {
  const reason = systemCodeOf(thrown);
  throw reason === undefined ? thrown : new GatewayError("FOLDER_NOT_WRITABLE", { reason }, thrown);
}

/**
 * What comes first stays in memory until more comes: of a small instance that is refused no file is ever made. What comes later is written
 * while more comes.
 */
export function createIncomingFile(folder: string, callsFor: Calls): IncomingInstance<string> {
  const file = createPartFile(join(folder, `.incoming-${randomUUID()}.part`), callsFor);
  let held: readonly Uint8Array[] = [];
  let head: Uint8Array | undefined;
  let sizeBytes = 0;

  const source = (): ByteSource => ({
    sizeBytes,
    async read(offset, length) {
      if (head !== undefined && offset + length <= head.length) return head.subarray(offset, offset + length);
      const bytes = Math.min(length, sizeBytes - offset);
      return (await file.read(offset, bytes).catch(notWritable)) ?? bytesAt(held, offset, bytes);
    },
  });
  return {
    source,
    async write(pieces) {
      const isFirst = sizeBytes === 0;
      if (held.length > 0) head ??= Uint8Array.from(bytesAt(held, 0, Math.min(HEAD_BYTES, sizeBytes)));
      await file.written().catch(notWritable);
      held = held.length === 0 ? pieces : [...held, ...pieces];
      for (const { length } of pieces) sizeBytes += length;
      if (isFirst) return;
      file.begin(held, sizeBytes);
      held = [];
    },
    async keep(sopInstanceUid) {
      const path = join(folder, `${sopInstanceUid}.dcm`);
      try {
        await file.written();
        if (held.length > 0 || !file.isOpen()) file.begin(held, sizeBytes);
        held = [];
        await file.finish(path);
        return path;
      } catch (thrown) {
        return notWritable(thrown);
      }
    },
    async discard() {
      held = [];
      await file.drop();
    },
  };
}

/** A file that is made when there is something to write. One call at a time: who begins another has waited for the last. */
function createPartFile(path: string, callsFor: Calls) {
  const free = createFreeing();
  let files = waitingFiles;
  let descriptor: number | undefined;
  let isThere = false;
  let writing: Promise<void> | undefined;

  const append = async (pieces: readonly Uint8Array[], sizeBytes: number): Promise<void> => {
    files = callsFor(sizeBytes);
    if (descriptor === undefined) {
      descriptor = await files.create(path);
      isThere = true;
    }
    await files.append(descriptor, pieces);
    free(pieces);
  };
  const written = async (): Promise<void> => {
    const before = writing;
    writing = undefined;
    await before;
  };
  const close = async (): Promise<void> => {
    const closing = descriptor;
    descriptor = undefined;
    if (closing !== undefined) await files.close(closing);
  };
  return {
    written,
    isOpen: (): boolean => descriptor !== undefined,
    /** A failure is told to who asks next. */
    begin(pieces: readonly Uint8Array[], sizeBytes: number): void {
      writing = append(pieces, sizeBytes);
      writing.catch(() => undefined);
    },
    /** Undefined when nothing has been written. */
    async read(offset: number, length: number): Promise<Uint8Array | undefined> {
      await written();
      return descriptor === undefined ? undefined : await files.read(descriptor, offset, length);
    },
    async finish(as: string): Promise<void> {
      await written();
      await close();
      await files.rename(path, as);
      isThere = false;
    },
    async drop(): Promise<void> {
      await written().catch(() => undefined);
      await close().catch(() => undefined);
      if (isThere) await files.remove(path);
      isThere = false;
    },
  };
}

/**
 * Gives the memory of written pieces back; not that of the first piece, in which the instance before may lie, nor that of the last, in which
 * more may come.
 */
function createFreeing(): (pieces: readonly Uint8Array[]) => void {
  let first: ArrayBufferLike | undefined;
  let last: ArrayBufferLike | undefined;
  return (pieces) => {
    for (const { buffer } of pieces) {
      if (buffer === last) continue;
      if (last !== undefined && last !== first) freeRead(last);
      first ??= buffer;
      last = buffer;
    }
  };
}
