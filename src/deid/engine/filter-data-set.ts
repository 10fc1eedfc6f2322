import type { DataElement, DataSet, ElementValue, SequenceItem } from "../../dicom/data-set.ts";
import { formatTag, isPrivate, type Tag, tagOf } from "../../dicom/tag.ts";
import { characterSetOf } from "../../dicom/values.ts";
import type { Vr } from "../../dicom/vr.ts";
import type { ActionName } from "../outcome.ts";
import { fallbackFor, TOP_LEVEL } from "../rules/attribute-type.ts";
import type { Rule, Treatment } from "../rules/rule.ts";
import { sequenceItems } from "../rules/sequence-items.ts";
import { compatibleVr, maximumValues, standardVr } from "../rules/standard-vr.ts";
import { splitValues } from "../rules/value-forms.ts";
import { GRAPHIC_OBJECT_SEQUENCE } from "../tables/presentation-sequences.ts";
import { CONTENT_CLEANED, noteApplied } from "./applied-options.ts";
import { cleanedValue, unchangedLabel } from "./cleaned-text.ts";
import { codedElements, dummyCodedItem, isCodedEntry, publicEntry } from "./coded-entry.ts";
import { decideContentItem, isTellable, settleContentItem } from "./content-items.ts";
import { dummyValue } from "./dummy-value.ts";
import { heldBytes, NUMBER_BYTES, numberBytes, textBytes, treatBytes } from "./element-bytes.ts";
import { contextInside, type FilterContext } from "./filter-context.ts";
import { formedText, isCoded, keptText, namesSomebody } from "./kept-text.ts";
import { isReadAsText, TEXT_LIMIT_BYTES } from "./long-texts.ts";
import { createPrivateBlocks, type PrivateBlocks } from "./private-blocks.ts";
import { Rejection } from "./rejection.ts";

/** Sequences within sequences beyond this are not gone through: the instance is rejected. */
const DEPTH_LIMIT = 64;

/** Items that are there for the free text in them go with it: annotations of waveforms. PS3.3 C.10.10. */
const FREE_TEXT_ITEMS: ReadonlyMap<number, readonly Tag[]> = new Map([[0x0040b020, [tagOf(0x00700006)]]]);

/** An annotation of text alone is nothing without it. PS3.3 C.10.5. */
const SPECIFIC_CHARACTER_SET = 0x00080005;
const CONCEPT_NAME_SEQUENCE = 0x0040a043;
const GRAPHIC_ANNOTATION_SEQUENCE = 0x00700001;

/** Where an element stands: in which sequence (0: none) and how deep. */
interface Place {
  readonly parentTag: number;
  readonly depth: number;
  readonly characterSet: string | undefined;
}

const ACTION_NAMES: Readonly<Record<Treatment["kind"], ActionName>> = {
  none: "removed",
  uid: "uid",
  shift: "shifted",
  date: "kept",
  age: "kept",
  pseudonym: "pseudonym",
  identifier: "pseudonym",
  "birth-date": "shifted",
  number: "kept",
  terms: "kept",
  text: "kept",
  clean: "cleaned",
  "as-is": "kept",
  "kept-uid": "kept",
  content: "cleaned",
  pixels: "kept",
  words: "kept",
  walk: "kept",
  round: "kept",
  numbered: "replaced",
  renamed: "replaced",
  code: "kept",
  mark: "replaced",
};

/**
 * Composes the elements of a data set or item that may leave. Pixel data and marks are the caller's.
 * @throws Rejection
 */
export function filterDataSet(
  dataSet: DataSet,
  parentTag: number,
  depth: number,
  context: FilterContext,
  inheritedCharacterSet?: string,
): Map<Tag, DataElement> {
  if (depth > DEPTH_LIMIT) throw new Rejection("DEIDENTIFICATION_UNPROVEN", "depth");
  const kept = new Map<Tag, DataElement>();
  const blocks = createPrivateBlocks(dataSet, context.rules.privateRules);
  const place = { parentTag, depth, characterSet: characterSetOf(dataSet, { inheritedCharacterSet }) };
  for (const element of inOrder(dataSet)) {
    if (isPrivate(element.tag)) filterPrivate(element, blocks, kept, place, context);
    else if (depth > 0) filterStandard(element, kept, place, context);
    else if (!context.recollection.recall(element, kept)) filterAtTop(element, kept, place, context);
  }
  const creators = blocks.creators();
  return creators.length === 0 ? kept : new Map([...kept, ...creators].sort(([a], [b]) => a - b));
}

function filterAtTop(element: DataElement, kept: Map<Tag, DataElement>, place: Place, context: FilterContext): void {
  context.recollection.treat(element, kept, () => filterStandard(element, kept, place, context));
}

