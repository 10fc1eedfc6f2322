import type { ByteSource } from "../../dicom/data-set.ts";
import type { FileWindow } from "./file-window.ts";

/** Where bytes of the output stand in its source. */
export interface CopiedBytes {
  readonly source: Required<Pick<ByteSource, "readInto">>;
  readonly offset: number;
  readonly length: number;
}

/** Compared at a time, where nobody gives memory. */
const PIECE_BYTES = 2 ** 16;

/** Whether the output has at `offset` what its source has: nothing else than the pixels stands where the pixels should. */
export async function isCopied(
  window: FileWindow,
  offset: number,
  copied: CopiedBytes,
  memory: Buffer = Buffer.allocUnsafe(PIECE_BYTES),
): Promise<boolean> {
  for (let done = 0; done < copied.length; done += memory.length) {
    const original = memory.subarray(0, Math.min(memory.length, copied.length - done));
    if ((await copied.source.readInto(original, copied.offset + done)) < original.length) return false;
    if (!original.equals(await window.load(offset + done, original.length))) return false;
  }
  return true;
}
