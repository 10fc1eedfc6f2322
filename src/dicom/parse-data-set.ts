import { GatewayError } from "../errors/gateway-error.ts";
import { at, has, take } from "./cursor.ts";
import type { DataElement, DataSet } from "./data-set.ts";
import { isPixelData, vrOf } from "./dictionary/dictionary.ts";
import { tags } from "./dictionary/tags.ts";
import { type ElementMemory, recalledSequence, rememberedValue, rememberSequence } from "./element-memory.ts";
import {
  countOne,
  type ElementsFrame,
  type FragmentsFrame,
  fail,
  failBeyond,
  type ItemsFrame,
  note,
  type Parser,
} from "./parser-state.ts";
import type { Tag } from "./tag.ts";
import {
  hasLetters,
  isPadding,
  isRubbishBehindPixelData,
  lookForTrailing,
  NOT_TRAILING,
  TRAILING,
} from "./trailing-bytes.ts";
import { headerFormOf } from "./vr.ts";

/** FFFFFFFFH. PS3.5 7.1.1. */
const UNDEFINED_LENGTH = 0xffffffff;
/** Items and delimiters: they have no VR. PS3.5 7.5. */
const ITEM_GROUP = 0xfffe;
/** No tag in a data set is as high; pixel data is always left in its source. */
const ITEM_TAGS = 0xfffe0000;
const PIXEL_DATA_TAGS = 0x7fe00000;
/** Shared by all empty items: an item of eight bytes must not cost a map. */
const NO_ELEMENTS: DataSet = new Map();
/** Answers of a step that needs no bytes. */
const GO_ON = 0;
const DONE = TRAILING;

/**
 * Reads as far as the cursor's window reaches. Answers how many bytes from the cursor's position the window must hold to go on; 0 when
 * the data set is read. PS3.5 7.
 * @throws GatewayError DICOM_TRUNCATED, DICOM_MALFORMED, DICOM_LIMIT_EXCEEDED; details name the offset
 */
export function advance(parser: Parser): number {
  try {
    if (parser.cursor.heldBytes > parser.limits.heldBytes) fail(parser, "DICOM_LIMIT_EXCEEDED", "held bytes");
    for (;;) {
      const needed = step(parser);
      if (needed === DONE) return 0;
      if (needed > 0) return needed;
    }
  } catch (thrown) {
    if (!parser.tolerant || !(thrown instanceof GatewayError)) throw thrown;
    parser.findings.push({ code: thrown.code, offset: parser.cursor.position, message: thrown.message });
    parser.ending = "damaged";
    while (parser.stack.length > 1) close(parser);
    return 0;
  }
}

function step(parser: Parser): number {
  const { stack, cursor } = parser;
  const frame = stack[stack.length - 1] ?? parser.root;
  if (cursor.position === frame.end) {
    if (stack.length === 1) return DONE;
    close(parser);
    return GO_ON;
  }
  const rest = frame.bound - cursor.position;
  if (rest >= 8 && !has(cursor, 8)) return 8;
  if (rest < 8) {
    if (frame === parser.root && rest <= cursor.bytes.length - at(cursor) && isPadding(parser, rest)) return DONE;
    return frame === parser.root && !has(cursor, rest) ? rest : failBeyond(parser, cursor.position + 8, "header");
  }
  if (frame.kind === "elements") {
    if (frame.explicitVr) readPlainValues(parser, frame);
    return cursor.position + 8 <= frame.bound && has(cursor, 8) ? readElement(parser, frame) : GO_ON;
  }
  return frame.kind === "items" ? readItem(parser, frame) : readFragment(parser, frame);
}

function tagAt(view: DataView, start: number, little: boolean): Tag {
  return (((view.getUint16(start, little) << 16) | view.getUint16(start + 2, little)) >>> 0) as Tag;
}

/**
 * Most elements are plain: explicit VR, in order, of even length, short, and wholly in the window. They are read here, one after the
 * other, without what odd ones need; the first that is not plain is left to `readElement`, which does the same and everything else.
 */
