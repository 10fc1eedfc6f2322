import type { DataElement, DataSet } from "../../src/dicom/data-set.ts";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import {
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from "../../src/dicom/dictionary/transfer-syntaxes.ts";
import { tagOf } from "../../src/dicom/tag.ts";
import { dataSetOf, element, sequenceElement, textElement } from "../../src/dicom/values.ts";
import { encodeDataSet, encodeFileMeta } from "../../src/dicom/writer.ts";
import type { FuzzSeed } from "./target.ts";

const RLE_LOSSLESS = "1.2.840.10008.1.2.5";
const SYNTAXES: readonly string[] = [
  IMPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_BIG_ENDIAN,
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
];

/** A file with something of every form of encoding. */
const CONTENT: DataSet = dataSetOf([
  element(tagOf(0x00080000), "UL", Uint8Array.of(48, 0, 0, 0)),
  textElement(tags.SOPInstanceUID, "1.2.3"),
  textElement(tags.PatientName, "Doe^John"),
  textElement(tags.PatientID, "D1"),
  undefinedSequence(0x00081140, [[textElement(tags.PatientName, "Roe^Jane")], []]),
  sequenceElement(tagOf(0x0040a730), [
    dataSetOf([undefinedSequence(0x0040a730, [[element(tagOf(0x0040a161), "FD", new Uint8Array(16))]])]),
  ]),
  textElement(tagOf(0x00091010), "private", "UT"),
  { ...undefinedSequence(0x00091011, [[textElement(tags.PatientName, "Poe^Jo")]]), vr: "UN" },
  element(tagOf(0x00280103), "US", Uint8Array.of(1, 1)),
  element(tagOf(0x00280106), "SS", Uint8Array.of(0xff, 0xff)),
]);

function undefinedSequence(tag: number, items: readonly (readonly DataElement[])[]): DataElement {
  const value = {
    kind: "sequence",
    items: items.map((elements) => ({ dataSet: dataSetOf(elements), undefinedLength: true })),
  } as const;
  return { tag: tagOf(tag), vr: "SQ", undefinedLength: true, value };
}

/** One in every basic syntax, with pixel data behind it, and one in fragments. */
export function sampleFiles(): readonly FuzzSeed[] {
  const pixels = element(tags.PixelData, "OW", new Uint8Array(64));
  const native = SYNTAXES.map((syntax) => ({
    name: `sample in ${syntax}`,
    bytes: fileOf(syntax, encodeDataSet(new Map([...CONTENT, [pixels.tag, pixels]]), syntax)),
  }));
  const header = encodeDataSet(CONTENT, EXPLICIT_VR_LITTLE_ENDIAN);
  return [...native, { name: "sample in fragments", bytes: fileOf(RLE_LOSSLESS, Buffer.concat([header, FRAGMENTS])) }];
}

function fileOf(transferSyntaxUid: string, dataSet: Uint8Array): Buffer {
  const facts = { sopClassUid: "1.2.840.10008.5.1.4.1.1.2", sopInstanceUid: "1.2.3", transferSyntaxUid };
  return Buffer.concat([encodeFileMeta(facts), dataSet]);
}

/** (7FE0,0010) OB of undefined length: an empty offset table, a fragment of 4 bytes, one of 2, the delimiter. PS3.5 A.4. */
const FRAGMENTS = Buffer.from(
  [
    "e07f1000 4f42 0000 ffffffff",
    "feff00e0 00000000",
    "feff00e0 04000000 01020304",
    "feff00e0 02000000 0506",
    "feffdde0 00000000",
  ]
    .join("")
    .replaceAll(" ", ""),
  "hex",
);
