import { randomUUID } from "node:crypto";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ByteSource } from "../../dicom/data-set.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { Clock } from "../../units/clock.ts";
import { systemCodeOf } from "../../units/durable-files.ts";
import { freeRead } from "../http-client/read-memory.ts";
import { blockingFiles, type FileCalls, waitingFiles } from "./file-calls.ts";
import { bytesAt, type IncomingInstance, type InstanceStore } from "./incoming.ts";

/** Nothing but a retrieval writes names like these; none ends in `.dcm`. */
const TEMPORARY = /^\.incoming-[0-9a-f-]{36}\.part$/;
/** A temporary file that nobody wrote to for this long was left behind. */
const STALE_MS = 3_600_000;
/** Of a long instance so much of the beginning stays in memory: its header is looked at when the rest is on disk. */
const HEAD_BYTES = 64 * 1024;
/** Up to here waiting for the disk takes less than asking another thread to. */
const SMALL_BYTES = 128 * 1024;

export interface InstanceFolderOptions {
  /**
   * Small files are opened, written and renamed on this thread, which waits for the disk: for programs that have nothing else to do
   * meanwhile; never for a server. @default false
   */
  readonly blocking?: boolean | undefined;
}

/**
 * A folder that keeps instances as DIR/<SOP Instance UID>.dcm, each whole or absent, bytes as received. Made when it is missing; what a
 * killed process left is swept.
 * @throws GatewayError FOLDER_NOT_WRITABLE
 */
export async function openInstanceFolder(
  path: string,
  clock: Clock,
  { blocking = false }: InstanceFolderOptions = {},
): Promise<InstanceStore<string>> {
  await mkdir(path, { recursive: true }).catch(notWritable);
  await sweep(path, clock.nowMs()).catch(notWritable);
  const callsFor: Calls = (sizeBytes) => (blocking && sizeBytes <= SMALL_BYTES ? blockingFiles : waitingFiles);
  return { begin: () => Promise.resolve(createIncomingFile(path, callsFor)) };
}

async function sweep(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!TEMPORARY.test(name)) continue;
    const { mtimeMs } = await stat(join(folder, name));
    if (nowMs - mtimeMs > STALE_MS) await rm(join(folder, name), { force: true });
  }
}

function notWritable(thrown: unknown): never {
  const reason = systemCodeOf(thrown);
  throw reason === undefined ? thrown : new GatewayError("FOLDER_NOT_WRITABLE", { reason }, thrown);
}

/** The calls for a file of that many bytes, as far as it has come. */
type Calls = (sizeBytes: number) => FileCalls;

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

/**
 * What comes first stays in memory until more comes: of a small instance that is refused no file is ever made. What comes later is written
 * while more comes; one call at a time, and who gives the next pieces waits for the last.
 */
function createIncomingFile(folder: string, callsFor: Calls): IncomingInstance<string> {
  const temporary = join(folder, `.incoming-${randomUUID()}.part`);
  let held: readonly Uint8Array[] = [];
  let head: Uint8Array | undefined;
  let files = waitingFiles;
  let descriptor: number | undefined;
  let sizeBytes = 0;
  let isThere = false;
  let writing: void | Promise<void>;
  const free = createFreeing();

  const flush = async (): Promise<void> => {
    const pieces = held;
    held = [];
    if (descriptor === undefined) {
      files = callsFor(sizeBytes);
      descriptor = await files.create(temporary);
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
  const source = (): ByteSource => ({
    sizeBytes,
    async read(offset, length) {
      if (head !== undefined && offset + length <= head.length) return head.subarray(offset, offset + length);
      await written().catch(notWritable);
      if (descriptor === undefined) return bytesAt(held, offset, Math.min(length, sizeBytes - offset));
      return await files.read(descriptor, offset, Math.min(length, sizeBytes - offset));
    },
  });
  return {
    source,
    async write(pieces) {
      try {
        const isFirst = sizeBytes === 0;
        if (held.length > 0) head ??= Uint8Array.from(bytesAt(held, 0, Math.min(HEAD_BYTES, sizeBytes)));
        await written();
        held = held.length === 0 ? pieces : [...held, ...pieces];
        for (const { length } of pieces) sizeBytes += length;
        if (isFirst) return;
        const flushing = flush();
        // Told to who asks next.
        flushing.catch(() => undefined);
        writing = flushing;
      } catch (thrown) {
        notWritable(thrown);
      }
    },
    async keep(sopInstanceUid) {
      const path = join(folder, `${sopInstanceUid}.dcm`);
      try {
        await written();
        if (held.length > 0 || descriptor === undefined) await flush();
        await close();
        await files.rename(temporary, path);
        isThere = false;
        return path;
      } catch (thrown) {
        return notWritable(thrown);
      }
    },
    async discard() {
      await written().catch(() => undefined);
      held = [];
      await close().catch(() => undefined);
      if (isThere) await files.remove(temporary);
      isThere = false;
    },
  };
}
