import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { bytesSource } from "../../dicom/reader.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf, element } from "../../dicom/values.ts";
import { fileMetaOf, writePart10 } from "../../dicom/writer.ts";
import { ctImage, SOP_CLASSES, text, unsigned } from "./objects.ts";

const PIXEL_DATA = tagOf(0x7fe00010);

export interface ImageShape {
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
  readonly photometricInterpretation: string;
  readonly samplesPerPixel: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly isSigned: boolean;
  readonly planarConfiguration: number;
}

/** 6 rows of 8 grey pixels, two frames. */
export const GREY_8: ImageShape = {
  rows: 6,
  columns: 8,
  frames: 2,
  photometricInterpretation: "MONOCHROME2",
  samplesPerPixel: 1,
  bitsAllocated: 8,
  bitsStored: 8,
  highBit: 7,
  isSigned: false,
  planarConfiguration: 0,
};

/** An ultrasound image without pixels; `changes` replace or add elements. */
export function ultrasoundImage(shape: ImageShape, changes: readonly DataElement[] = []): DataSet {
  const own = [
    text(0x00080016, SOP_CLASSES.us),
    text(0x00080060, "US"),
    text(0x00280004, shape.photometricInterpretation),
    text(0x00280008, String(shape.frames)),
    unsigned(0x00280002, shape.samplesPerPixel),
    ...(shape.samplesPerPixel > 1 ? [unsigned(0x00280006, shape.planarConfiguration)] : []),
    unsigned(0x00280010, shape.rows),
    unsigned(0x00280011, shape.columns),
    unsigned(0x00280100, shape.bitsAllocated),
    unsigned(0x00280101, shape.bitsStored),
    unsigned(0x00280102, shape.highBit),
    unsigned(0x00280103, shape.isSigned ? 1 : 0),
  ];
  const changed = new Set(changes.map(({ tag }) => tag));
  const image = ctImage([...own.filter(({ tag }) => !changed.has(tag)), ...changes]);
  return new Map([...image].filter(([tag]) => tag !== PIXEL_DATA));
}

/** With native pixel data, in the byte order of the words given. */
export function withPixels(image: DataSet, pixels: Uint8Array, vr: "OB" | "OW"): DataSet {
  return dataSetOf([...image.values(), element(PIXEL_DATA, vr, pixels)]);
}

/** A file with encapsulated pixel data: an empty basic offset table, then the fragments as they are given. PS3.5 A.4. */
export async function encapsulatedFile(
  image: DataSet,
  fragments: readonly Uint8Array[],
  transferSyntaxUid: string,
): Promise<Buffer> {
  const offsets = fragments.map((_, index) => fragments.slice(0, index).reduce((sum, { length }) => sum + length, 0));
  const ranges = fragments.map(({ length }, index) => ({ offset: offsets[index] ?? 0, length }));
  const value = { kind: "fragments", fragments: [{ offset: 0, length: 0 }, ...ranges] } as const;
  const pixelData: DataElement = { tag: PIXEL_DATA, vr: "OB", value, undefinedLength: true };
  const dataSet = dataSetOf([...image.values(), pixelData]);
  return writtenFile(dataSet, Buffer.concat(fragments), transferSyntaxUid);
}

export function nativeFile(dataSet: DataSet, transferSyntaxUid: string = EXPLICIT_VR_LITTLE_ENDIAN): Promise<Buffer> {
  return writtenFile(dataSet, new Uint8Array(), transferSyntaxUid);
}

async function writtenFile(dataSet: DataSet, bulk: Uint8Array, transferSyntaxUid: string): Promise<Buffer> {
  const facts = { sopClassUid: SOP_CLASSES.us, sopInstanceUid: "1.2.826.0.1.3680043.9.7.3.1", transferSyntaxUid };
  const chunks: Uint8Array[] = [];
  await writePart10(
    { write: (chunk) => void chunks.push(Buffer.from(chunk)) },
    { meta: fileMetaOf(facts), dataSet, transferSyntaxUid, source: bytesSource(bulk) },
    { sourceLittleEndian: true },
  );
  return Buffer.concat(chunks);
}
