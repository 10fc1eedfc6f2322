import { GatewayError } from "../errors/gateway-error.ts";
import { at, type Cursor, has, take } from "./cursor.ts";
import type { ByteRange, DataElement, DataSet, ElementValue, Finding, SequenceItem } from "./data-set.ts";
import { isPixelData, vrOf } from "./dictionary/dictionary.ts";
import { tags } from "./dictionary/tags.ts";
import type { TransferSyntax } from "./dictionary/transfer-syntaxes.ts";
import { DEFAULT_LIMITS, type ParseLimits } from "./limits.ts";
import { type Tag, tagOf } from "./tag.ts";
import { isLongForm, isVr, type Vr } from "./vr.ts";

export interface ParseOptions {
  readonly limits?: Partial<ParseLimits>;
  /** Values longer than this stay in the source as a range. Pixel data always does. */
  readonly bulkThresholdBytes?: number;
  /** The first element that is not read, at the top level; nothing behind it is looked at. */
  readonly stopBefore?: Tag;
  /** What could be read is given back with a finding instead of an error. */
  readonly tolerant?: boolean;
}

export interface ParsedDataSet {
  readonly dataSet: DataSet;
  readonly findings: readonly Finding[];
  /** Where parsing stopped. */
  readonly endOffset: number;
}

/** FFFFFFFFH. PS3.5 7.1.1. */
const UNDEFINED_LENGTH = 0xffffffff;
const DEFAULT_BULK_THRESHOLD_BYTES = 64 * 1024;
/** Oddities beyond this number are the same oddity again. */
const MAXIMUM_FINDINGS = 1_000;

/** An item, or the data set itself: elements until `end`. */
interface ElementsFrame {
  readonly kind: "elements";
  readonly end: number;
  readonly explicitVr: boolean;
  readonly elements: Map<Tag, DataElement>;
  pixelRepresentation: number | undefined;
}

/** A sequence: items until `end`. */
interface ItemsFrame {
  readonly kind: "items";
  readonly end: number;
  readonly tag: Tag;
  readonly vr: Vr;
  readonly explicitVr: boolean;
  readonly items: SequenceItem[];
}

type Frame = ElementsFrame | ItemsFrame;

interface Header {
  readonly headerBytes: number;
  readonly tag: Tag;
  readonly vr: Vr;
  readonly length: number;
}

/**
 * Reads elements from the cursor's position. Yields the number of bytes it needs in the window and goes on when they are there, or fewer at the end.
 * Nesting is kept on a stack of its own, so depth costs no call stack. PS3.5 7.
 * @throws GatewayError DICOM_TRUNCATED, DICOM_MALFORMED, DICOM_LIMIT_EXCEEDED; details name the offset
 */
export function* parseElements(
  cursor: Cursor,
  syntax: TransferSyntax,
  options: ParseOptions = {},
): Generator<number, ParsedDataSet, void> {
  const state = createState(cursor, syntax, options);
  try {
    yield* run(state);
  } catch (thrown) {
    if (options.tolerant !== true || !(thrown instanceof GatewayError)) throw thrown;
    note(state, thrown.code, thrown.message);
    while (state.stack.length > 0) close(state);
  }
  return { dataSet: state.root.elements, findings: state.findings, endOffset: cursor.position };
}

interface ParserState {
  readonly cursor: Cursor;
  readonly little: boolean;
  readonly limits: ParseLimits;
  readonly bulkThresholdBytes: number;
  readonly stopBefore: Tag | undefined;
  readonly root: ElementsFrame;
  readonly stack: Frame[];
  readonly findings: Finding[];
  elementCount: number;
}

function createState(cursor: Cursor, syntax: TransferSyntax, options: ParseOptions): ParserState {
  const root: ElementsFrame = {
    kind: "elements",
    end: cursor.sizeBytes,
    explicitVr: syntax.explicitVr,
    elements: new Map(),
    pixelRepresentation: undefined,
  };
  return {
    cursor,
    little: syntax.littleEndian,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    bulkThresholdBytes: options.bulkThresholdBytes ?? DEFAULT_BULK_THRESHOLD_BYTES,
    stopBefore: options.stopBefore,
    root,
    stack: [root],
    findings: [],
    elementCount: 0,
  };
}

function note(state: ParserState, code: string, message: string): void {
  if (state.findings.length < MAXIMUM_FINDINGS) state.findings.push({ code, offset: state.cursor.position, message });
}

function fail(
  state: ParserState,
  code: "DICOM_TRUNCATED" | "DICOM_MALFORMED" | "DICOM_LIMIT_EXCEEDED",
  what: string,
): never {
  throw new GatewayError(code, { offset: state.cursor.position, what });
}