/** By tag, as those of nearly every data set are. */
export function inOrder(dataSet: DataSet): Iterable<DataElement> {
  let last = -1;
  for (const tag of dataSet.keys()) {
    if (tag < last) return [...dataSet.values()].sort((a, b) => a.tag - b.tag);
    last = tag;
  }
  return dataSet.values();
}

function filterStandard(element: DataElement, kept: Map<Tag, DataElement>, place: Place, context: FilterContext): void {
  const { tag } = element;
  if (tag === SPECIFIC_CHARACTER_SET) return;
  const rule = context.rules.ruleOf(tag, context.within);
  if (rule.treatment.kind === "mark" || rule.treatment.kind === "pixels") return;
  if (rule.treatment.kind === "code") {
    // Judged with the item it is of; it is part of no coded entry elsewhere.
    if (place.parentTag === TOP_LEVEL) removeUnlisted(tag, context);
    return;
  }
  const vr = standardVr(tag);
  // A new name says nothing of the old one, whatever that was written as.
  const isCompatible = compatibleVr(element.vr, tag) || rule.treatment.kind === "renamed";
  const value = vr === undefined || !isCompatible ? undefined : treatElement(element, vr, rule, kept, place, context);
  noteApplied(element, rule, value, context.tally);
  if (value !== undefined && vr !== undefined) {
    context.tally.action(tag, ACTION_NAMES[rule.treatment.kind]);
    kept.set(tag, outputElement(tag, rule.treatment.kind === "renamed" ? vr : keptVr(element, vr), value));
  } else {
    applyFallback(kept, tag, vr, rule, place.parentTag, context);
  }
}

/** Kept only in the VR it is known by; under implicit VR there is none to compare. PS3.15 E.3.10. */
function filterPrivate(
  element: DataElement,
  blocks: PrivateBlocks,
  kept: Map<Tag, DataElement>,
  place: Place,
  context: FilterContext,
): void {
  const { tag, vr: sourceVr } = element;
  const found = blocks.ruleOf(tag);
  const isKnownVr = sourceVr === found?.vr || (sourceVr === "UN" && (context.implicitVr || found?.vr === "SQ"));
  const value =
    found === undefined || !isKnownVr ? undefined : treatElement(element, found.vr, found.rule, kept, place, context);
  if (found !== undefined) noteApplied(element, found.rule, value, context.tally);
  if (found === undefined || value === undefined) {
    context.tally.privateElement(tag);
    return;
  }
  context.tally.action(tag, ACTION_NAMES[found.rule.treatment.kind]);
  const placedTag = blocks.place(tag);
  kept.set(placedTag, outputElement(placedTag, found.vr, value));
}

function treatElement(
  element: DataElement,
  vr: Vr,
  rule: Rule,
  kept: DataSet,
  place: Place,
  context: FilterContext,
): ElementValue | undefined {
  const { treatment } = rule;
  if (treatment.kind === "none") return undefined;
  if (isUnreadableSequence(element))
    throw new Rejection("DEIDENTIFICATION_UNPROVEN", `unreadable-sequence ${formatTag(element.tag)}`);
  if (treatment.kind === "walk") return walk(element, treatment.unlessOptional, place, context);
  if (treatment.kind === "content") return walkContent(element, place, context);
  if (treatment.kind === "numbered") {
    context.dependOnOthers();
    return labelInVocabulary(element, vr, treatment, place, context) ?? numberedLabel(treatment, vr, kept);
  }
  // UN holds implicit little endian whatever the rest is in. PS3.5 6.2.2.
  const bigEndian = context.bigEndian && element.vr !== "UN";
  if (element.value.kind === "range") return treatRange(element, vr, rule, bigEndian, context);
  const bytes = heldBytes(element);
  if (bytes === undefined) return undefined;
  if (isBlank(bytes) && treatment.kind !== "pseudonym" && treatment.kind !== "words" && !(vr in NUMBER_BYTES))
    return { kind: "bytes", bytes: new Uint8Array() };
  if (treatment.kind === "renamed") {
    context.dependOnOthers();
    const renamed = context.rename(treatment.prefix, splitValues(bytes)[0] ?? "");
    return { kind: "bytes", bytes: textBytes(vr, renamed) };
  }
  if (treatment.kind === "clean") return cleanedValue(bytes, vr, treatment.vocabulary, place.characterSet, context);
  if (treatment.kind === "as-is") {
    const text = keptText(bytes, element.tag, vr, place.characterSet, context);
    return text === undefined ? undefined : { kind: "bytes", bytes: text };
  }
  if (treatment.kind === "text" && isCoded(bytes)) {
    const text = formedText(bytes, element.tag, vr, treatment.form, place.characterSet, context);
    return text === undefined ? undefined : { kind: "bytes", bytes: text };
  }
  if (treatment.kind === "text" && splitValues(bytes).some((value) => namesSomebody(value, treatment.form, context)))
    return undefined;
  if (treatment.kind === "words" && element.vr === "OB") return undefined;
  if (treatment.kind === "words") return wordBytes(bytes, bigEndian);
  const treated = treatBytes(treatment, vr, bytes, bigEndian, context, maximumValues(element.tag));
  return treated === undefined ? undefined : { kind: "bytes", bytes: treated };
}

