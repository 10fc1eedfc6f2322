import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { readPart10 } from "../../../dicom/reader.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { BEHIND_SOP_UIDS, outgoingOf } from "../../../network/dimse/outgoing-file.ts";
import type { OutgoingInstance } from "../../../network/dimse/service-types.ts";

/** The UIDs of nearly every file are in its first bytes; more is read where they are not. */
const WINDOW_BYTES = 2 * 1024;
/** Few reads for an image, and little enough to stay in the processor's cache while it is sent. */
const CHUNK_BYTES = 1024 * 1024;
/** What a sender may still hold of a source, and the chunk that is filled. `OutgoingInstance.open` */
const CHUNKS = 4;

/** Chunks that are filled again and again: fresh memory for each costs more than reading. */
function createChunks(): () => Buffer {
  const chunks: Buffer[] = [];
  let taken = 0;
  return () => {
    const index = taken % CHUNKS;
    taken += 1;
    chunks[index] ??= Buffer.allocUnsafeSlow(CHUNK_BYTES);
    return chunks[index];
  };
}

/**
 * Instances out of files, for a program that does nothing else meanwhile: what is in the page cache is read by this thread in less time than
 * it takes to ask another one for it. For one association: what is sent at the same time would share its memory.
 */
export function localFiles(): { look(path: string): Promise<OutgoingInstance> } {
  const nextChunk = createChunks();
  return {
    /** @throws GatewayError as `outgoingOf`; what the operating system says */
    async look(path) {
      const descriptor = openSync(path, "r");
      try {
        const source = {
          sizeBytes: fstatSync(descriptor).size,
          read: async (offset: number, length: number) => readWhole(descriptor, Buffer.allocUnsafe(length), offset),
        };
        const file = await readPart10(source, { stopBefore: BEHIND_SOP_UIDS, windowBytes: WINDOW_BYTES });
        const { dataSetOffset } = file;
        return outgoingOf(file, () => chunksOf(path, dataSetOffset, nextChunk));
      } finally {
        closeSync(descriptor);
      }
    },
  };
}

async function* chunksOf(path: string, offset: number, nextChunk: () => Buffer): AsyncGenerator<Uint8Array, undefined> {
  const descriptor = openSync(path, "r");
  try {
    const { size } = fstatSync(descriptor);
    for (let position = offset; position < size; ) {
      const read = readWhole(descriptor, nextChunk().subarray(0, size - position), position);
      if (read.length === 0)
        throw new GatewayError("DICOM_TRUNCATED", { problem: "file became shorter while it was read" });
      position += read.length;
      yield read;
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Less than asked for at the end of the file alone. */
function readWhole(descriptor: number, into: Buffer, offset: number): Buffer {
  let done = 0;
  while (done < into.length) {
    const count = readSync(descriptor, into, done, into.length - done, offset + done);
    if (count === 0) break;
    done += count;
  }
  return into.subarray(0, done);
}
