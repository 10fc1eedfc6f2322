import { decodeWithProblem, type TextProblem } from "./character-sets.ts";
import type { ByteRange, DataElement, DataSet, ElementValue } from "./data-set.ts";
import { swapped } from "./encode-segments.ts";
import { bigIntegersOf, jsonNumber, numberOrText, tagTextsOf } from "./json-numbers.ts";
import { splitNameGroups } from "./person-name.ts";
import { elementOf, formatTagHex, type Tag } from "./tag.ts";
import { characterSetOf, numbersOf, splitTexts } from "./values.ts";
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
  /** What stands for a value that is not held in memory: a URI, or its bytes. @default "#offset,length" */
  readonly bulkData?: (range: ByteRange) => string | Uint8Array;
  /** Told of texts that are not in the character set they should be in. */
  readonly onTextProblem?: (problem: TextProblem, tag: Tag) => void;
}

interface Level {
  readonly dataSet: DataSet;
  readonly target: JsonDataSet;
  readonly inheritedCharacterSet: string | undefined;
  readonly littleEndian: boolean;
}

/**
 * The DICOM JSON model of a data set, in the order of tags; group lengths are left out (PS3.18 F.2.2). Specific Character Set stays what
 * it was in the source, though JSON is UTF-8 (PS3.18 F.2.2 note 3). Nesting costs no call stack.
 */
export function toDicomJson(dataSet: DataSet, options: JsonOptions = {}): JsonDataSet {
  const root: JsonDataSet = {};
  const littleEndian = options.littleEndian ?? true;
  const pending: Level[] = [{ dataSet, target: root, inheritedCharacterSet: undefined, littleEndian }];
  for (let level = pending.pop(); level !== undefined; level = pending.pop()) {
    const characterSet = characterSetOf(level.dataSet, level);
    for (const element of inOrder(level.dataSet)) {
      if (elementOf(element.tag) === 0) continue;
      level.target[formatTagHex(element.tag)] =
        element.value.kind === "sequence"
          ? sequenceAttribute(element, element.value, pending, level, characterSet)
          : attributeOf(level, element, characterSet, options);
    }
  }
  return root;
}

/** Files may have their elements in any order. PS3.18 F.2.2. */
function inOrder(dataSet: DataSet): Iterable<DataElement> {
  let last = -1;
  for (const tag of dataSet.keys()) {
    if (tag < last) return [...dataSet.values()].sort((a, b) => a.tag - b.tag);
    last = tag;
  }
  return dataSet.values();
}

function sequenceAttribute(
  { vr }: DataElement,
  { items }: Extract<ElementValue, { kind: "sequence" }>,
  pending: Level[],
  level: Level,
  inheritedCharacterSet: string | undefined,
): JsonAttribute {
  // Inside UN everything is little endian. PS3.5 6.2.2 note 2.
  const littleEndian = level.littleEndian || vr === "UN";
  const targets = items.map(({ dataSet }) => {
    const target: JsonDataSet = {};
    pending.push({ dataSet, target, inheritedCharacterSet, littleEndian });
    return target;
  });
  // UN whose content was read as a sequence is one.
  return targets.length === 0 ? { vr: "SQ" } : { vr: "SQ", Value: targets };
}

function attributeOf(
  level: Level,
  { tag, vr, value }: DataElement,
  characterSet: string | undefined,
  options: JsonOptions,
): JsonAttribute {
  if (value.kind === "range") return bulkAttribute(vr, value.range, level, options);
  if (value.kind === "fragments") {
    const [first] = value.fragments;
    const last = value.fragments.at(-1);
    if (first === undefined || last === undefined) return { vr };
    // All items with their headers of 8 bytes.
    const offset = first.offset - 8;
    return bulkAttribute(vr, { offset, length: last.offset + last.length - offset }, level, options);
  }
  if (value.kind !== "bytes" || value.bytes.length === 0) return { vr };
  if (!isText(vr)) return numbersAttribute(level, tag, vr, value.bytes);
  const { text, problem } = decodeWithProblem(value.bytes, vr, characterSet);
  if (problem !== undefined) options.onTextProblem?.(problem, tag);
  const texts = splitTexts(text, vr);
  if (texts.length === 1 && texts[0] === "") return { vr };
  return { vr, Value: texts.map((one) => textValue(one, vr)) };
}

function textValue(text: string, vr: Vr): unknown {
  if (text === "") return null;
  if (vr === "PN") return personName(text);
  return vr === "DS" || vr === "IS" ? numberOrText(text, vr) : text;
}

function bulkAttribute(vr: Vr, range: ByteRange, level: Level, { bulkData }: JsonOptions): JsonAttribute {
  const bulk = bulkData?.(range) ?? `#${range.offset},${range.length}`;
  return typeof bulk === "string" ? { vr, BulkDataURI: bulk } : binaryAttribute(vr, bulk, level);
}

/** Always little endian. PS3.18 F.2.7. */
function binaryAttribute(vr: Vr, bytes: Uint8Array, { littleEndian }: Level): JsonAttribute {
  const ordered = littleEndian ? bytes : swapped(bytes, WORD_BYTES[vr] ?? 1);
  return { vr, InlineBinary: Buffer.from(ordered).toString("base64") };
}

function numbersAttribute(level: Level, tag: Tag, vr: Vr, bytes: Uint8Array): JsonAttribute {
  const { littleEndian } = level;
  const sizeBytes = vr === "AT" ? 4 : (WORD_BYTES[vr] ?? 1);
  // A value that does not divide into whole numbers is given as bytes: its rest would be lost.
  if (vr === "UN" || vr.startsWith("O") || bytes.length % sizeBytes !== 0) return binaryAttribute(vr, bytes, level);
  if (vr === "AT") return { vr, Value: tagTextsOf(bytes, littleEndian) };
  if (vr === "SV" || vr === "UV") return { vr, Value: bigIntegersOf(bytes, vr === "SV", littleEndian) };
  return { vr, Value: numbersOf(level.dataSet, tag, level).map(jsonNumber) };
}

/** The groups that are not empty. PS3.5 6.2.1, PS3.18 F.2.2. */
function personName(text: string): Readonly<Record<string, string>> | null {
  const { alphabetic, ideographic, phonetic } = splitNameGroups(text);
  const groups = { Alphabetic: alphabetic, Ideographic: ideographic, Phonetic: phonetic };
  const filled = Object.entries(groups).filter(([, group]) => group !== "");
  return filled.length === 0 ? null : Object.fromEntries(filled);
}