function* need(state: ParserState, count: number, what: string): Generator<number, void, void> {
  if (has(state.cursor, count)) return;
  yield count;
  if (!has(state.cursor, count)) fail(state, "DICOM_TRUNCATED", what);
}

function* run(state: ParserState): Generator<number, void, void> {
  while (state.stack.length > 0) {
    const frame = state.stack[state.stack.length - 1] ?? state.root;
    if (state.cursor.position >= frame.end) {
      if (state.cursor.position > frame.end)
        note(state, "LENGTH_OVERRUN", "content reaches beyond the length of what holds it");
      close(state);
    } else if (frame.kind === "items") yield* readItemHeader(state, frame);
    else {
      const header = yield* readHeader(state, frame);
      if (isStop(state, frame, header.tag)) return;
      yield* readElement(state, frame, header);
    }
  }
}

function isStop({ root, stopBefore }: ParserState, frame: ElementsFrame, tag: Tag): boolean {
  return frame === root && stopBefore !== undefined && tag >= stopBefore;
}

function* readHeader(state: ParserState, frame: ElementsFrame): Generator<number, Header, void> {
  // A header cut short is told from a data set that ends here by the bytes that remain.
  if (!has(state.cursor, 8)) yield* need(state, 8, "element header");
  const start = at(state.cursor);
  const { view } = state.cursor;
  const tag = tagOf((view.getUint16(start, state.little) << 16) | view.getUint16(start + 2, state.little));
  // Nothing more is asked of what is not read.
  if (isStop(state, frame, tag)) return { headerBytes: 8, tag, vr: "UN", length: 0 };
  if (!frame.explicitVr || (tag & 0xffff0000) >>> 0 === 0xfffe0000) {
    const vr = vrOf(tag, frame);
    return { headerBytes: 8, tag, vr, length: view.getUint32(start + 4, state.little) };
  }
  const vr = String.fromCharCode(view.getUint8(start + 4), view.getUint8(start + 5));
  if (isVr(vr) && !isLongForm(vr)) return { headerBytes: 8, tag, vr, length: view.getUint16(start + 6, state.little) };
  if (!isVr(vr)) {
    note(state, "VR_UNKNOWN", "a VR that is none");
    // VRs to come have the long form (PS3.5 6.2); what is no pair of letters is taken for the short one, as other readers do.
    if (!/^[A-Z]{2}$/.test(vr))
      return { headerBytes: 8, tag, vr: "UN", length: view.getUint16(start + 6, state.little) };
  }
  yield* need(state, 12, "element header");
  const length = state.cursor.view.getUint32(at(state.cursor) + 8, state.little);
  return { headerBytes: 12, tag, vr: isVr(vr) ? vr : "UN", length };
}

function* readElement(
  state: ParserState,
  frame: ElementsFrame,
  { headerBytes, tag, vr, length }: Header,
): Generator<number, void, void> {
  if (tag === tags.ItemDelimitationItem || tag === tags.SequenceDelimitationItem) {
    state.cursor.position += headerBytes;
    if (tag === tags.ItemDelimitationItem && frame.end === Number.POSITIVE_INFINITY) return close(state);
    return note(state, "DELIMITER_MISPLACED", "a delimiter where nothing was open");
  }
  state.elementCount += 1;
  if (state.elementCount > state.limits.elements) fail(state, "DICOM_LIMIT_EXCEEDED", "elements");
  if (frame.elements.has(tag)) note(state, "ELEMENT_REPEATED", "an element that was there before; the last one counts");
  state.cursor.position += headerBytes;
  if (length === UNDEFINED_LENGTH) yield* readUndefinedLength(state, frame, tag, vr);
  else if (vr === "SQ") pushItems(state, frame, tag, vr, state.cursor.position + length, frame.explicitVr);
  else yield* readValue(state, frame, tag, vr, length);
}

function* readUndefinedLength(
  state: ParserState,
  frame: ElementsFrame,
  tag: Tag,
  vr: Vr,
): Generator<number, void, void> {
  if (isPixelData(tag) && (vr === "OB" || vr === "OW" || vr === "UN")) {
    frame.elements.set(tag, { tag, vr, undefinedLength: true, value: yield* readFragments(state) });
  } else if (vr === "SQ") pushItems(state, frame, tag, vr, Number.POSITIVE_INFINITY, frame.explicitVr);
  // UN of undefined length is an implicit VR sequence, whatever surrounds it. PS3.5 6.2.2 note 2.
  else if (vr === "UN") pushItems(state, frame, tag, vr, Number.POSITIVE_INFINITY, false);
  else fail(state, "DICOM_MALFORMED", "undefined length of a VR that may not have it");
}

