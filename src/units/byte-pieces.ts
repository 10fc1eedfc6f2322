/** Smaller ones are copied together: a view of a byte takes some hundred times its size. */
const LARGE_BYTES = 16 * 1024;
const FIRST_BLOCK_BYTES = 1024;
const LARGEST_BLOCK_BYTES = 64 * 1024;

/** Bytes that come in pieces, in memory of about their size, however small the pieces are. */
export interface BytePieces {
  readonly sizeBytes: number;
  /** @param piece the caller's no more */
  add(piece: Uint8Array): void;
  /** All so far, as a copy. */
  bytes(): Buffer;
}

export function createBytePieces(): BytePieces {
  const pieces: Uint8Array[] = [];
  let block = new Uint8Array(0);
  let [startBytes, endBytes, sizeBytes] = [0, 0, 0];
  const close = (): void => {
    if (endBytes > startBytes) pieces.push(block.subarray(startBytes, endBytes));
    startBytes = endBytes;
  };
  return {
    get sizeBytes() {
      return sizeBytes;
    },
    add(piece) {
      sizeBytes += piece.length;
      if (piece.length >= LARGE_BYTES) {
        close();
        pieces.push(piece);
        return;
      }
      if (block.length - endBytes < piece.length) {
        close();
        const doubledBytes = Math.min(LARGEST_BLOCK_BYTES, 2 * block.length);
        block = new Uint8Array(Math.max(FIRST_BLOCK_BYTES, piece.length, doubledBytes));
        [startBytes, endBytes] = [0, 0];
      }
      block.set(piece, endBytes);
      endBytes += piece.length;
    },
    bytes() {
      close();
      return Buffer.concat(pieces, sizeBytes);
    },
  };
}
