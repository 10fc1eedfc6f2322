import type { DataElement, DataSet } from "../dicom/data-set.ts";
import { formatTag, isPrivate } from "../dicom/tag.ts";
import { harvestedAs, type IdentifierKind } from "./verification/identifier-kinds.ts";

/** An attribute before and after, without its values. */
export interface SampleEntry {
  /** "(0010,0010)". */
  readonly tag: string;
  readonly vr: string;
  /** 0: the top level. */
  readonly depth: number;
  readonly before: { readonly class: SampleClass; readonly length?: number };
  /** Absent: the attribute went. */
  readonly after?: { readonly length?: number };
}

type SampleClass = IdentifierKind | "time" | "number" | "sequence" | "bulk" | "other";

/** The most attributes that are shown of one object. */
const ENTRY_LIMIT = 40;
/** Values shorter than this are shown without their length: it would say too much of them. */
const SHORTEST_TOLD = 4;
const CLASS_OF_VR: Readonly<Record<string, SampleClass>> = {
  ...{ UI: "uid", DA: "date", DT: "date", TM: "time", AS: "number", SQ: "sequence" },
  ...{ IS: "number", DS: "number", OB: "bulk", OW: "bulk" },
};

interface KnownChange {
  readonly after: DataElement | undefined;
  /** Undefined: it is not shown. */
  readonly entry: SampleEntry | undefined;
}

/** Earlier findings, by element: objects of one study share many of their elements. */
export type SampleMemory = WeakMap<DataElement, KnownChange>;

/**
 * The first attributes of the top level that are not what they were: classes and lengths, no value.
 * @param isLasting whether other objects have this very element
 */
export function sampleOf(
  source: DataSet,
  output: DataSet,
  memory: SampleMemory = new WeakMap(),
  isLasting: (element: DataElement) => boolean = () => false,
): readonly SampleEntry[] {
  const entries: SampleEntry[] = [];
  for (const element of source.values()) {
    if (entries.length === ENTRY_LIMIT) break;
    const after = output.get(element.tag);
    const known = memory.get(element);
    if (known !== undefined && known.after === after) {
      if (known.entry !== undefined) entries.push(known.entry);
      continue;
    }
    const isShown =
      !isPrivate(element.tag) && lengthIn(element) !== 0 && (after === undefined || !isSame(element, after));
    const entry = isShown ? entryOf(element, after) : undefined;
    if (entry !== undefined) entries.push(entry);
    if (isLasting(element)) memory.set(element, { after, entry });
  }
  return entries;
}

/** Room for every attribute of a profile in several lengths. */
const REMEMBERED_ENTRIES = 4_000;
const remembered = new Map<string, SampleEntry>();

/** Equal entries are one object: most instances of a study have the same ones, and there may be many instances. */
function entryOf(element: DataElement, after: DataElement | undefined): SampleEntry {
  const [lengthBefore, lengthAfter] = [lengthOf(element), after === undefined ? undefined : lengthOf(after)];
  const key = `${element.tag} ${element.vr} ${lengthBefore} ${after === undefined ? "" : `to ${lengthAfter}`}`;
  const before = remembered.get(key);
  if (before !== undefined) return before;
  const entry = {
    ...{ tag: formatTag(element.tag), vr: element.vr, depth: 0 },
    before: { class: classOf(element), ...told(lengthBefore) },
    ...(after === undefined ? {} : { after: told(lengthAfter) }),
  };
  if (remembered.size >= REMEMBERED_ENTRIES) remembered.clear();
  remembered.set(key, entry);
  return entry;
}

function told(length: number | undefined): { readonly length?: number } {
  return length === undefined ? {} : { length };
}

function classOf({ tag, vr }: DataElement): SampleClass {
  return CLASS_OF_VR[vr] ?? harvestedAs(tag, vr)?.kind ?? "other";
}

function isSame(element: DataElement, after: DataElement): boolean {
  const [before, now] = [element.value, after.value];
  if (before.kind !== "bytes" || now.kind !== "bytes") return before.kind === now.kind;
  if (before.bytes === now.bytes) return true;
  const length = lengthIn(element) ?? 0;
  if (length !== lengthIn(after)) return false;
  for (let at = 0; at < length; at += 1) if (before.bytes[at] !== now.bytes[at]) return false;
  return true;
}

/** Without padding, PS3.5 6.2; undefined for what is not held in memory. */
function lengthIn({ value }: DataElement): number | undefined {
  if (value.kind !== "bytes") return undefined;
  let length = value.bytes.length;
  while (length > 0 && (value.bytes[length - 1] === 0x20 || value.bytes[length - 1] === 0)) length -= 1;
  return length;
}

/** Undefined where it is not told. The length of a UID says nothing, and samples of one series would differ by it alone. */
function lengthOf(element: DataElement): number | undefined {
  const length = lengthIn(element) ?? 0;
  return length < SHORTEST_TOLD || element.vr === "UI" ? undefined : length;
}
