import { Rejection } from "../engine/rejection.ts";
import { hasSoundBits, type PixelLayout } from "./pixel-layout.ts";

/** Bytes of native pixel data in little endian order become the same, with nothing in the bits outside Bits Stored. */
export type BitClearer = (bytes: Uint8Array) => Uint8Array;

const WORDS = { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array } as const;

/**
 * Bits outside Bits Stored hold no pixel value (PS3.5 8.1.1): they become zero, above negative values one, as readers that do not look at
 * Bits Stored need it. Undefined: there are no such bits.
 * @throws Rejection PIXEL_DATA_INCONSISTENT for words of other sizes than 8, 16 and 32 bits
 */
export function unusedBitClearer(layout: PixelLayout): BitClearer | undefined {
  const { bitsAllocated, bitsStored, highBit, isSigned } = layout;
  if (bitsStored === bitsAllocated) return undefined;
  if (!hasSoundBits(layout) || (bitsAllocated !== 8 && bitsAllocated !== 16 && bitsAllocated !== 32))
    throw new Rejection("PIXEL_DATA_INCONSISTENT", "bits-stored");
  const Words = WORDS[bitsAllocated];
  const [left, right, back] = [31 - highBit, 32 - bitsStored, highBit + 1 - bitsStored];
  return (bytes) => {
    const copy = Uint8Array.from(bytes);
    const words = new Words(copy.buffer, 0, Math.floor((copy.length * 8) / bitsAllocated));
    for (let index = 0; index < words.length; index += 1) {
      const aligned = (words[index] ?? 0) << left;
      words[index] = (isSigned ? aligned >> right : aligned >>> right) << back;
    }
    return copy;
  };
}
