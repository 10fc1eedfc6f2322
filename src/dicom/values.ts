import { decodeText, isAscii } from "./character-sets.ts";
import { encodeText } from "./character-sets-encode.ts";
import type { DataElement, DataSet, SequenceItem } from "./data-set.ts";
import { vrOf } from "./dictionary/dictionary.ts";
import { tags } from "./dictionary/tags.ts";
import type { Tag } from "./tag.ts";
import { trimUid } from "./uid.ts";
import { trimPadding } from "./values-trim.ts";
import { followsCharacterSet, isSingleValued, isText, type Vr } from "./vr.ts";

/** What a value cannot say of itself. */
export interface ValueContext {
  /** False for a data set read from explicit VR big endian. */
  readonly littleEndian?: boolean;
  /** Specific Character Set of the data set that holds this item, where the item has none. PS3.3 C.12.1.1.2. */
  readonly inheritedCharacterSet?: string | undefined;
}

/** The bytes of a value that is held in memory; undefined when it is absent, a sequence or left in the source. */
export function bytesOf(dataSet: DataSet, tag: Tag): Uint8Array | undefined {
  const value = dataSet.get(tag)?.value;
  return value?.kind === "bytes" ? value.bytes : undefined;
}

/** The whole of (0008,0005), or what was inherited. */
export function characterSetOf(dataSet: DataSet, context: ValueContext = {}): string | undefined {
  const bytes = bytesOf(dataSet, tags.SpecificCharacterSet);
  if (bytes === undefined) return context.inheritedCharacterSet;
  return trimPadding(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1"));
}

/** All values as text, without padding. An absent or empty element has none. */
export function textsOf(dataSet: DataSet, tag: Tag, context: ValueContext = {}): readonly string[] {
  const element = dataSet.get(tag);
  if (element === undefined || element.value.kind !== "bytes" || element.value.bytes.length === 0) return [];
  const { vr } = element;
  const text = decodeText(
    element.value.bytes,
    vr,
    followsCharacterSet(vr) ? characterSetOf(dataSet, context) : undefined,
  );
  return splitTexts(text, vr);
}

/** Split after decoding: multi-byte characters may hold the byte of a backslash. PS3.5 6.1.2.3. */
export function splitTexts(text: string, vr: Vr): readonly string[] {
  return isSingleValued(vr) ? [trimPadding(text)] : text.split("\\").map((value) => trimPadding(value).trimStart());
}

/** The first value as text; undefined when the element is absent or empty. */
export function textOf(dataSet: DataSet, tag: Tag, context: ValueContext = {}): string | undefined {
  const [first] = textsOf(dataSet, tag, context);
  return first === "" ? undefined : first;
}

export function uidOf(dataSet: DataSet, tag: Tag): string | undefined {
  const text = textOf(dataSet, tag);
  return text === undefined ? undefined : trimUid(text);
}

/** How the numbers of each binary VR are read. PS3.5 6.2. */
const READERS: {
  readonly [V in Vr]?: {
    readonly sizeBytes: number;
    readonly read: (view: DataView, at: number, little: boolean) => number;
  };
} = {
  US: { sizeBytes: 2, read: (view, at, little) => view.getUint16(at, little) },
  SS: { sizeBytes: 2, read: (view, at, little) => view.getInt16(at, little) },
  UL: { sizeBytes: 4, read: (view, at, little) => view.getUint32(at, little) },
  SL: { sizeBytes: 4, read: (view, at, little) => view.getInt32(at, little) },
  FL: { sizeBytes: 4, read: (view, at, little) => view.getFloat32(at, little) },
  FD: { sizeBytes: 8, read: (view, at, little) => view.getFloat64(at, little) },
  UV: { sizeBytes: 8, read: (view, at, little) => Number(view.getBigUint64(at, little)) },
  SV: { sizeBytes: 8, read: (view, at, little) => Number(view.getBigInt64(at, little)) },
};

/** All values as numbers: binary VRs, IS and DS. What is no number is NaN. */
export function numbersOf(dataSet: DataSet, tag: Tag, context: ValueContext = {}): readonly number[] {
  const element = dataSet.get(tag);
  if (element === undefined || element.value.kind !== "bytes") return [];
  const reader = READERS[element.vr];
  // Bytes of OB, OW or UN are numbers only to whoever knows their layout.
  if (reader === undefined && !isText(element.vr)) return [];
  if (reader === undefined)
    return textsOf(dataSet, tag, context).map((text) => (text === "" ? Number.NaN : Number(text)));
  const { bytes } = element.value;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = Math.floor(bytes.length / reader.sizeBytes);
  return Array.from({ length: count }, (_, index) =>
    reader.read(view, index * reader.sizeBytes, context.littleEndian ?? true),
  );
}

/** The first value as a finite number; undefined when there is none. */
export function numberOf(dataSet: DataSet, tag: Tag, context: ValueContext = {}): number | undefined {
  const [first] = numbersOf(dataSet, tag, context);
  return first !== undefined && Number.isFinite(first) ? first : undefined;
}

export function itemsOf(dataSet: DataSet, tag: Tag): readonly SequenceItem[] {
  const value = dataSet.get(tag)?.value;
  return value?.kind === "sequence" ? value.items : [];
}

export function element(tag: Tag, vr: Vr, bytes: Uint8Array): DataElement {
  return { tag, vr, undefinedLength: false, value: { kind: "bytes", bytes } };
}

export function sequenceElement(tag: Tag, items: readonly DataSet[]): DataElement {
  const value = { kind: "sequence", items: items.map((dataSet) => ({ dataSet, undefinedLength: false })) } as const;
  return { tag, vr: "SQ", undefinedLength: false, value };
}

const encoder = new TextEncoder();
/** Longer texts are encoded by the system. */
const SHORT_CHARACTERS = 128;

function encoded(text: string): Uint8Array {
  if (text.length > SHORT_CHARACTERS) return encoder.encode(text);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return encoder.encode(text);
    bytes[index] = code;
  }
  return bytes;
}