function pushItems(state: ParserState, frame: ElementsFrame, tag: Tag, vr: Vr, end: number, explicitVr: boolean): void {
  if (end !== Number.POSITIVE_INFINITY && end > Math.min(frame.end, state.cursor.sizeBytes)) {
    if (end > state.cursor.sizeBytes) fail(state, "DICOM_TRUNCATED", "sequence");
    note(state, "LENGTH_OVERRUN", "a sequence longer than what holds it");
  }
  if (state.stack.length > state.limits.depth * 2) fail(state, "DICOM_LIMIT_EXCEEDED", "depth");
  state.stack.push({ kind: "items", end, tag, vr, explicitVr, items: [] });
}

function* readItemHeader(state: ParserState, frame: ItemsFrame): Generator<number, void, void> {
  yield* need(state, 8, "item header");
  const start = at(state.cursor);
  const { view } = state.cursor;
  const itemLittle = frame.vr === "UN" ? true : state.little;
  const tag = ((view.getUint16(start, itemLittle) << 16) | view.getUint16(start + 2, itemLittle)) >>> 0;
  const length = view.getUint32(start + 4, itemLittle);
  if (tag === tags.SequenceDelimitationItem) {
    state.cursor.position += 8;
    if (frame.end === Number.POSITIVE_INFINITY) close(state);
    else note(state, "DELIMITER_MISPLACED", "a sequence delimiter in a sequence of defined length");
    return;
  }
  if (tag !== tags.Item) return fail(state, "DICOM_MALFORMED", "no item where one must be");
  state.cursor.position += 8;
  if (frame.items.length >= state.limits.items) fail(state, "DICOM_LIMIT_EXCEEDED", "items");
  const end = length === UNDEFINED_LENGTH ? Number.POSITIVE_INFINITY : state.cursor.position + length;
  if (end !== Number.POSITIVE_INFINITY && end > state.cursor.sizeBytes) fail(state, "DICOM_TRUNCATED", "item");
  state.stack.push({
    kind: "elements",
    end,
    explicitVr: frame.explicitVr,
    elements: new Map(),
    pixelRepresentation: undefined,
  });
}

/** Closes the innermost frame and hands it to the one that holds it. */
function close(state: ParserState): void {
  const frame = state.stack.pop();
  const parent = state.stack[state.stack.length - 1];
  if (frame === undefined || parent === undefined) return;
  const undefinedLength = frame.end === Number.POSITIVE_INFINITY;
  if (frame.kind === "elements" && parent.kind === "items") {
    parent.items.push({ dataSet: frame.elements, undefinedLength });
  } else if (frame.kind === "items" && parent.kind === "elements") {
    const { tag, vr, items } = frame;
    parent.elements.set(tag, { tag, vr, undefinedLength, value: { kind: "sequence", items } });
  }
}

function* readFragments(state: ParserState): Generator<number, ElementValue, void> {
  const fragments: ByteRange[] = [];
  for (;;) {
    yield* need(state, 8, "fragment header");
    const start = at(state.cursor);
    const tag =
      ((state.cursor.view.getUint16(start, state.little) << 16) |
        state.cursor.view.getUint16(start + 2, state.little)) >>>
      0;
    const length = state.cursor.view.getUint32(start + 4, state.little);
    if (tag !== tags.Item && tag !== tags.SequenceDelimitationItem)
      return fail(state, "DICOM_MALFORMED", "no fragment where one must be");
    state.cursor.position += 8;
    if (tag === tags.SequenceDelimitationItem) return { kind: "fragments", fragments };
    if (length > state.cursor.sizeBytes - state.cursor.position) return fail(state, "DICOM_TRUNCATED", "fragment");
    if (fragments.length >= state.limits.fragments) return fail(state, "DICOM_LIMIT_EXCEEDED", "fragments");
    fragments.push({ offset: state.cursor.position, length });
    state.cursor.position += length;
  }
}

function* readValue(
  state: ParserState,
  frame: ElementsFrame,
  tag: Tag,
  vr: Vr,
  length: number,
): Generator<number, void, void> {
  if (length > state.cursor.sizeBytes - state.cursor.position) fail(state, "DICOM_TRUNCATED", "value");
  if (length % 2 === 1) note(state, "LENGTH_ODD", "a value of odd length");
  if (length > state.bulkThresholdBytes || isPixelData(tag)) {
    frame.elements.set(tag, {
      tag,
      vr,
      undefinedLength: false,
      value: { kind: "range", range: { offset: state.cursor.position, length } },
    });
    state.cursor.position += length;
    return;
  }
  if (!has(state.cursor, length)) yield* need(state, length, "value");
  const bytes = take(state.cursor, length);
  if (tag === tags.PixelRepresentation && length >= 2) frame.pixelRepresentation = bytes[state.little ? 0 : 1];
  frame.elements.set(tag, { tag, vr, undefinedLength: false, value: { kind: "bytes", bytes } });
}