/** A standard sequence that is kept in name and cannot be gone through. PS3.5 6.2.2. */
function isUnreadableSequence(element: DataElement): boolean {
  if (element.vr !== "UN" || standardVr(element.tag) !== "SQ" || element.value.kind === "sequence") return false;
  return (heldBytes(element)?.length ?? 1) > 0 && sequenceItems(element) === undefined;
}

/** Long values: number strings are read and judged, binary numbers stay where they are. */
function treatRange(
  element: DataElement,
  vr: Vr,
  rule: Rule,
  bigEndian: boolean,
  context: FilterContext,
): ElementValue | undefined {
  if (element.value.kind !== "range") return undefined;
  const { range } = element.value;
  if (rule.treatment.kind === "words" && element.vr === "OB") return undefined;
  // Pointers to thousands of attributes are none.
  if (vr === "AT") return undefined;
  const width = rule.treatment.kind === "words" ? 2 : NUMBER_BYTES[vr];
  if (width !== undefined && (rule.treatment.kind === "number" || rule.treatment.kind === "words")) {
    if (range.length % width !== 0) return undefined;
    return { kind: "range", range: bigEndian ? context.source.appendSwapped(range, width) : range };
  }
  if (!isReadAsText(rule.treatment, vr)) return undefined;
  if (range.length > TEXT_LIMIT_BYTES)
    throw new Rejection("DEIDENTIFICATION_UNPROVEN", `long-value ${formatTag(element.tag)}`);
  const text = context.longTexts.get(element);
  const bytes = text === undefined ? undefined : treatBytes(rule.treatment, vr, text, bigEndian, context);
  return bytes === undefined ? undefined : { kind: "bytes", bytes };
}

function walk(
  element: DataElement,
  unlessOptional: boolean,
  { parentTag, depth, characterSet }: Place,
  context: FilterContext,
): ElementValue | undefined {
  const sourceItems = sequenceItems(element);
  if (sourceItems === undefined) return undefined;
  if (unlessOptional && isNotRequired(parentTag, element.tag, context)) return undefined;
  const within = contextInside(element, context);
  const items: SequenceItem[] = [];
  let dropped = 0;
  for (const item of sourceItems) {
    context.signal.throwIfAborted();
    if (FREE_TEXT_ITEMS.get(element.tag)?.some((tag) => item.dataSet.has(tag)) === true) {
      context.tally.note("text-annotation-removed");
      continue;
    }
    if (!isTellable(item.dataSet)) {
      context.tally.note("content-item-removed");
      continue;
    }
    const kept = filterDataSet(item.dataSet, element.tag, depth + 1, within, characterSet);
    if (isCodedEntry(item.dataSet)) {
      const entry = publicEntry(item.dataSet);
      if (entry === undefined) {
        dropped += 1;
        continue;
      }
      items.push({ dataSet: codedItem(kept, codedElements(entry)), undefinedLength: false });
    } else if (element.tag !== GRAPHIC_ANNOTATION_SEQUENCE || kept.has(tagOf(GRAPHIC_OBJECT_SEQUENCE))) {
      items.push({ dataSet: kept, undefinedLength: false });
    }
  }
  if (dropped > 0) context.tally.note("private-code-dropped");
  // The root of a content tree has a name. PS3.3 C.17.3.
  if (items.length === 0 && dropped > 0 && element.tag === CONCEPT_NAME_SEQUENCE && parentTag === TOP_LEVEL)
    return { kind: "sequence", items: [dummyCodedItem()] };
  const isGone = items.length === 0 && (dropped > 0 || element.tag === GRAPHIC_ANNOTATION_SEQUENCE);
  return isGone ? undefined : { kind: "sequence", items };
}