/** Several values are given with backslashes between them. UTF-8; padded to even length with a blank, UIDs with NUL. PS3.5 6.2. */
export function textElement(tag: Tag, text: string, vr: Vr = vrOf(tag)): DataElement {
  return element(tag, vr, padded(encoded(text), vr));
}

function padded(bytes: Uint8Array, vr: Vr): Uint8Array {
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.of(vr === "UI" ? 0x00 : 0x20)]);
}

/** Sorted by tag, as data sets must be (PS3.5 7.1). Names ISO_IR 192 when a text is not ASCII and no character set is given. */
export function dataSetOf(elements: Iterable<DataElement>): DataSet {
  const sorted = [...elements].sort((a, b) => a.tag - b.tag);
  const named = sorted.some(({ tag }) => tag === tags.SpecificCharacterSet);
  if (!named && sorted.some(hasForeignText))
    return dataSetOf([textElement(tags.SpecificCharacterSet, "ISO_IR 192"), ...sorted]);
  return new Map(sorted.map((one) => [one.tag, one]));
}

/**
 * A data set of texts, in the character set that is among them; in ISO_IR 192 where it cannot say them all. PS3.3 C.12.1.1.2.
 * Several values are given with backslashes between them.
 */
export function dataSetOfTexts(texts: Iterable<readonly [Tag, string]>): DataSet {
  const all = new Map(texts);
  const named = all.get(tags.SpecificCharacterSet);
  const encoded = [...all].map(([tag, text]) => [tag, encodeText(text, vrOf(tag), named)] as const);
  if (named === undefined || encoded.some(([, bytes]) => bytes === undefined)) {
    all.delete(tags.SpecificCharacterSet);
    return dataSetOf([...all].map(([tag, text]) => textElement(tag, text)));
  }
  return dataSetOf(
    encoded.map(([tag, bytes]) => element(tag, vrOf(tag), padded(bytes ?? new Uint8Array(), vrOf(tag)))),
  );
}

function hasForeignText({ vr, value }: DataElement): boolean {
  const isCharacterSetVr =
    vr === "PN" || vr === "LO" || vr === "SH" || vr === "LT" || vr === "ST" || vr === "UT" || vr === "UC";
  return isCharacterSetVr && value.kind === "bytes" && !isAscii(Buffer.from(value.bytes).toString("latin1"));
}
