import type { ByteSource } from "../../dicom/data-set.ts";
import type { FileWindow } from "./file-window.ts";

/** Where bytes of the output stand in its source. */
export interface CopiedBytes {
  readonly source: Required<Pick<ByteSource, "readInto">>;
  readonly offset: number;
  readonly length: number;
  /** The same, where it was read already. */
  readonly held?: Buffer | undefined;
}

/** Compared at a time. */
const PIECE_BYTES = 2 ** 16;

/** Whether the output has at `offset` what its source has: nothing else than the pixels stands where the pixels should. */
export async function isCopied(
  window: FileWindow,
  offset: number,
  { source, held, ...copied }: CopiedBytes,
  memory: Buffer | undefined,
): Promise<boolean> {
  const reader = held === undefined ? pieceReader(source, memory) : heldReader(held);
  for (let done = 0; done < copied.length; done += PIECE_BYTES) {
    const length = Math.min(PIECE_BYTES, copied.length - done);
    const original = await reader(copied.offset, done, length);
    if (original.length < length || !original.equals(await window.load(offset + done, length))) return false;
  }
  return true;
}

/** Bytes of the source from `offset + done`, fewer where there are no more. */
type OriginalReader = (offset: number, done: number, length: number) => Promise<Buffer> | Buffer;

function heldReader(held: Buffer): OriginalReader {
  return (_offset, done, length) => held.subarray(done, done + length);
}

function pieceReader(source: CopiedBytes["source"], memory: Buffer = Buffer.allocUnsafe(PIECE_BYTES)): OriginalReader {
  return async (offset, done, length) => {
    const piece = memory.subarray(0, length);
    return piece.subarray(0, await source.readInto(piece, offset + done));
  };
}
