import type { DataElement, DataSet } from "../../src/dicom/data-set.ts";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import {
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from "../../src/dicom/dictionary/transfer-syntaxes.ts";
import { tagOf } from "../../src/dicom/tag.ts";
import { dataSetOf, element, sequenceElement, textElement, textOf } from "../../src/dicom/values.ts";
import { encodeDataSet, encodeFileMeta } from "../../src/dicom/writer.ts";
import type { OutgoingInstance } from "../../src/network/dimse/service-types.ts";
import type { SyntheticInstance, SyntheticStudy } from "./synthetic-studies.ts";

/** An object that peers and we exchange; `name` says what is special about it. */
export interface InteropObject extends SyntheticInstance {
  readonly name: string;
}

const CT = "1.2.840.10008.5.1.4.1.1.2";
const MR = "1.2.840.10008.5.1.4.1.1.4";
const SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7";
const PRIVATE_SOP_CLASS = "1.2.826.0.1.3680043.9.9999.7.1";
const JPEG_LOSSLESS_SV1 = "1.2.840.10008.1.2.4.70";

const ROOT = "1.2.826.0.1.3680043.9.9999.500";
const [SMALL_ROWS, LARGE_ROWS, VAST_ROWS] = [16, 1448, 4096];

interface ObjectPlan {
  readonly sopClassUid?: string;
  readonly transferSyntaxUid?: string;
  readonly study?: number;
  readonly elements?: readonly DataElement[];
  readonly rows?: number;
  /** Encoded (7FE0,0010), instead of pixels made up. */
  readonly pixelData?: Uint8Array;
}

/** Elements that a careless implementation drops, pads twice or re-encodes. */
function oddElements(): readonly DataElement[] {
  const item = dataSetOf([textElement(tagOf(0x00080100), "ODD"), textElement(tagOf(0x00080104), "")]);
  const undefinedLengths: DataElement = {
    tag: tagOf(0x00081032),
    vr: "SQ",
    undefinedLength: true,
    value: { kind: "sequence", items: [{ dataSet: item, undefinedLength: true }] },
  };
  return [
    textElement(tagOf(0x00101040), ""),
    textElement(tagOf(0x00101000), "\\A\\"),
    textElement(tagOf(0x00204000), "seven b"),
    textElement(tagOf(0x00080090), "^^^^"),
    sequenceElement(tagOf(0x00081110), []),
    sequenceElement(tagOf(0x00081120), [dataSetOf([])]),
    undefinedLengths,
    textElement(tagOf(0x00090010), "RADFERRY TEST", "LO"),
    element(tagOf(0x00091001), "UN", Buffer.from("00ff00fe", "hex")),
    element(tagOf(0x00091002), "FD", Buffer.from("000000000000f87f", "hex")),
    element(tagOf(0x00091003), "OB", Buffer.alloc(70_000, 0x5a)),
  ];
}

function hex(...parts: readonly string[]): Buffer {
  return Buffer.from(parts.join("").replaceAll(" ", ""), "hex");
}

/**
 * A grey image of 16 x 16 pixels of 8 bits, compressed: every pixel equals its prediction, and the code of "no
 * difference" is one zero bit. JPEG lossless process 14, first-order prediction. ISO/IEC 10918-1 B.2, H.
 */
const GREY_JPEG = hex(
  "ffd8", // SOI
  "ffc4 0014 00 01000000000000000000000000000000 00", // DHT: table 0 has one code, of one bit, for category 0
  "ffc3 000b 08 0010 0010 01 01 11 00", // SOF3: 8 bits, 16 lines of 16, one component
  "ffda 0008 01 01 00 01 00 00", // SOS: predictor 1, no point transform
  "00".repeat(32), // 256 pixels of one bit
  "ffd9 00", // EOI, and a byte to make the length even
);

/** Encapsulated pixel data of one frame. PS3.5 A.4. */
const JPEG_PIXEL_DATA = Buffer.concat([
  hex("e07f1000 4f42 0000 ffffffff"), // (7FE0,0010) OB, undefined length
  hex("feff00e0 00000000"), // item: empty basic offset table
  hex("feff00e0", GREY_JPEG.length.toString(16).padEnd(8, "0")), // item: the frame
  GREY_JPEG,
  hex("feffdde0 00000000"), // sequence delimitation
]);

const PLANS = {
  "explicit VR little endian": {},
  "implicit VR little endian": { sopClassUid: MR, transferSyntaxUid: IMPLICIT_VR_LITTLE_ENDIAN },
  "explicit VR big endian": { transferSyntaxUid: EXPLICIT_VR_BIG_ENDIAN },
  "JPEG lossless": {
    sopClassUid: SECONDARY_CAPTURE,
    transferSyntaxUid: JPEG_LOSSLESS_SV1,
    pixelData: JPEG_PIXEL_DATA,
    study: 2,
  },
  deflated: { transferSyntaxUid: DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, study: 2 },
  "private SOP class": { sopClassUid: PRIVATE_SOP_CLASS, study: 2 },
  "odd and empty values": { elements: oddElements(), study: 2 },
  "4 MB": { rows: LARGE_ROWS, study: 2 },
} as const satisfies Readonly<Record<string, ObjectPlan>>;

/** One object of each kind, in two studies of two patients, each in a series of its own. */
export const interopObjects: readonly InteropObject[] = Object.entries(PLANS).map(([name, plan], index) =>
  interopObject(name, index + 1, plan),
);

/** The objects as studies that an archive holds. */
export function interopStudies(objects: readonly InteropObject[]): readonly SyntheticStudy[] {
  return [...Map.groupBy(objects, ({ studyInstanceUid }) => studyInstanceUid)].map(([uid, instances]) => {
    const dataSet = instances[0]?.dataSet ?? dataSetOf([]);
    return {
      studyInstanceUid: uid,
      patientId: textOf(dataSet, tags.PatientID) ?? "",
      accessionNumber: textOf(dataSet, tags.AccessionNumber) ?? "",
      instances,
      identifiers: [],
    };
  });
}

export function objectNamed(name: keyof typeof PLANS): InteropObject {
  const found = interopObjects.find((object) => object.name === name);
  if (found === undefined) throw new Error(`no such object: ${name}`);
  return found;
}

/** A few hundred bytes of any storage SOP class, in a third study. */
export function tinyObject(sopClassUid: string, number: number): InteropObject {
  return interopObject("tiny", number, { sopClassUid, study: 3, rows: 2 });
}

/** More than sockets hold on their own: 32 MB, in a third study. */
export function vastObject(number: number): InteropObject {
  return interopObject("vast", number, { study: 3, rows: VAST_ROWS });
}

/** As it goes over the wire. */
export function outgoing({ sopClassUid, sopInstanceUid, transferSyntaxUid, bytes }: InteropObject): OutgoingInstance {
  return {
    sopClassUid,
    sopInstanceUid,
    transferSyntaxUid,
    async *open() {
      yield bytes;
    },
  };
}

function interopObject(name: string, number: number, plan: ObjectPlan): InteropObject {
  const { sopClassUid = CT, transferSyntaxUid = EXPLICIT_VR_LITTLE_ENDIAN, study = 1, pixelData } = plan;
  const studyInstanceUid = `${ROOT}.${study}`;
  const seriesInstanceUid = `${studyInstanceUid}.${number}`;
  const sopInstanceUid = `${seriesInstanceUid}.1`;
  const rows = plan.rows ?? SMALL_ROWS;
  const bitsAllocated = pixelData === undefined ? 16 : 8;
  const header = [
    textElement(tags.SOPClassUID, sopClassUid, "UI"),
    textElement(tags.SOPInstanceUID, sopInstanceUid, "UI"),
    textElement(tags.StudyDate, "20240102"),
    textElement(tags.StudyTime, "101112"),
    textElement(tags.AccessionNumber, `ACC${study}`),
    textElement(tags.Modality, "OT"),
    textElement(tags.PatientName, `Interop^Patient${study}`),
    textElement(tags.PatientID, `INTEROP${study}`),
    textElement(tags.PatientBirthDate, "19700101"),
    textElement(tags.PatientSex, ""),
    textElement(tags.StudyInstanceUID, studyInstanceUid, "UI"),
    textElement(tags.SeriesInstanceUID, seriesInstanceUid, "UI"),
    textElement(tags.StudyID, String(study)),
    textElement(tags.SeriesNumber, String(number)),
    textElement(tags.InstanceNumber, "1"),
    textElement(tags.PhotometricInterpretation, "MONOCHROME2"),
    ...imagePixel(rows, bitsAllocated),
    ...(plan.elements ?? []),
  ];
  const pixels = Buffer.alloc(rows * rows * 2, "\x01\x00\x02\x00\x03\x00", "latin1");
  const dataSet = dataSetOf([...header, ...(pixelData === undefined ? [element(tags.PixelData, "OW", pixels)] : [])]);
  const facts = { sopClassUid, sopInstanceUid, transferSyntaxUid };
  const bytes = Buffer.concat([encoded(dataSet, transferSyntaxUid), pixelData ?? Buffer.alloc(0)]);
  const file = Buffer.concat([encodeFileMeta(facts), bytes]);
  return { name, ...facts, studyInstanceUid, seriesInstanceUid, dataSet, bytes, file };
}

function encoded(dataSet: DataSet, transferSyntaxUid: string): Uint8Array {
  return encodeDataSet(dataSet, transferSyntaxUid, { sourceLittleEndian: true });
}

/** Image Pixel module. PS3.3 C.7.6.3. */
function imagePixel(rows: number, bitsAllocated: number): readonly DataElement[] {
  const numbers = [
    [tags.SamplesPerPixel, 1],
    [tags.Rows, rows],
    [tags.Columns, rows],
    [tags.BitsAllocated, bitsAllocated],
    [tags.BitsStored, bitsAllocated],
    [tags.HighBit, bitsAllocated - 1],
    [tags.PixelRepresentation, 0],
  ] as const;
  return numbers.map(([tag, value]) => element(tag, "US", Uint8Array.of(value & 0xff, value >>> 8)));
}
