import { decodeText } from "../../src/dicom/character-sets.ts";
import type { DataElement, DataSet, Part10File } from "../../src/dicom/data-set.ts";
import { tagOf } from "../../src/dicom/tag.ts";
import { characterSetOf, itemsOf, numbersOf } from "../../src/dicom/values.ts";
import { isText } from "../../src/dicom/vr.ts";
import type { Path } from "./fields.ts";

/** An element of an output, and the data set that holds it. */
export interface Found {
  readonly element: DataElement;
  readonly holder: DataSet;
  readonly characterSet: string | undefined;
}

export function find(dataSet: DataSet, path: Path, inherited?: string): Found | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return undefined;
  const tag = step.creator === undefined ? step.tag : privateTag(dataSet, step.tag, step.creator);
  const element = tag === undefined ? undefined : dataSet.get(tagOf(tag));
  const characterSet = characterSetOf(dataSet, { inheritedCharacterSet: inherited });
  if (element === undefined) return undefined;
  if (step.item === undefined) return { element, holder: dataSet, characterSet };
  const item = itemsOf(dataSet, element.tag)[step.item];
  return item === undefined ? undefined : find(item.dataSet, rest, characterSet);
}

/** Blocks may have moved: found by their creator. PS3.5 7.8.1. */
function privateTag(dataSet: DataSet, tag: number, creator: string): number | undefined {
  const group = tag & 0xffff0000;
  for (let block = 0x10; block <= 0xff; block += 1) {
    const element = dataSet.get(tagOf((group >>> 0) + block));
    if (element !== undefined && valueText({ element, holder: dataSet, characterSet: undefined }).trim() === creator)
      return (group >>> 0) + block * 0x100 + (tag & 0xff);
  }
  return undefined;
}

/** What a reader sees, padding included: empty for what is not in memory. */
export function valueText({ element, characterSet }: Found): string {
  if (element.value.kind === "sequence")
    return element.value.items.map(({ dataSet }) => textWithin(dataSet, characterSet)).join(" ");
  if (element.value.kind !== "bytes") return "";
  const { bytes } = element.value;
  return isText(element.vr) ? decodeText(bytes, element.vr, characterSet) : Buffer.from(bytes).toString("latin1");
}

function textWithin(dataSet: DataSet, inherited: string | undefined): string {
  const characterSet = characterSetOf(dataSet, { inheritedCharacterSet: inherited });
  return [...dataSet.values()].map((element) => valueText({ element, holder: dataSet, characterSet })).join(" ");
}

export function valueNumbers({ element, holder }: Found): readonly number[] {
  if (element.vr === "AT" && element.value.kind === "bytes") {
    const words = Buffer.from(element.value.bytes);
    return Array.from(
      { length: words.length / 4 },
      (_, index) => words.readUInt16LE(index * 4) * 0x10000 + words.readUInt16LE(index * 4 + 2),
    );
  }
  if (element.vr !== "OF") return numbersOf(holder, element.tag);
  const bytes = element.value.kind === "bytes" ? Buffer.from(element.value.bytes) : Buffer.alloc(0);
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => bytes.readFloatLE(index * 4));
}

export function isEmpty({ element: { value } }: Found): boolean {
  if (value.kind === "sequence") return value.items.length === 0;
  if (value.kind !== "bytes") return false;
  return value.bytes.every((byte) => byte === 0 || byte === 0x20);
}

/** Pixels, waveforms, documents; compressed frames without the notes beside their scans. */
export async function bulkBytes(file: Part10File, { element: { value } }: Found): Promise<Buffer> {
  if (value.kind === "bytes") return Buffer.from(value.bytes);
  if (value.kind === "range") return Buffer.from(await file.source.read(value.range.offset, value.range.length));
  if (value.kind === "sequence") return Buffer.alloc(0);
  const fragments = await Promise.all(
    value.fragments.slice(1).map(({ offset, length }) => file.source.read(offset, length)),
  );
  return withoutNotes(Buffer.concat(fragments));
}

const NOTES = new Set([0xfe, ...Array.from({ length: 13 }, (_, index) => 0xe1 + index)]);
const START_OF_SCAN = 0xda;

/** Application segments but for the first, and comments. ISO/IEC 10918-1 B.1.1.3. */
export function withoutNotes(frame: Buffer): Buffer {
  const kept = [frame.subarray(0, 2)];
  for (let at = 2; at + 4 <= frame.length; ) {
    const marker = frame.readUInt8(at + 1);
    const next = at + 2 + frame.readUInt16BE(at + 2);
    if (marker === START_OF_SCAN) {
      kept.push(frame.subarray(at));
      break;
    }
    if (!NOTES.has(marker)) kept.push(frame.subarray(at, next));
    at = next;
  }
  return Buffer.concat(kept);
}