/** The content items that may stay, each with what is below it. Items that are gone leave no number behind: nothing counts them but itself. */
function walkContent(
  element: DataElement,
  { depth, characterSet }: Place,
  context: FilterContext,
): ElementValue | undefined {
  const { contentMode, rules, tally } = context;
  const sourceItems = contentMode === "none" ? undefined : sequenceItems(element);
  if (sourceItems === undefined) return undefined;
  // Nothing was judged: a dummy would be content that no option answers for.
  if (sourceItems.length === 0) return { kind: "sequence", items: [] };
  const within = contextInside(element, context);
  const items: SequenceItem[] = [];
  if (contentMode === "clean") tally.apply(CONTENT_CLEANED);
  for (const item of sourceItems) {
    context.signal.throwIfAborted();
    const { decision, options } = decideContentItem(item.dataSet, rules.contentRules, contentMode);
    const settled =
      decision === "remove"
        ? undefined
        : settleContentItem(filterDataSet(item.dataSet, element.tag, depth + 1, within, characterSet), decision);
    if (settled === undefined) {
      tally.note("content-item-removed");
      continue;
    }
    if (decision !== "dummy") tally.apply(options);
    items.push({ dataSet: settled, undefinedLength: false });
  }
  return items.length === 0 ? undefined : { kind: "sequence", items };
}

/**
 * X/Z/U*: only where the sequence is required, or may be, do its items stay. PS3.15 E.1.1. Within items Type 2 is that of functional groups
 * alone (PS3.3 C.7.6.16.2.5, C.7.6.16.2.6): what a frame was made from stays, so that it leads to what is delivered with it.
 */
function isNotRequired(parentTag: number, tag: number, context: FilterContext): boolean {
  const type = context.types(parentTag, tag);
  return type === "3" || (parentTag === TOP_LEVEL && (type === "2" || type === "2C"));
}

/** A coded entry keeps value, scheme and meaning as judged; of the rest of the code macro (PS3.3 8.8) only the sequences that modify it. */
function codedItem(kept: ReadonlyMap<Tag, DataElement>, coded: [Tag, DataElement][]): DataSet {
  const others = [...kept].filter(([tag, element]) => element.value.kind === "sequence" || !isCodeMacro(tag));
  return new Map([...coded, ...others].sort(([a], [b]) => a - b));
}

/** Versions, contexts and mapping resources of a coded entry. */
function isCodeMacro(tag: number): boolean {
  return tag >= 0x00080100 && tag <= 0x00080124;
}

function labelInVocabulary(
  element: DataElement,
  vr: Vr,
  { vocabulary }: Extract<Treatment, { kind: "numbered" }>,
  { characterSet }: Place,
  context: FilterContext,
): ElementValue | undefined {
  const bytes = heldBytes(element);
  if (vocabulary === undefined || bytes === undefined) return undefined;
  return unchangedLabel(bytes, vr, vocabulary, characterSet, context);
}

function numberedLabel(
  treatment: Extract<Treatment, { kind: "numbered" }>,
  vr: Vr,
  kept: DataSet,
): ElementValue | undefined {
  const counted = kept.get(tagOf(treatment.numberTag));
  const bytes = heldBytes(counted);
  if (counted === undefined || bytes === undefined) return undefined;
  const number = counted.vr === "US" ? String(Buffer.from(bytes).readUInt16LE()) : splitValues(bytes)[0];
  if (number === undefined || !/^[0-9]{1,6}$/.test(number)) return undefined;
  return { kind: "bytes", bytes: textBytes(vr, treatment.prefix + number) };
}

function wordBytes(bytes: Uint8Array, bigEndian: boolean): ElementValue | undefined {
  const treated = numberBytes(bytes, "US", bigEndian);
  return treated === undefined ? undefined : { kind: "bytes", bytes: treated };
}

function removeUnlisted(tag: Tag, { tally }: FilterContext): void {
  tally.unlisted(tag);
  tally.action(tag, "removed");
}

function applyFallback(
  kept: Map<Tag, DataElement>,
  tag: Tag,
  vr: Vr | undefined,
  rule: Rule,
  parentTag: number,
  context: FilterContext,
): void {
  const { tally } = context;
  const fallback = vr === undefined ? "remove" : fallbackFor(rule.fallback, context.types(parentTag, tag));
  if (rule.reason === "private") tally.privateElement(tag);
  else if (rule.reason === "unlisted") tally.unlisted(tag);
  if (vr === undefined || fallback === "remove") {
    if (rule.reason !== "private") tally.action(tag, "removed");
    return;
  }
  tally.action(tag, fallback === "empty" ? "emptied" : "replaced");
  kept.set(tag, outputElement(tag, vr, fallback === "empty" ? emptyValue(vr) : dummyValue(tag, vr, rule, context)));
}

function emptyValue(vr: Vr): ElementValue {
  return vr === "SQ" ? { kind: "sequence", items: [] } : { kind: "bytes", bytes: new Uint8Array() };
}

/** US or SS, OB or OW: the source's own choice; otherwise the dictionary's. */
function keptVr(element: DataElement, vr: Vr): Vr {
  return element.vr === "UN" ? vr : element.vr;
}

function outputElement(tag: Tag, vr: Vr, value: ElementValue): DataElement {
  return { tag, vr, value, undefinedLength: false };
}

/** Nothing but padding. */
function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0);
}
