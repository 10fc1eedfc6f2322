import { GatewayError } from "../errors/gateway-error.ts";
import { encodeText } from "./character-sets-encode.ts";
import { UTF_8 } from "./character-sets-table.ts";
import type { DataElement, DataSet, ElementValue, SequenceItem } from "./data-set.ts";
import { tags } from "./dictionary/tags.ts";
import { encodeBigIntegers, encodeNumbers, encodeTagTexts, NUMBER_FORMATS } from "./json-numbers.ts";
import { textOfValues } from "./json-texts.ts";
import { DEFAULT_LIMITS, type ParseLimits } from "./limits.ts";
import { elementOf, formatTagHex, groupOf, type Tag, tagOf } from "./tag.ts";
import { followsCharacterSet, isText, type Vr, vrOfCode } from "./vr.ts";

export interface JsonReadOptions {
  /** The value behind a BulkDataURI, little endian; undefined when it cannot be had. Absent: every BulkDataURI is refused. */
  readonly resolveBulkData?: (
    uri: string,
    attribute: { readonly tag: Tag; readonly vr: Vr },
  ) => ElementValue | undefined;
  /** Nesting, attributes and items in all, and bytes of all values. */
  readonly limits?: Partial<Pick<ParseLimits, "depth" | "elements" | "heldBytes">>;
}

interface Level {
  readonly json: Readonly<Record<string, unknown>>;
  readonly target: Map<Tag, DataElement>;
  /** JSON pointer. */
  readonly path: string;
  readonly depth: number;
  readonly inheritedCharacterSet: string | undefined;
}

interface Reader {
  readonly options: JsonReadOptions;
  readonly limits: ParseLimits;
  readonly pending: Level[];
  elements: number;
  heldBytes: number;
}

/** An attribute whose text is not yet bytes: these depend on the character set that all texts of the data set need. */
interface Draft {
  readonly tag: Tag;
  readonly vr: Vr;
  readonly path: string;
  readonly text?: string;
  readonly value?: ElementValue;
  readonly items?: readonly unknown[];
}

/**
 * The data set of a DICOM JSON model object, values little endian. PS3.18 F.2.
 * Texts are encoded in Specific Character Set where it can say them, else in ISO_IR 192, which is then declared. DS numbers that 16
 * characters cannot say are rounded. Group lengths and members the model does not have are passed over.
 * @throws GatewayError DICOM_JSON_INVALID, DICOM_JSON_BULK_DATA, DICOM_LIMIT_EXCEEDED; details hold the JSON pointer, never a value
 */
export function fromDicomJson(json: unknown, options: JsonReadOptions = {}): DataSet {
  const root = new Map<Tag, DataElement>();
  if (!isObject(json)) return fail("", "no object");
  const reader: Reader = {
    options,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    pending: [],
    elements: 0,
    heldBytes: 0,
  };
  reader.pending.push({ json, target: root, path: "", depth: 0, inheritedCharacterSet: undefined });
  for (let level = reader.pending.pop(); level !== undefined; level = reader.pending.pop()) readLevel(reader, level);
  return root;
}

function readLevel(reader: Reader, level: Level): void {
  const drafts = draftsOf(reader, level);
  const declared = drafts.find(({ tag }) => tag === tags.SpecificCharacterSet)?.text ?? level.inheritedCharacterSet;
  const areSaid = drafts.every(({ text, vr }) => text === undefined || encodeText(text, vr, declared) !== undefined);
  const characterSet = areSaid ? declared : UTF_8;
  if (!areSaid) declareUtf8(drafts);
  for (const draft of drafts) {
    const { tag, vr } = draft;
    const value = elementValue(reader, level, draft, characterSet);
    level.target.set(tag, { tag, vr, undefinedLength: value.kind === "fragments", value });
  }
}

/** In the order of tags (PS3.5 7.1). */
function draftsOf(reader: Reader, { json, path }: Level): Draft[] {
  const drafts = new Map<Tag, Draft>();
  for (const [key, attribute] of Object.entries(json)) {
    // The key itself stays out of the error: it may be anything.
    if (!/^[0-9A-Fa-f]{8}$/.test(key)) return fail(path, "a name that is no tag");
    const tag = tagOf(Number.parseInt(key, 16));
    if (groupOf(tag) === 0xfffe || drafts.has(tag)) return fail(`${path}/${formatTagHex(tag)}`, "tag");
    count(reader, `${path}/${formatTagHex(tag)}`);
    if (elementOf(tag) !== 0) drafts.set(tag, draftOf(reader, tag, attribute, `${path}/${formatTagHex(tag)}`));
  }
  return [...drafts.values()].sort((a, b) => a.tag - b.tag);
}

function declareUtf8(drafts: Draft[]): void {
  const tag = tags.SpecificCharacterSet;
  const declaration: Draft = { tag, vr: "CS", path: "", text: UTF_8 };
  const at = drafts.findIndex((draft) => draft.tag >= tag);
  drafts.splice(at === -1 ? drafts.length : at, drafts[at]?.tag === tag ? 1 : 0, declaration);
}

