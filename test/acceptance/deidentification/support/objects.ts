import { part10Bytes } from "../../../../src/deid/testing/objects.ts";
import type { DataElement, DataSet } from "../../../../src/dicom/data-set.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../../../src/dicom/dictionary/transfer-syntaxes.ts";
import { tagOf } from "../../../../src/dicom/tag.ts";
import { dataSetOf, sequenceElement, textsOf } from "../../../../src/dicom/values.ts";
import { encodeDataSet } from "../../../../src/dicom/writer.ts";
import type { Result } from "./engine.ts";

/** Shared Functional Groups: a sequence that stays, item by item. PS3.3 C.7.6.16. */
export const RETAINED_SEQUENCE = 0x52009229;

/** The elements below so many sequences. */
export function nested(elements: readonly DataElement[], depth: number, tag: number = RETAINED_SEQUENCE): DataElement {
  let inner = sequenceElement(tagOf(tag), [dataSetOf(elements)]);
  for (let level = 1; level < depth; level += 1) inner = sequenceElement(tagOf(tag), [dataSetOf([inner])]);
  return inner;
}

/** The innermost item below so many sequences. */
export function itemAt(dataSet: DataSet, depth: number, tag: number = RETAINED_SEQUENCE): DataSet | undefined {
  let inner: DataSet | undefined = dataSet;
  for (let level = 0; level < depth && inner !== undefined; level += 1) {
    const value: DataElement["value"] | undefined = inner.get(tagOf(tag))?.value;
    inner = value?.kind === "sequence" ? value.items[0]?.dataSet : undefined;
  }
  return inner;
}

/** A file in explicit VR little endian, some elements of which are as they are given, instead of the data set's own. */
export function fileWith(dataSet: DataSet, ...given: readonly Uint8Array[]): Promise<Buffer> {
  return fileIn(EXPLICIT_VR_LITTLE_ENDIAN, dataSet, ...given);
}

/** The same in another transfer syntax of explicit VR little endian. */
export async function fileIn(
  transferSyntaxUid: string,
  dataSet: DataSet,
  ...given: readonly Uint8Array[]
): Promise<Buffer> {
  const written = new Map<number, Uint8Array>();
  for (const [tag, element] of dataSet)
    written.set(tag, encodeDataSet(new Map([[tag, element]]), EXPLICIT_VR_LITTLE_ENDIAN));
  for (const bytes of given) written.set(firstTagOf(bytes), bytes);
  const sorted = [...written].sort(([a], [b]) => a - b).map(([, bytes]) => bytes);
  return Buffer.concat([await part10Bytes(new Map(), { transferSyntaxUid }), ...sorted]);
}

function firstTagOf(bytes: Uint8Array): number {
  const buffer = Buffer.from(bytes);
  return buffer.readUInt16LE(0) * 0x10000 + buffer.readUInt16LE(2);
}

/** The output's data set, from behind the file meta on. */
export function dataSetBytes({ bytes }: Result): Buffer {
  // Preamble, "DICM", group length element (12 bytes) that says how long the rest of the file meta is. PS3.10 7.1.
  const metaBytes = bytes.readUInt32LE(128 + 4 + 8);
  return bytes.subarray(128 + 4 + 12 + metaBytes);
}

/** The values of an attribute at the top level; undefined: it is not there. */
export function valuesIn(dataSet: DataSet | undefined, tag: number): readonly string[] | undefined {
  return dataSet?.has(tagOf(tag)) === true ? textsOf(dataSet, tagOf(tag)) : undefined;
}
