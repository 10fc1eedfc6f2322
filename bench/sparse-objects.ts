import { open } from "node:fs/promises";
import type { DataElement } from "../src/dicom/data-set.ts";
import { tags } from "../src/dicom/dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../src/dicom/dictionary/transfer-syntaxes.ts";
import { dataSetOf, element, textElement } from "../src/dicom/values.ts";
import { encodeDataSet, encodeFileMeta } from "../src/dicom/writer.ts";
import { objectSet } from "./sets.ts";

const ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1";
const RLE_LOSSLESS = "1.2.840.10008.1.2.5";
const ROWS = 1_024;
const PIXELS = ROWS * ROWS;
const FRAME_BYTES = 2 * PIXELS;
/** The longest even length of an element of explicit length. PS3.5 7.1.2. */
const LONGEST_VALUE_BYTES = 0xffff_fffe;
const RLE_HEADER_BYTES = 64;
const ITEM_HEADER_BYTES = 8;
/** Zero bytes are runs of one zero each: two bytes for each byte of a pixel. PS3.5 G.3. */
const RLE_FRAME_BYTES = RLE_HEADER_BYTES + 4 * PIXELS;

/**
 * Enhanced CT images of zeros, which take no room on a disk that keeps holes: native ones of up to 4 GB, larger ones as RLE frames, since an
 * element of explicit length cannot be longer.
 */
export async function writeSparseObject(path: string, sizeBytes: number): Promise<void> {
  const isNative = sizeBytes <= LONGEST_VALUE_BYTES + FRAME_BYTES;
  const frames = Math.floor(
    Math.min(sizeBytes, isNative ? LONGEST_VALUE_BYTES : sizeBytes) / (isNative ? FRAME_BYTES : RLE_FRAME_BYTES),
  );
  await using file = await open(path, "w");
  const header = headerOf(frames, isNative);
  await file.writeFile(header);
  if (isNative) {
    await file.truncate(header.length + frames * FRAME_BYTES);
    return;
  }
  let offset = header.length;
  for (let frame = 0; frame < frames; frame += 1) {
    await file.write(rleFrameHead(), 0, ITEM_HEADER_BYTES + RLE_HEADER_BYTES, offset);
    offset += ITEM_HEADER_BYTES + RLE_FRAME_BYTES;
  }
  // Sequence Delimitation Item (FFFE,E0DD). PS3.5 7.5.2.
  await file.write(Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]), 0, 8, offset);
}

function headerOf(frames: number, isNative: boolean): Buffer {
  const [like] = objectSet("a", 1).objects;
  if (like === undefined) throw new Error("an empty set");
  const { sopInstanceUid } = like;
  const transferSyntaxUid = isNative ? EXPLICIT_VR_LITTLE_ENDIAN : RLE_LOSSLESS;
  const dataSet = dataSetOf([
    textElement(tags.ImageType, "ORIGINAL\\PRIMARY\\VOLUME\\NONE"),
    textElement(tags.SOPClassUID, ENHANCED_CT),
    textElement(tags.SOPInstanceUID, sopInstanceUid),
    textElement(tags.StudyInstanceUID, like.studyInstanceUid),
    textElement(tags.SeriesInstanceUID, `${like.studyInstanceUid}.1`),
    textElement(tags.Modality, "CT"),
    textElement(tags.PatientName, "Winterbourne^Septimus"),
    textElement(tags.PatientID, "MRN4455667"),
    textElement(tags.NumberOfFrames, `${frames}`),
    textElement(tags.PhotometricInterpretation, "MONOCHROME2"),
    ...[
      unsigned(tags.SamplesPerPixel, 1),
      unsigned(tags.Rows, ROWS),
      unsigned(tags.Columns, ROWS),
      unsigned(tags.BitsAllocated, 16),
      unsigned(tags.BitsStored, 12),
      unsigned(tags.HighBit, 11),
      unsigned(tags.PixelRepresentation, 0),
    ],
  ]);
  const meta = encodeFileMeta({ sopClassUid: ENHANCED_CT, sopInstanceUid, transferSyntaxUid, sourceAeTitle: "BENCH" });
  return Buffer.concat([meta, encodeDataSet(dataSet, EXPLICIT_VR_LITTLE_ENDIAN), pixelDataHead(frames, isNative)]);
}

function unsigned(tag: DataElement["tag"], value: number): DataElement {
  return element(tag, "US", Uint8Array.of(value & 0xff, value >>> 8));
}

/** (7FE0,0010) OW with its length, or OB of undefined length with an empty Basic Offset Table. PS3.5 7.1.2, A.4. */
function pixelDataHead(frames: number, isNative: boolean): Buffer {
  if (!isNative) {
    const tag = [0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff];
    return Buffer.from([...tag, 0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
  }
  const head = Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x57, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32LE(frames * FRAME_BYTES, 8);
  return head;
}

/** An item with the header of two segments. PS3.5 A.4, G.5. */
function rleFrameHead(): Buffer {
  const head = Buffer.alloc(ITEM_HEADER_BYTES + RLE_HEADER_BYTES);
  head.writeUInt32LE(0xe000fffe, 0);
  head.writeUInt32LE(RLE_FRAME_BYTES, 4);
  for (const [index, value] of [2, RLE_HEADER_BYTES, RLE_HEADER_BYTES + 2 * PIXELS].entries())
    head.writeUInt32LE(value, ITEM_HEADER_BYTES + 4 * index);
  return head;
}
