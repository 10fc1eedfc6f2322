import type { DataSet } from "../../dicom/data-set.ts";
import { tagOf } from "../../dicom/tag.ts";
import { heldBytes, numberBytes } from "../engine/element-bytes.ts";
import { splitValues } from "../rules/value-forms.ts";

/** How pixel data is laid out. PS3.3 C.7.6.3. */
export interface PixelLayout {
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: number;
  readonly bitsAllocated: number;
  readonly frames: number;
  readonly photometricInterpretation: string;
}

/** Undefined when the attributes that say it are missing or nonsense. */
export function pixelLayoutOf(dataSet: DataSet, bigEndian: boolean): PixelLayout | undefined {
  const unsigned = (tag: number): number | undefined => {
    const bytes = heldBytes(dataSet.get(tagOf(tag)));
    const ordered = bytes?.length === 2 ? numberBytes(bytes, "US", bigEndian) : undefined;
    return ordered === undefined ? undefined : Buffer.from(ordered).readUInt16LE();
  };
  const text = (tag: number): string => splitValues(heldBytes(dataSet.get(tagOf(tag))) ?? new Uint8Array())[0] ?? "";
  const rows = unsigned(0x00280010);
  const columns = unsigned(0x00280011);
  const samplesPerPixel = unsigned(0x00280002) ?? 1;
  const bitsAllocated = unsigned(0x00280100);
  const frames = Number(text(0x00280008) || "1");
  if (!rows || !columns || !samplesPerPixel || !bitsAllocated || !Number.isSafeInteger(frames) || frames < 1)
    return undefined;
  return { rows, columns, samplesPerPixel, bitsAllocated, frames, photometricInterpretation: text(0x00280004) };
}

/** Bytes of uncompressed pixel data without padding. PS3.5 8.1, 8.2; PS3.3 C.7.6.3.1.2 for YBR_FULL_422. */
export function nativeSizeBytes(layout: PixelLayout): number {
  const pixels = layout.rows * layout.columns * layout.frames;
  const samples = layout.photometricInterpretation === "YBR_FULL_422" ? 2 : layout.samplesPerPixel;
  return Math.ceil((pixels * samples * layout.bitsAllocated) / 8);
}
