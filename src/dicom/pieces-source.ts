import type { ByteSource } from "./data-set.ts";

/** Bytes that lie in several pieces; what is read across two is copied, the rest is a view. */
export function piecesSource(pieces: readonly Uint8Array[]): ByteSource {
  const starts: number[] = [];
  let sizeBytes = 0;
  for (const { length } of pieces) {
    starts.push(sizeBytes);
    sizeBytes += length;
  }
  return {
    sizeBytes,
    async read(offset, length) {
      const first = pieceAt(starts, offset);
      return gathered(pieces, first, offset - (starts[first] ?? 0), Math.min(length, sizeBytes - offset));
    },
  };
}

/** So many bytes from an offset, all of which are there. */
export function bytesAt(pieces: readonly Uint8Array[], offset: number, length: number): Uint8Array {
  return gathered(pieces, 0, offset, length);
}

/** @param offset from where the piece `first` begins, which may lie behind its end */
function gathered(pieces: readonly Uint8Array[], first: number, offset: number, length: number): Uint8Array {
  const found: Uint8Array[] = [];
  let start = 0;
  for (let index = first; index < pieces.length && start < offset + length; index += 1) {
    const piece = pieces[index] ?? NOTHING;
    const from = Math.max(offset - start, 0);
    const to = Math.min(offset + length - start, piece.length);
    if (from < to) found.push(piece.subarray(from, to));
    start += piece.length;
  }
  return found.length === 1 ? (found[0] ?? NOTHING) : Buffer.concat(found);
}

/** The last that begins there or before. */
function pieceAt(starts: readonly number[], offset: number): number {
  let [low, high] = [0, Math.max(0, starts.length - 1)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

const NOTHING = new Uint8Array(0);
