import type { DataSet } from "../../dicom/data-set.ts";
import { tagOf } from "../../dicom/tag.ts";
import { hasSoundBits, type PixelLayout, pixelLayoutOf, unsignedOf } from "./pixel-layout.ts";

/** Where overlays of old kept their bits: nowhere here, in bits that hold no pixel value, or among those that do. */
export type EmbeddedOverlays = "none" | "in-unused-bits" | "in-pixels";

/**
 * Overlays of old kept their bits in the unused bits of Pixel Data (PS3.3 C.9.2, retired): an Overlay Bits Allocated (60xx,0100) without
 * Overlay Data (60xx,3000) of its own, at Overlay Bit Position (60xx,0102). Their text would leave with the pixels. Where somebody took the bits out
 * into data of its own, a position above the pixel values' says that they may still be there, too.
 */
export function embeddedOverlays(dataSet: DataSet, bigEndian: boolean): EmbeddedOverlays {
  const groups = [...dataSet.keys()]
    .filter((tag) => tag >>> 24 === 0x60 && ((tag & 0xffff) === 0x0100 || (tag & 0xffff) === 0x0102))
    .map((tag) => (tag >>> 16) * 0x10000);
  if (groups.length === 0) return "none";
  const layout = pixelLayoutOf(dataSet, bigEndian);
  const positionOf = (group: number): number | undefined => unsignedOf(dataSet, group + 0x0102, bigEndian);
  const embedded = groups.filter((group) => !hasData(dataSet, group) || isAbove(positionOf(group), layout));
  if (embedded.length === 0) return "none";
  if (layout === undefined || !hasSoundBits(layout)) return "in-pixels";
  const lowest = layout.highBit + 1 - layout.bitsStored;
  const isUnused = embedded.every((group) => {
    const bit = positionOf(group);
    return bit !== undefined && bit < layout.bitsAllocated && (bit > layout.highBit || bit < lowest);
  });
  return isUnused ? "in-unused-bits" : "in-pixels";
}

function hasData(dataSet: DataSet, group: number): boolean {
  const value = dataSet.get(tagOf(group + 0x3000))?.value;
  if (value?.kind === "bytes") return value.bytes.length > 0;
  return value?.kind === "range" && value.range.length > 0;
}

/** Positions that no word has are of nothing. */
function isAbove(bit: number | undefined, layout: PixelLayout | undefined): boolean {
  return bit !== undefined && layout !== undefined && bit > layout.highBit && bit < layout.bitsAllocated;
}
