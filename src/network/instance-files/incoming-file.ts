import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { GatewayError } from "../../errors/gateway-error.ts";
import { systemCodeOf } from "../../units/durable-files.ts";
import type { FileCalls } from "./file-calls.ts";
import type { IncomingInstance } from "./incoming.ts";

/** Of every instance so much of the beginning stays in memory: its header is looked at when all has come. */
const HEAD_BYTES = 64 * 1024;
/** Memory for as many beginnings is kept for those that come later. */
const SPARE_HEADS = 8;

/** Memory for beginnings of instances. */
export interface Heads {
  take(): Buffer;
  giveBack(head: Buffer): void;
}

export function createHeads(): Heads {
  const spare: Buffer[] = [];
  return {
    take: () => spare.pop() ?? Buffer.allocUnsafeSlow(HEAD_BYTES),
    giveBack(head) {
      if (spare.length < SPARE_HEADS) spare.push(head);
    },
  };
}

/** @throws GatewayError FOLDER_NOT_WRITABLE for what the operating system says */
export function notWritable(thrown: unknown): never {
  const reason = systemCodeOf(thrown);
  throw reason === undefined ? thrown : new GatewayError("FOLDER_NOT_WRITABLE", { reason }, thrown);
}

/** An instance that is no longer than its beginning is in no file before it is kept: of one that is refused none is ever made. */
export function createIncomingFile(folder: string, files: FileCalls, heads: Heads): IncomingInstance<string> {
  const file = createPartFile(join(folder, `.incoming-${randomUUID()}.part`), files);
  let head: Buffer | undefined;
  let headBytes = 0;
  let sizeBytes = 0;

  const beginning = (): Uint8Array => head?.subarray(0, headBytes) ?? EMPTY;
  /** What does not belong to the beginning, as it lies. */
  const behindHead = (pieces: readonly Uint8Array[]): readonly Uint8Array[] => {
    if (headBytes === HEAD_BYTES) return pieces;
    head ??= heads.take();
    const rest: Uint8Array[] = [];
    for (const piece of pieces) {
      const length = Math.min(piece.length, HEAD_BYTES - headBytes);
      head.set(length === piece.length ? piece : piece.subarray(0, length), headBytes);
      headBytes += length;
      if (length < piece.length) rest.push(piece.subarray(length));
    }
    return rest;
  };
  const forget = (): void => {
    if (head !== undefined) heads.giveBack(head);
    head = undefined;
    headBytes = 0;
  };
  return {
    borrows: true,
    source: () => ({
      sizeBytes,
      async read(offset, length) {
        const end = Math.min(offset + length, sizeBytes);
        if (end <= headBytes) return beginning().subarray(offset, end);
        return await file.read(offset, end - offset).catch(notWritable);
      },
    }),
    async write(pieces) {
      const rest = behindHead(pieces);
      for (const { length } of pieces) sizeBytes += length;
      if (rest.length === 0) return;
      await file.append(file.isBegun() ? rest : [beginning(), ...rest]).catch(notWritable);
    },
    async keep(sopInstanceUid) {
      const path = join(folder, `${sopInstanceUid}.dcm`);
      try {
        if (!file.isBegun()) await file.append([beginning()]);
        await file.finish(path);
        forget();
        return path;
      } catch (thrown) {
        return notWritable(thrown);
      }
    },
    async discard() {
      await file.drop();
      forget();
    },
  };
}

const EMPTY = new Uint8Array(0);

/** A file that is made when there is something to write. One call at a time; what failed fails for whoever asks next, too. */
function createPartFile(path: string, files: FileCalls) {
  let descriptor: number | undefined;
  let isThere = false;
  let writing: Promise<void> | undefined;

  const write = async (pieces: readonly Uint8Array[]): Promise<void> => {
    if (descriptor === undefined) {
      descriptor = await files.create(path);
      isThere = true;
    }
    await files.append(descriptor, pieces);
  };
  const close = async (): Promise<void> => {
    const closing = descriptor;
    descriptor = undefined;
    if (closing !== undefined) await files.close(closing);
  };
  return {
    isBegun: (): boolean => writing !== undefined,
    async append(pieces: readonly Uint8Array[]): Promise<void> {
      await writing;
      writing = write(pieces);
      await writing;
    },
    async read(offset: number, length: number): Promise<Uint8Array> {
      await writing;
      if (descriptor === undefined) throw new GatewayError("INTERNAL", { what: "no file" });
      return await files.read(descriptor, offset, length);
    },
    async finish(as: string): Promise<void> {
      await writing;
      await close();
      await files.rename(path, as);
      isThere = false;
    },
    async drop(): Promise<void> {
      await writing?.catch(() => undefined);
      await close().catch(() => undefined);
      if (isThere) await files.remove(path);
      isThere = false;
    },
  };
}
