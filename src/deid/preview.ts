import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ByteRange, ByteSource, DataElement, DataSet, ElementValue, Part10File } from "../dicom/data-set.ts";
import { lookupElement } from "../dicom/dictionary/dictionary.ts";
import { EXPLICIT_VR_BIG_ENDIAN } from "../dicom/dictionary/transfer-syntaxes.ts";
import { readPart10File } from "../dicom/reader.ts";
import { formatTag, isPrivate, type Tag } from "../dicom/tag.ts";
import { characterSetOf, numbersOf, textsOf, type ValueContext } from "../dicom/values.ts";
import { isText, type Vr } from "../dicom/vr.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import { createDeidentifier, type DeidentifierOptions } from "./deidentifier.ts";
import type { InstanceOutcome } from "./outcome.ts";
import { thumbnailOf } from "./pixels/thumbnail.ts";
import { sequenceItems } from "./rules/sequence-items.ts";

export interface PreviewTask extends Omit<DeidentifierOptions, "filters"> {
  readonly filters?: DeidentifierOptions["filters"];
  readonly path: string;
  /** Shows the values themselves, of the original too: to whoever may see them. @default false */
  readonly values?: boolean;
  /** Makes a small grey picture of what would leave. @default false */
  readonly thumbnail?: boolean;
  readonly signal: AbortSignal;
}

/** What the profile does to one object; no value unless it was asked for. */
export interface Preview {
  readonly outcome: InstanceOutcome["kind"];
  /** Why it was left out or rejected. */
  readonly code?: ErrorCode;
  readonly reason?: string;
  /** Empty unless the object may leave. */
  readonly elements: readonly PreviewElement[];
  /** PNG, where it was asked for. */
  readonly thumbnail?: Uint8Array;
}

export type PreviewAction = "kept" | "replaced" | "emptied" | "removed" | "added";

export interface PreviewElement {
  /** "(0010,0010)"; within sequences the tags and item numbers around it, the outermost first. */
  readonly path: string;
  readonly keyword: string;
  readonly vr: Vr;
  readonly action: PreviewAction;
  readonly before?: ValueFacts;
  readonly after?: ValueFacts;
}

/** Values of 1 to 3 bytes give no length: it would tell too much of them. */
export interface ValueFacts {
  readonly class: ValueClass;
  /** Bytes without padding, or items of a sequence. */
  readonly length?: number;
  /** Of text and numbers, values by backslash, cut at 256 characters; only where values are shown. */
  readonly value?: string;
}

export type ValueClass = "name" | "identifier" | "date" | "age" | "number" | "term" | "text" | "binary" | "items";

const CLASSES: Readonly<Partial<Record<Vr, ValueClass>>> = {
  PN: "name",
  UI: "identifier",
  DA: "date",
  DT: "date",
  TM: "date",
  AS: "age",
  CS: "term",
  SQ: "items",
  ...record(["IS", "DS", "US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT"], "number"),
  ...record(["OB", "OW", "OF", "OD", "OL", "OV", "UN"], "binary"),
};
const SHORTEST_TOLD = 4;
const SHOWN_CHARACTERS = 256;
const CHUNK_BYTES = 1 << 20;

/** Keywords whose text is an identifier, whatever its VR. */
const IDENTIFIER_KEYWORD = /(?:ID|Number|Identifier)$/;

/**
 * De-identifies one object for inspection: what happens to every element of it, by class and length of its value, before and after.
 * @throws GatewayError FILE_UNREADABLE, PSEUDONYM_SOURCE_MISSING, THUMBNAIL_NOT_MADE; the signal's reason
 */