function readPlainValues(parser: Parser, frame: ElementsFrame): void {
  const { cursor, rootTags, rootOffsets, bulkThresholdBytes } = parser;
  const { view, bytes, windowStart } = cursor;
  const { little, elements } = frame;
  const isRoot = frame === parser.root;
  if (isRoot && parser.hasPixelData) return;
  const windowEnd = Math.min(windowStart + bytes.length, frame.bound);
  const endTag = Math.min(isRoot ? parser.stopBefore : ITEM_TAGS, PIXEL_DATA_TAGS);
  while (cursor.position + 12 <= windowEnd && parser.count < parser.limits.elements) {
    const { position } = cursor;
    const start = position - windowStart;
    const tag = tagAt(view, start, little);
    const form = headerFormOf(view.getUint16(start + 4));
    if (tag <= frame.lastTag || tag >= endTag || tag === tags.PixelRepresentation || form === undefined) return;
    const { vr, isLongForm } = form;
    if (vr === "SQ" || (isLongForm && view.getUint16(start + 6) !== 0)) return;
    const length = isLongForm ? view.getUint32(start + 8, little) : view.getUint16(start + 6, little);
    const end = position + (isLongForm ? 12 : 8) + length;
    if (length % 2 === 1 || length > bulkThresholdBytes || end > windowEnd) return;
    parser.count += 1;
    parser.tag = tag;
    parser.vr = vr;
    if (isRoot) {
      rootTags.push(tag);
      rootOffsets.push(position);
    }
    frame.lastTag = tag;
    cursor.position = end - length;
    elements.set(tag, heldElement(parser, frame, length));
  }
}

/** The element at the position, which moves behind it. */
function heldElement(parser: Parser, frame: ElementsFrame, length: number): DataElement {
  const { cursor, tag, vr, memory } = parser;
  if (memory === undefined || frame !== parser.root)
    return { tag, vr, undefinedLength: false, value: { kind: "bytes", bytes: take(cursor, length) } };
  const element = rememberedValue(memory, tag, vr, cursor.bytes, at(cursor), length);
  cursor.position += length;
  return element;
}

function readElement(parser: Parser, frame: ElementsFrame): number {
  const { cursor } = parser;
  const tag = tagAt(cursor.view, at(cursor), frame.little);
  if (frame === parser.root) {
    if (tag >= parser.stopBefore) return stop(parser, tag);
    const isOdd = parser.hasPixelData || tag <= frame.lastTag || (frame.explicitVr && !hasLetters(cursor));
    const answer = isOdd ? lookForTrailing(parser, frame, tag) : NOT_TRAILING;
    if (answer !== NOT_TRAILING) return answer;
  }
  const needed = readHeader(parser, frame, tag);
  if (needed > 0) return needed;
  const { vr, length, headerBytes } = parser;
  if (tag === tags.ItemDelimitationItem || tag === tags.SequenceDelimitationItem) return readDelimiter(parser, frame);
  if (length === UNDEFINED_LENGTH) return readUndefinedLength(parser, frame);
  const start = cursor.position + headerBytes;
  if (start + length > frame.bound) {
    if (isRubbishBehindPixelData(parser, frame, tag)) return DONE;
    failBeyond(parser, start + length, vr === "SQ" ? "sequence" : "value");
  }
  if (vr === "SQ") return pushItems(parser, frame, start + length);
  return readValue(parser, frame);
}

function readRemembered(parser: Parser, frame: ElementsFrame): boolean {
  const memory = frame === parser.root ? sequenceMemoryOf(parser) : undefined;
  const { cursor, tag } = parser;
  if (memory === undefined || parser.reserved !== 0) return false;
  const known = recalledSequence(parser, memory, tag, frame.bound);
  if (known === undefined) return false;
  enter(parser, frame);
  parser.count += known.count - 1;
  cursor.position += known.encoded.length;
  frame.elements.set(tag, known.element);
  return true;
}

function rememberRead(parser: Parser, element: DataElement): void {
  const memory = sequenceMemoryOf(parser);
  const start = parser.rootOffsets[parser.rootOffsets.length - 1];
  if (memory === undefined || start === undefined || parser.findings.length > parser.findingsBefore) return;
  rememberSequence(parser, memory, element, start, parser.count - parser.countBefore);
}

/** Sequences are remembered as they are written in explicit VR little endian, where nothing about them is odd. */
function sequenceMemoryOf({ root, memory }: Parser): ElementMemory | undefined {
  return root.explicitVr && root.little ? memory : undefined;
}

function stop(parser: Parser, tag: Tag): number {
  parser.ending = "stopped";
  parser.tag = tag;
  return DONE;
}