function draftOf(reader: Reader, tag: Tag, attribute: unknown, path: string): Draft {
  if (!isObject(attribute)) return fail(path, "no object");
  const { Value: values, InlineBinary: inline, BulkDataURI: uri } = attribute;
  const vr = vrNamed(attribute.vr);
  if (vr === undefined) return fail(`${path}/vr`, "vr");
  const given = [values, inline, uri].filter((one) => one !== undefined && one !== null);
  if (given.length > 1) return fail(path, "more than one of Value, InlineBinary and BulkDataURI");
  if (uri !== undefined && uri !== null)
    return { tag, vr, path, value: bulkOf(reader, tag, vr, uri, `${path}/BulkDataURI`) };
  if (inline !== undefined && inline !== null)
    return { tag, vr, path, value: inlineOf(vr, inline, `${path}/InlineBinary`) };
  const list = values ?? [];
  if (!Array.isArray(list)) return fail(`${path}/Value`, "no array");
  if (vr === "SQ") return { tag, vr, path, items: list };
  if (list.every((value) => value === null) && (list.length < 2 || !isText(vr)))
    return { tag, vr, path, value: held(new Uint8Array()) };
  if (isText(vr)) return { tag, vr, path, text: textOfValues(list, vr, `${path}/Value`) };
  return { tag, vr, path, value: held(numbersOf(list, vr, `${path}/Value`)) };
}

function numbersOf(values: readonly unknown[], vr: Vr, path: string): Uint8Array {
  const format = NUMBER_FORMATS[vr];
  if (format !== undefined) return encodeNumbers(values, format) ?? fail(path, "number");
  if (vr === "SV" || vr === "UV") return encodeBigIntegers(values, vr === "SV") ?? fail(path, "number");
  if (vr === "AT") return encodeTagTexts(values) ?? fail(path, "tag");
  return fail(path, "values of a VR that has none");
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function inlineOf(vr: Vr, inline: unknown, path: string): ElementValue {
  const isBase64 = typeof inline === "string" && inline.length % 4 === 0 && BASE64.test(inline);
  return isBase64 && vr !== "SQ" ? held(Buffer.from(inline, "base64")) : fail(path, "base64");
}

function bulkOf({ options }: Reader, tag: Tag, vr: Vr, uri: unknown, path: string): ElementValue {
  if (typeof uri !== "string" || vr === "SQ") return fail(path, "bulk data");
  const value = options.resolveBulkData?.(uri, { tag, vr });
  if (value === undefined) throw new GatewayError("DICOM_JSON_BULK_DATA", { path });
  return value;
}

function held(bytes: Uint8Array): ElementValue {
  return { kind: "bytes", bytes };
}

function elementValue(reader: Reader, level: Level, draft: Draft, characterSet: string | undefined): ElementValue {
  const { items, text, path, vr } = draft;
  if (items !== undefined)
    return { kind: "sequence", items: itemsOf(reader, level, items, `${path}/Value`, characterSet) };
  const value =
    text === undefined ? (draft.value ?? held(new Uint8Array())) : held(textBytes(text, vr, characterSet, path));
  if (value.kind === "bytes") reader.heldBytes += value.bytes.length;
  if (reader.heldBytes > reader.limits.heldBytes)
    throw new GatewayError("DICOM_LIMIT_EXCEEDED", { path, what: "held bytes" });
  return value;
}

/** Of even length. PS3.5 6.2. */
function textBytes(text: string, vr: Vr, characterSet: string | undefined, path: string): Uint8Array {
  const bytes = encodeText(text, vr, characterSet);
  if (bytes === undefined)
    return fail(path, followsCharacterSet(vr) ? "text that is not Unicode" : "text that is not ASCII");
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.of(vr === "UI" ? 0x00 : 0x20)]);
}

function itemsOf(
  reader: Reader,
  level: Level,
  items: readonly unknown[],
  path: string,
  inheritedCharacterSet: string | undefined,
): readonly SequenceItem[] {
  const depth = level.depth + 1;
  if (depth > reader.limits.depth) throw new GatewayError("DICOM_LIMIT_EXCEEDED", { what: "depth" });
  return items.map((item, index) => {
    count(reader, path);
    const target = new Map<Tag, DataElement>();
    // An empty item is {}; null is what some write. PS3.18 F.2.5.
    const json = item ?? {};
    if (!isObject(json)) return fail(`${path}/${index}`, "no object");
    reader.pending.push({ json, target, path: `${path}/${index}`, depth, inheritedCharacterSet });
    return { dataSet: target, undefinedLength: false };
  });
}

function count(reader: Reader, path: string): void {
  reader.elements += 1;
  if (reader.elements > reader.limits.elements)
    throw new GatewayError("DICOM_LIMIT_EXCEEDED", { path, what: "elements" });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function vrNamed(name: unknown): Vr | undefined {
  return typeof name === "string" && name.length === 2
    ? vrOfCode((name.charCodeAt(0) << 8) | name.charCodeAt(1))
    : undefined;
}

function fail(path: string, what: string): never {
  throw new GatewayError("DICOM_JSON_INVALID", { path, what });
}
