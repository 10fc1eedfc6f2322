/**
 * So much is written to a file at once. For larger writes Linux takes larger pages into its cache, which are seldom at hand: 512 KiB at once took
 * two to four times as long as in pieces (Linux 6.18, ext4, in a virtual machine).
 */
export const BLOCK_BYTES = 64 * 1024;

export function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/** The same bytes in lists of at most BLOCK_BYTES, each for one call; what is longer is divided, nothing is copied. */
export function* inBlocks(pieces: Iterable<Uint8Array>): Generator<Uint8Array[]> {
  let block: Uint8Array[] = [];
  let room = BLOCK_BYTES;
  for (const piece of pieces) {
    for (let start = 0; start < piece.length; ) {
      const part = start === 0 && piece.length <= room ? piece : piece.subarray(start, start + room);
      block.push(part);
      start += part.length;
      room -= part.length;
      if (room > 0) continue;
      yield block;
      block = [];
      room = BLOCK_BYTES;
    }
  }
  if (block.length > 0) yield block;
}

/** What comes, in pieces of at most BLOCK_BYTES: for what writes each piece by itself. */
export async function* dividedForWriting(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of content) for (const block of inBlocks([piece])) yield* block;
}