export async function previewDeidentification(task: PreviewTask): Promise<Preview> {
  const folder = await mkdtemp(join(tmpdir(), "radferry-preview-"));
  try {
    const instance = { path: task.path, outputPath: join(folder, "1.dcm"), participantId: undefined };
    const outcome = await createDeidentifier({ ...task, filters: task.filters ?? {} })
      .instance({ ...instance, seriesInstanceCount: Number.MAX_SAFE_INTEGER }, task.signal)
      .catch((thrown: unknown) => {
        throw isOfFile(thrown, task.path) ? new GatewayError("FILE_UNREADABLE", {}, thrown) : thrown;
      });
    if (outcome.kind !== "deidentified") {
      const { kind, ...why } = outcome;
      if (task.thumbnail === true) throw new GatewayError("THUMBNAIL_NOT_MADE", { reason: why.reason });
      return { outcome: kind, ...why, elements: [] };
    }
    await using original = await readPart10File(task.path);
    await using output = await readPart10File(instance.outputPath);
    const show = task.values === true ? { before: readerOf(original), after: readerOf(output) } : undefined;
    const elements = [...compare(original.dataSet, output.dataSet, "", show)];
    const preview = { outcome: outcome.kind, elements: await withChangedBulk(elements, original, output, task.signal) };
    if (task.thumbnail !== true) return preview;
    const thumbnail = await thumbnailOf(output);
    if (typeof thumbnail === "string") throw new GatewayError("THUMBNAIL_NOT_MADE", { reason: thumbnail });
    return { ...preview, thumbnail };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Pixels that were masked or rewritten have their length still: their bytes tell. */
async function withChangedBulk(
  elements: readonly PreviewElement[],
  original: Part10File,
  output: Part10File,
  signal: AbortSignal,
): Promise<readonly PreviewElement[]> {
  const changed = new Set<string>();
  for (const [tag, { value }] of original.dataSet) {
    const after = output.dataSet.get(tag)?.value;
    if (value.kind === "bytes" || value.kind === "sequence" || after === undefined) continue;
    const isSame = await isSameBulk(rangesOf(value), original.source, rangesOf(after), output.source, signal);
    if (!isSame) changed.add(formatTag(tag));
  }
  return elements.map((one) => (one.action === "kept" && changed.has(one.path) ? { ...one, action: "replaced" } : one));
}

/** Without the basic offset table, which is written anew. PS3.5 A.4. */
function rangesOf(value: ElementValue): readonly ByteRange[] {
  if (value.kind === "range") return [value.range];
  return value.kind === "fragments" ? value.fragments.slice(1) : [];
}

async function isSameBulk(
  before: readonly ByteRange[],
  beforeSource: ByteSource,
  after: readonly ByteRange[],
  afterSource: ByteSource,
  signal: AbortSignal,
): Promise<boolean> {
  if (before.length !== after.length) return false;
  for (const [index, { offset, length }] of before.entries()) {
    const other = after[index];
    if (other?.length !== length) return false;
    for (let at = 0; at < length; at += CHUNK_BYTES) {
      signal.throwIfAborted();
      const size = Math.min(CHUNK_BYTES, length - at);
      const [one, two] = await Promise.all([
        beforeSource.read(offset + at, size),
        afterSource.read(other.offset + at, size),
      ]);
      if (Buffer.compare(one, two) !== 0) return false;
    }
  }
  return true;
}

function isOfFile(thrown: unknown, path: string): boolean {
  return thrown instanceof Error && "path" in thrown && thrown.path === path;
}

/** How the values of either data set are shown. */
interface ShownValues {
  readonly before: ValueReader;
  readonly after: ValueReader;
}

type ValueReader = (dataSet: DataSet, tag: Tag) => Pick<ValueFacts, "value">;

/** Items have the character set of the whole unless they name one. PS3.3 C.12.1.1.2. */
function readerOf({ dataSet: whole, transferSyntaxUid }: Part10File): ValueReader {
  const context: ValueContext = {
    littleEndian: transferSyntaxUid !== EXPLICIT_VR_BIG_ENDIAN,
    inheritedCharacterSet: characterSetOf(whole),
  };
  return (dataSet, tag) => {
    const { vr } = dataSet.get(tag) ?? {};
    if (vr === undefined || CLASSES[vr] === "binary" || vr === "SQ") return {};
    const values = isText(vr) ? textsOf(dataSet, tag, context) : numbersOf(dataSet, tag, context).map(String);
    return { value: values.join("\\").slice(0, SHOWN_CHARACTERS) };
  };
}

/** Elements of both, in the order of their tags. Items are compared one by one where none was dropped. */
function* compare(
  before: DataSet,
  after: DataSet,
  prefix: string,
  show: ShownValues | undefined,
): Generator<PreviewElement> {
  const tags = [...new Set([...before.keys(), ...after.keys()])].sort((a, b) => a - b);
  for (const tag of tags) {
    const [original, output] = [before.get(tag), after.get(tag)];
    const element = output ?? original;
    if (element === undefined) continue;
    const path = prefix + formatTag(tag);
    // A private creator may be anything: its element is named by its number alone.
    const keyword = isPrivate(tag) ? "" : (lookupElement(tag)?.keyword ?? "");
    yield {
      path,
      keyword,
      vr: element.vr,
      action: actionOf(original, output),
      ...(original === undefined ? {} : { before: { ...factsOf(original, keyword), ...show?.before(before, tag) } }),
      ...(output === undefined ? {} : { after: { ...factsOf(output, keyword), ...show?.after(after, tag) } }),
    };
    yield* compareItems(original, output, path, show);
  }
}

function* compareItems(
  original: DataElement | undefined,
  output: DataElement | undefined,
  path: string,
  show: ShownValues | undefined,
): Generator<PreviewElement> {
  const before = original === undefined ? undefined : sequenceItems(original);
  const after = output === undefined ? undefined : sequenceItems(output);
  if (before === undefined || after === undefined || before.length !== after.length) return;
  for (const [index, item] of before.entries()) {
    yield* compare(item.dataSet, after[index]?.dataSet ?? new Map(), `${path}[${index}].`, show);
  }
}

function actionOf(original: DataElement | undefined, output: DataElement | undefined): PreviewAction {
  if (output === undefined) return "removed";
  if (original === undefined) return "added";
  const [before, after] = [contentOf(original), contentOf(output)];
  if (after === "" && before !== "") return "emptied";
  return after === before ? "kept" : "replaced";
}

/** What two elements are compared by; sequences stay whatever their items become. */
function contentOf({ value }: DataElement): string {
  if (value.kind === "bytes") return withoutPadding(value.bytes).toString("latin1");
  if (value.kind === "sequence") return value.items.length === 0 ? "" : "items";
  return value.kind;
}

function factsOf(element: DataElement, keyword: string): ValueFacts {
  const items = sequenceItems(element);
  if (items !== undefined) return { class: "items", length: items.length };
  const isIdentifier = CLASSES[element.vr] === undefined && IDENTIFIER_KEYWORD.test(keyword);
  const valueClass = isIdentifier ? "identifier" : (CLASSES[element.vr] ?? "text");
  const length = lengthOf(element);
  return length > 0 && length < SHORTEST_TOLD ? { class: valueClass } : { class: valueClass, length };
}

function lengthOf({ value }: DataElement): number {
  if (value.kind === "bytes") return withoutPadding(value.bytes).length;
  if (value.kind === "range") return value.range.length;
  if (value.kind === "sequence") return value.items.length;
  return value.fragments.reduce((sum, { length }) => sum + length, 0);
}

function withoutPadding(bytes: Uint8Array): Buffer {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x20 || bytes[end - 1] === 0)) end -= 1;
  return Buffer.from(bytes.buffer, bytes.byteOffset, end);
}

function record(vrs: readonly Vr[], valueClass: ValueClass): Partial<Record<Vr, ValueClass>> {
  return Object.fromEntries(vrs.map((vr) => [vr, valueClass]));
}
