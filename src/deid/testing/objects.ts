import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { bytesSource } from "../../dicom/reader.ts";
import { type Tag, tagOf } from "../../dicom/tag.ts";
import { dataSetOf, element, textElement } from "../../dicom/values.ts";
import { fileMetaOf, writePart10 } from "../../dicom/writer.ts";

export const SOP_CLASSES = {
  ct: "1.2.840.10008.5.1.4.1.1.2",
  mr: "1.2.840.10008.5.1.4.1.1.4",
  dx: "1.2.840.10008.5.1.4.1.1.1.1",
  us: "1.2.840.10008.5.1.4.1.1.6.1",
  secondaryCapture: "1.2.840.10008.5.1.4.1.1.7",
  pdf: "1.2.840.10008.5.1.4.1.1.104.1",
  report: "1.2.840.10008.5.1.4.1.1.88.11",
} as const;

/** 4 rows of 6 columns of 16 bits. */
export const ROWS = 4;
export const COLUMNS = 6;

export function text(tag: number, value: string): DataElement {
  return textElement(tagOf(tag), value);
}

export function unsigned(tag: number, value: number): DataElement {
  return element(tagOf(tag), "US", Uint8Array.of(value & 0xff, value >>> 8));
}

export function pixels(): Uint8Array {
  return Uint8Array.from({ length: ROWS * COLUMNS * 2 }, (_, index) => (index * 7) & 0xff);
}

/** A small CT image of one patient; `changes` replace or add elements. */
export function ctImage(changes: readonly DataElement[] = []): DataSet {
  const base = [
    text(0x00080008, "ORIGINAL\\PRIMARY\\AXIAL"),
    text(0x00080016, SOP_CLASSES.ct),
    text(0x00080018, "1.2.826.0.1.3680043.9.7.3.1"),
    text(0x00080020, "20240229"),
    text(0x00080022, "20240301"),
    text(0x00080030, "101500"),
    text(0x00080032, "101559.250"),
    text(0x00080050, "ACC7788991"),
    text(0x00080060, "CT"),
    text(0x00080070, "SIEMENS"),
    text(0x00080080, "Saint Elsewhere Infirmary"),
    text(0x00080090, "Harcourt^Philippa"),
    text(0x00081030, "Thorax of Mr Brandybuck"),
    text(0x0008103e, "AXIAL LUNG"),
    text(0x00081090, "SOMATOM Definition AS+"),
    text(0x00100010, "Brandybuck^Meriadoc"),
    text(0x00100020, "MRN4455667"),
    text(0x00100030, "19310704"),
    text(0x00100040, "M"),
    text(0x00101010, "092Y"),
    text(0x00101030, "71.5"),
    text(0x00180015, "CHEST"),
    text(0x00180050, "1.25"),
    text(0x00180060, "120"),
    text(0x00181000, "SN-778123"),
    text(0x00181210, "B70f"),
    text(0x00185100, "HFS"),
    text(0x0020000d, "1.2.826.0.1.3680043.9.7.1"),
    text(0x0020000e, "1.2.826.0.1.3680043.9.7.2"),
    text(0x00200010, "STUDY12345"),
    text(0x00200011, "3"),
    text(0x00200013, "17"),
    text(0x00200032, "-158.135803\\-179.035797\\-75.699997"),
    text(0x00200037, "1\\0\\0\\0\\1\\0"),
    text(0x00200052, "1.2.826.0.1.3680043.9.7.4"),
    unsigned(0x00280002, 1),
    text(0x00280004, "MONOCHROME2"),
    unsigned(0x00280010, ROWS),
    unsigned(0x00280011, COLUMNS),
    text(0x00280030, "0.661468\\0.661468"),
    unsigned(0x00280100, 16),
    unsigned(0x00280101, 16),
    unsigned(0x00280102, 15),
    unsigned(0x00280103, 0),
    text(0x00281052, "-1024"),
    text(0x00281053, "1"),
    text(0x00281054, "HU"),
    element(tagOf(0x7fe00010), "OW", pixels()),
  ];
  const changed = new Set<Tag>(changes.map((one) => one.tag));
  return dataSetOf([...base.filter((one) => !changed.has(one.tag)), ...changes]);
}

/** Without an element. */
export function without(dataSet: DataSet, tag: number): DataSet {
  return new Map([...dataSet].filter(([each]) => each !== tag));
}

export async function part10Bytes(
  dataSet: DataSet,
  options: {
    readonly transferSyntaxUid?: string;
    readonly preamble?: Uint8Array;
    readonly meta?: readonly DataElement[];
  } = {},
): Promise<Buffer> {
  const transferSyntaxUid = options.transferSyntaxUid ?? EXPLICIT_VR_LITTLE_ENDIAN;
  const facts = { sopClassUid: SOP_CLASSES.ct, sopInstanceUid: "1.2.826.0.1.3680043.9.7.3.1", transferSyntaxUid };
  const meta = dataSetOf([...fileMetaOf(facts).values(), ...(options.meta ?? [])]);
  const chunks: Uint8Array[] = [];
  await writePart10(
    { write: (chunk) => void chunks.push(Buffer.from(chunk)) },
    { meta, dataSet, transferSyntaxUid, source: bytesSource(new Uint8Array()), preamble: options.preamble },
    { sourceLittleEndian: true },
  );
  return Buffer.concat(chunks);
}

export async function put(path: string, bytes: Uint8Array): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
  return path;
}