/** Fills the parser's header fields. Answers how many bytes are needed, 0 when they were there. PS3.5 7.1.2, 7.1.3. */
function readHeader(parser: Parser, frame: ElementsFrame, tag: Tag): number {
  const { cursor } = parser;
  const { view } = cursor;
  const start = at(cursor);
  parser.tag = tag;
  parser.headerBytes = 8;
  parser.reserved = 0;
  parser.isVrKnown = true;
  if (!frame.explicitVr || tag >>> 16 === ITEM_GROUP) {
    parser.vr = vrOf(tag, frame);
    parser.length = view.getUint32(start + 4, frame.little);
    return 0;
  }
  const form = headerFormOf(view.getUint16(start + 4));
  // VRs to come have the long form (PS3.5 6.2); what is no pair of letters is taken for the short one, as other readers do.
  const long = form === undefined ? hasLetters(cursor) : form.isLongForm;
  if (long && frame.bound - cursor.position < 12) failBeyond(parser, cursor.position + 12, "header");
  if (long && !has(cursor, 12)) return 12;
  parser.isVrKnown = form !== undefined;
  parser.vr = form?.vr ?? "UN";
  parser.length = long ? view.getUint32(start + 8, frame.little) : view.getUint16(start + 6, frame.little);
  if (long) {
    parser.headerBytes = 12;
    parser.reserved = view.getUint16(start + 6);
  }
  return 0;
}

function readDelimiter(parser: Parser, frame: ElementsFrame): number {
  const isOurs = parser.tag === tags.ItemDelimitationItem && frame.end === Number.POSITIVE_INFINITY;
  if (!isOurs) note(parser, "DELIMITER_MISPLACED");
  noteDelimiterLength(parser, parser.length);
  parser.cursor.position += 8;
  if (isOurs) close(parser);
  return GO_ON;
}

/** It is not looked at, as other readers do not. PS3.5 7.5.1. */
function noteDelimiterLength(parser: Parser, length: number): void {
  if (length !== 0) note(parser, "DELIMITER_LENGTH");
}

function readUndefinedLength(parser: Parser, frame: ElementsFrame): number {
  const { tag, vr, cursor } = parser;
  if (vr === "SQ" || (vr === "UN" && !isPixelData(tag))) return pushItems(parser, frame, Number.POSITIVE_INFINITY);
  if (!isPixelData(tag) || (vr !== "OB" && vr !== "OW" && vr !== "UN"))
    return fail(parser, "DICOM_MALFORMED", "undefined length of a VR that may not have it");
  enter(parser, frame);
  cursor.position += parser.headerBytes;
  const { bound, explicitVr, little, pixelRepresentation } = frame;
  const end = Number.POSITIVE_INFINITY;
  parser.stack.push({
    kind: "fragments",
    end,
    bound,
    explicitVr,
    little,
    pixelRepresentation,
    tag,
    vr,
    fragments: [],
  });
  return GO_ON;
}

/** Counts an element and looks whether it is in its place. */
function enter(parser: Parser, frame: ElementsFrame): void {
  countOne(parser);
  if (frame === parser.root) {
    parser.rootTags.push(parser.tag);
    parser.rootOffsets.push(parser.cursor.position);
    if (isPixelData(parser.tag)) parser.hasPixelData = true;
  }
  if (parser.tag >>> 16 === ITEM_GROUP) note(parser, "ITEM_MISPLACED");
  if (!parser.isVrKnown) note(parser, "VR_UNKNOWN");
  if (parser.reserved !== 0) note(parser, "RESERVED_BYTES");
  if (parser.tag > frame.lastTag) {
    frame.lastTag = parser.tag;
    return;
  }
  if (frame.elements.has(parser.tag)) note(parser, "ELEMENT_REPEATED");
  else note(parser, "ELEMENT_ORDER");
}

function pushItems(parser: Parser, frame: ElementsFrame, end: number): number {
  const { tag, vr } = parser;
  if (vr === "SQ" && readRemembered(parser, frame)) return GO_ON;
  if (frame === parser.root) {
    parser.countBefore = parser.count;
    parser.findingsBefore = parser.findings.length;
  }
  enter(parser, frame);
  if (parser.stack.length > parser.limits.depth * 2) fail(parser, "DICOM_LIMIT_EXCEEDED", "depth");
  parser.cursor.position += parser.headerBytes;
  // UN of undefined length is an implicit VR little endian sequence, whatever surrounds it. PS3.5 6.2.2 note 2.
  const isUnknown = vr === "UN";
  parser.stack.push({
    kind: "items",
    end,
    bound: Math.min(end, frame.bound),
    explicitVr: frame.explicitVr && !isUnknown,
    little: frame.little || isUnknown,
    pixelRepresentation: frame.pixelRepresentation,
    tag,
    vr,
    items: [],
  });
  return GO_ON;
}

