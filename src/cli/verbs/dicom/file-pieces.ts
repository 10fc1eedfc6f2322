import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { GatewayError } from "../../../errors/gateway-error.ts";

const PIECE_BYTES = 1024 * 1024;
/** One in the socket, one in the stream before it, one that is filled; and one. */
const PIECES = 4;
/**
 * A socket takes no further piece behind one that is longer than what it holds (64 KiB), until all is sent; several shorter ones it may
 * hold at once, so these are copied.
 */
const SHORT_BYTES = 256 * 1024;

/**
 * Reads files from their beginning to their end for one request after the other, in a program that does nothing else meanwhile. Memory is
 * filled again and again: fresh memory for each piece costs more than reading.
 */
export function createFilePieces(): (path: string) => AsyncIterable<Uint8Array> {
  const pieces: Buffer[] = [];
  let taken = 0;
  const nextMemory = (): Buffer => {
    const index = taken % PIECES;
    taken += 1;
    pieces[index] ??= Buffer.allocUnsafeSlow(PIECE_BYTES);
    return pieces[index];
  };
  return async function* read(path) {
    const descriptor = openSync(path, "r");
    try {
      const { size } = fstatSync(descriptor);
      for (let position = 0; position < size; ) {
        const memory = nextMemory();
        const length = readSync(descriptor, memory, 0, Math.min(PIECE_BYTES, size - position), position);
        if (length === 0)
          throw new GatewayError("DICOM_TRUNCATED", { problem: "file became shorter while it was read" });
        position += length;
        yield length < SHORT_BYTES ? Uint8Array.from(memory.subarray(0, length)) : memory.subarray(0, length);
      }
    } finally {
      closeSync(descriptor);
    }
  };
}
