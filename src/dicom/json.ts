import type { DataElement, DataSet, ElementValue } from "./data-set.ts";
import { swapped } from "./encode-segments.ts";
import { formatTagHex, tagOf } from "./tag.ts";
import { characterSetOf, numbersOf, textsOf } from "./values.ts";
import { isText, type Vr, WORD_BYTES } from "./vr.ts";

/** One attribute of the DICOM JSON model. PS3.18 F.2. */
export interface JsonAttribute {
  readonly vr: Vr;
  readonly Value?: readonly unknown[];
  readonly InlineBinary?: string;
  readonly BulkDataURI?: string;
}

export type JsonDataSet = { [tag: string]: JsonAttribute };

export interface JsonOptions {
  readonly littleEndian?: boolean;
  /** What a value that is not held in memory is called: offset and length in its source. */
  readonly bulkDataUri?: (offset: number, length: number) => string;
}

interface Pending {
  readonly dataSet: DataSet;
  readonly target: JsonDataSet;
  readonly inheritedCharacterSet: string | undefined;
}

/** The DICOM JSON model of a data set; group lengths are left out (PS3.18 F.2.2). Nesting costs no call stack. */
export function toDicomJson(dataSet: DataSet, options: JsonOptions = {}): JsonDataSet {
  const root: JsonDataSet = {};
  const pending: Pending[] = [{ dataSet, target: root, inheritedCharacterSet: undefined }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { target, inheritedCharacterSet } = next;
    const characterSet = characterSetOf(next.dataSet, { inheritedCharacterSet });
    for (const element of next.dataSet.values()) {
      if ((element.tag & 0xffff) === 0) continue;
      const attribute =
        element.value.kind === "sequence"
          ? sequenceAttribute(element, element.value, pending, characterSet)
          : attributeOf(next.dataSet, element, { ...options, inheritedCharacterSet });
      target[formatTagHex(element.tag)] = attribute;
    }
  }
  return root;
}

function sequenceAttribute(
  { vr }: DataElement,
  { items }: Extract<ElementValue, { kind: "sequence" }>,
  pending: Pending[],
  inheritedCharacterSet: string | undefined,
): JsonAttribute {
  const targets = items.map(({ dataSet }) => {
    const target: JsonDataSet = {};
    pending.push({ dataSet, target, inheritedCharacterSet });
    return target;
  });
  // UN whose content was read as a sequence is one.
  return targets.length === 0 ? { vr: vr === "UN" ? "SQ" : vr } : { vr: "SQ", Value: targets };
}

function attributeOf(
  dataSet: DataSet,
  { tag, vr, value }: DataElement,
  options: JsonOptions & { readonly inheritedCharacterSet: string | undefined },
): JsonAttribute {
  const uri = options.bulkDataUri ?? ((offset, length) => `#${offset},${length}`);
  if (value.kind === "range") return { vr, BulkDataURI: uri(value.range.offset, value.range.length) };
  if (value.kind === "fragments") {
    const [first] = value.fragments;
    const last = value.fragments.at(-1);
    if (first === undefined || last === undefined) return { vr };
    // All items with their headers of 8 bytes.
    const start = first.offset - 8;
    return { vr, BulkDataURI: uri(start, last.offset + last.length - start) };
  }
  if (value.kind !== "bytes" || value.bytes.length === 0) return { vr };
  if (vr === "AT") return { vr, Value: tagsOf(value.bytes, options.littleEndian ?? true) };
  if (vr === "PN") return { vr, Value: textsOf(dataSet, tag, options).map(personName) };
  if (vr === "IS" || vr === "DS") return { vr, Value: numbersOrTexts(textsOf(dataSet, tag, options)) };
  if (isText(vr)) return { vr, Value: textsOf(dataSet, tag, options).map((text) => (text === "" ? null : text)) };
  if (vr === "SV" || vr === "UV")
    return { vr, Value: bigNumbers(value.bytes, vr === "SV", options.littleEndian ?? true) };
  const numbers = numbersOf(dataSet, tag, options);
  if (numbers.length > 0 && !vr.startsWith("O") && vr !== "UN") return { vr, Value: numbers.map(jsonNumber) };
  // Always little endian. PS3.18 F.2.7.
  const ordered = options.littleEndian === false ? swapped(value.bytes, WORD_BYTES[vr] ?? 1) : value.bytes;
  return { vr, InlineBinary: Buffer.from(ordered).toString("base64") };
}

/** JSON has no NaN and no infinity. PS3.18 F.2.3. */
function jsonNumber(number: number): number | string {
  return Number.isFinite(number) ? number : String(number);
}

/** Beyond 2^53 a JSON number would lose digits: given as text. PS3.18 F.2.3.1. */
function bigNumbers(bytes: Uint8Array, signed: boolean, little: boolean): readonly (number | string)[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / 8) }, (_, index) => {
    const value = signed ? view.getBigInt64(index * 8, little) : view.getBigUint64(index * 8, little);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  });
}

/** What is no number is given as the text it is, rather than lost. PS3.18 F.2.3.1. */
function numbersOrTexts(texts: readonly string[]): readonly unknown[] {
  return texts.map((text) => {
    const number = Number(text);
    if (text === "") return null;
    return Number.isFinite(number) ? number : text;
  });
}

/** Up to three component groups: alphabetic, ideographic, phonetic. PS3.5 6.2.1, PS3.18 F.2.2. */
function personName(text: string): Readonly<Record<string, string>> | null {
  const [alphabetic = "", ideographic = "", phonetic = ""] = text.split("=");
  const groups = { Alphabetic: alphabetic, Ideographic: ideographic, Phonetic: phonetic };
  const filled = Object.entries(groups).filter(([, group]) => group !== "");
  return filled.length === 0 ? null : Object.fromEntries(filled);
}

function tagsOf(bytes: Uint8Array, little: boolean): readonly string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => {
    return formatTagHex(tagOf((view.getUint16(index * 4, little) << 16) | view.getUint16(index * 4 + 2, little)));
  });
}
