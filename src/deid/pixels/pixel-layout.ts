import type { DataSet } from "../../dicom/data-set.ts";
import { factOf } from "../../dicom/element-facts.ts";
import { tagOf } from "../../dicom/tag.ts";
import { heldBytes, numberBytes } from "../engine/element-bytes.ts";
import { splitValues } from "../rules/value-forms.ts";

/** How pixel data is laid out. PS3.3 C.7.6.3. */
export interface PixelLayout {
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: number;
  readonly bitsAllocated: number;
  /** As many as allocated where the object does not say; the same goes for the high bit. */
  readonly bitsStored: number;
  readonly highBit: number;
  readonly isSigned: boolean;
  /** 0: samples of a pixel side by side; 1: a plane for each sample; undefined: not stated. */
  readonly planarConfiguration: number | undefined;
  readonly frames: number;
  readonly photometricInterpretation: string;
}

/** The value of an element of VR US; undefined when it is absent or has several. */
export function unsignedOf(dataSet: DataSet, tag: number, bigEndian: boolean): number | undefined {
  const bytes = heldBytes(dataSet.get(tagOf(tag)));
  const ordered = bytes?.length === 2 ? numberBytes(bytes, "US", bigEndian) : undefined;
  return ordered === undefined ? undefined : Buffer.from(ordered).readUInt16LE();
}

const LAYOUT_TAGS = [
  ...[0x00280002, 0x00280004, 0x00280006, 0x00280008, 0x00280010, 0x00280011],
  ...[0x00280100, 0x00280101, 0x00280102, 0x00280103],
];
const littleEndianLayout = factOf(LAYOUT_TAGS, (dataSet) => readLayout(dataSet, false));
const bigEndianLayout = factOf(LAYOUT_TAGS, (dataSet) => readLayout(dataSet, true));

/** Undefined when the attributes that say it are missing or nonsense. */
export function pixelLayoutOf(dataSet: DataSet, bigEndian: boolean): PixelLayout | undefined {
  return bigEndian ? bigEndianLayout(dataSet) : littleEndianLayout(dataSet);
}

function readLayout(dataSet: DataSet, bigEndian: boolean): PixelLayout | undefined {
  const unsigned = (tag: number): number | undefined => unsignedOf(dataSet, tag, bigEndian);
  const text = (tag: number): string => splitValues(heldBytes(dataSet.get(tagOf(tag))) ?? new Uint8Array())[0] ?? "";
  const rows = unsigned(0x00280010);
  const columns = unsigned(0x00280011);
  const samplesPerPixel = unsigned(0x00280002) ?? 1;
  const bitsAllocated = unsigned(0x00280100);
  const frames = Number(text(0x00280008) || "1");
  if (!rows || !columns || !samplesPerPixel || !bitsAllocated || !Number.isSafeInteger(frames) || frames < 1)
    return undefined;
  const bitsStored = unsigned(0x00280101) ?? bitsAllocated;
  return {
    rows,
    columns,
    samplesPerPixel,
    bitsAllocated,
    bitsStored,
    highBit: unsigned(0x00280102) ?? bitsStored - 1,
    isSigned: unsigned(0x00280103) === 1,
    planarConfiguration: unsigned(0x00280006),
    frames,
    photometricInterpretation: text(0x00280004),
  };
}

/** Whether the stored bits lie within the allocated ones. PS3.5 8.1.1. */
export function hasSoundBits({ bitsAllocated, bitsStored, highBit }: PixelLayout): boolean {
  return bitsStored >= 1 && highBit < bitsAllocated && highBit + 1 >= bitsStored;
}

/** Bytes of uncompressed pixel data without padding. PS3.5 8.1, 8.2; PS3.3 C.7.6.3.1.2 for YBR_FULL_422. */
export function nativeSizeBytes(layout: PixelLayout): number {
  const pixels = layout.rows * layout.columns * layout.frames;
  const samples = layout.photometricInterpretation.endsWith("_422") ? 2 : layout.samplesPerPixel;
  return Math.ceil((pixels * samples * layout.bitsAllocated) / 8);
}
