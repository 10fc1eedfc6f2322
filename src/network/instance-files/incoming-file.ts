import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { GatewayError } from "../../errors/gateway-error.ts";
import { systemCodeOf } from "../../units/durable-files.ts";
import type { FileCalls } from "./file-calls.ts";
import type { IncomingInstance } from "./incoming.ts";

/** Up to here an instance is in memory alone before it is kept: of one that is refused no file is ever made. */
const HELD_BYTES = 128 * 1024;
/** Of a longer one so much of the beginning stays in memory: its header is looked at when all has come. */
const HEAD_BYTES = 64 * 1024;

/** @throws GatewayError FOLDER_NOT_WRITABLE for what the operating system says */
export function notWritable(thrown: unknown): never {
  const reason = systemCodeOf(thrown);
  throw reason === undefined ? thrown : new GatewayError("FOLDER_NOT_WRITABLE", { reason }, thrown);
}

/** What comes is written as it comes, from where it lies, but for what is held. */
export function createIncomingFile(folder: string, files: FileCalls): IncomingInstance<string> {
  const file = createPartFile(join(folder, `.incoming-${randomUUID()}.part`), files);
  let head = new Uint8Array(0);
  let headBytes = 0;
  let sizeBytes = 0;

  const beginning = (): Uint8Array => head.subarray(0, headBytes);
  /** What does not belong to the beginning, as it lies. */
  const behindHead = (pieces: readonly Uint8Array[]): readonly Uint8Array[] => {
    const limitBytes = sizeBytes <= HELD_BYTES ? HELD_BYTES : HEAD_BYTES;
    if (headBytes >= limitBytes) return pieces;
    if (head.length < Math.min(sizeBytes, limitBytes)) head = enlarged(head, sizeBytes, limitBytes);
    const rest: Uint8Array[] = [];
    for (const piece of pieces) {
      const length = Math.min(piece.length, limitBytes - headBytes);
      head.set(length === piece.length ? piece : piece.subarray(0, length), headBytes);
      headBytes += length;
      if (length < piece.length) rest.push(piece.subarray(length));
    }
    return rest;
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
      for (const { length } of pieces) sizeBytes += length;
      const rest = behindHead(pieces);
      if (rest.length === 0) return;
      // By itself: a first write that is much longer takes twice the time for each byte. See BLOCK_BYTES.
      if (!file.isBegun()) await file.append([beginning()]).catch(notWritable);
      await file.append(rest).catch(notWritable);
    },
    async keep(sopInstanceUid) {
      const path = join(folder, `${sopInstanceUid}.dcm`);
      try {
        if (!file.isBegun()) await file.append([beginning()]);
        await file.finish(path);
        return path;
      } catch (thrown) {
        return notWritable(thrown);
      }
    },
    async discard() {
      await file.drop();
      // At once: the engine would give it back when there are hundreds of them.
      head.buffer.transfer(0);
      head = new Uint8Array(0);
      headBytes = 0;
    },
  };
}

function enlarged(head: Uint8Array, neededBytes: number, limitBytes: number): Uint8Array<ArrayBuffer> {
  const larger = Buffer.allocUnsafeSlow(Math.min(limitBytes, Math.max(neededBytes, head.length * 2)));
  larger.set(head);
  return larger;
}

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