function readItem(parser: Parser, frame: ItemsFrame): number {
  const { cursor } = parser;
  const start = at(cursor);
  const tag = tagAt(cursor.view, start, frame.little);
  const length = cursor.view.getUint32(start + 4, frame.little);
  if (tag === tags.SequenceDelimitationItem) {
    const isOurs = frame.end === Number.POSITIVE_INFINITY;
    if (!isOurs) note(parser, "DELIMITER_MISPLACED");
    noteDelimiterLength(parser, length);
    cursor.position += 8;
    if (isOurs) close(parser);
    return GO_ON;
  }
  if (tag !== tags.Item) return fail(parser, "DICOM_MALFORMED", "no item where one must be");
  countOne(parser);
  const end = length === UNDEFINED_LENGTH ? Number.POSITIVE_INFINITY : cursor.position + 8 + length;
  if (end > frame.bound && end !== Number.POSITIVE_INFINITY) failBeyond(parser, end, "item");
  cursor.position += 8;
  parser.stack.push({
    kind: "elements",
    end,
    bound: Math.min(end, frame.bound),
    explicitVr: frame.explicitVr,
    little: frame.little,
    pixelRepresentation: frame.pixelRepresentation,
    elements: new Map(),
    lastTag: -1,
  });
  return GO_ON;
}

/** Closes the innermost frame and hands it to the one that holds it. */
function close(parser: Parser): void {
  const frame = parser.stack.pop();
  const parent = parser.stack[parser.stack.length - 1];
  if (frame === undefined || parent === undefined) return;
  const undefinedLength = frame.end === Number.POSITIVE_INFINITY;
  if (frame.kind === "elements") {
    const dataSet = frame.elements.size === 0 ? NO_ELEMENTS : frame.elements;
    if (parent.kind === "items") parent.items.push({ dataSet, undefinedLength });
  } else if (parent.kind === "elements") {
    const { tag, vr } = frame;
    const value =
      frame.kind === "items"
        ? ({ kind: "sequence", items: frame.items } as const)
        : ({ kind: "fragments", fragments: frame.fragments } as const);
    const element = { tag, vr, undefinedLength, value };
    parent.elements.set(tag, element);
    if (vr === "SQ" && parent === parser.root) rememberRead(parser, element);
  }
}

function readFragment(parser: Parser, frame: FragmentsFrame): number {
  const { cursor } = parser;
  const start = at(cursor);
  const tag = tagAt(cursor.view, start, frame.little);
  const length = cursor.view.getUint32(start + 4, frame.little);
  if (tag === tags.SequenceDelimitationItem) {
    noteDelimiterLength(parser, length);
    cursor.position += 8;
    close(parser);
    return GO_ON;
  }
  if (tag !== tags.Item) return fail(parser, "DICOM_MALFORMED", "no fragment where one must be");
  countOne(parser);
  const offset = cursor.position + 8;
  if (offset + length > frame.bound) failBeyond(parser, offset + length, "fragment");
  if (length % 2 === 1) note(parser, "LENGTH_ODD");
  frame.fragments.push({ offset, length });
  cursor.position = offset + length;
  return GO_ON;
}

function readValue(parser: Parser, frame: ElementsFrame): number {
  const { cursor, tag, vr, length, headerBytes } = parser;
  const inSource = length > parser.bulkThresholdBytes || isPixelData(tag);
  if (!inSource && !has(cursor, headerBytes + length)) return headerBytes + length;
  enter(parser, frame);
  if (length % 2 === 1) note(parser, "LENGTH_ODD");
  cursor.position += headerBytes;
  if (inSource) {
    const range = { offset: cursor.position, length };
    frame.elements.set(tag, { tag, vr, undefinedLength: false, value: { kind: "range", range } });
    cursor.position += length;
    return GO_ON;
  }
  if (tag === tags.PixelRepresentation && length >= 2)
    frame.pixelRepresentation = cursor.bytes[at(cursor) + (frame.little ? 0 : 1)];
  frame.elements.set(tag, heldElement(parser, frame, length));
  return GO_ON;
}
