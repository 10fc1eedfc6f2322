import { GatewayError } from "../errors/gateway-error.ts";
import type { Cursor } from "./cursor.ts";
import type { ByteRange, DataElement, DataSet, Finding, Layout, SequenceItem } from "./data-set.ts";
import { tags } from "./dictionary/tags.ts";
import type { TransferSyntax } from "./dictionary/transfer-syntaxes.ts";
import type { ElementMemory } from "./element-memory.ts";
import { type FindingCode, findingAt } from "./findings.ts";
import { DEFAULT_LIMITS, type ParseLimits } from "./limits.ts";
import { formatTag, type Tag } from "./tag.ts";
import type { Vr } from "./vr.ts";

export interface ParseOptions {
  readonly limits?: Partial<ParseLimits>;
  /** Values longer than this stay in the source as a range. Pixel data always does. @default 65536 */
  readonly bulkThresholdBytes?: number;
  /** Read at once from the source: about the size of a header. @default 16384 */
  readonly windowBytes?: number;
  /** The first element that is not read, at the top level; nothing behind it is looked at. */
  readonly stopBefore?: Tag;
  /** What could be read is given back with a finding instead of an error. */
  readonly tolerant?: boolean;
  /** What earlier data sets had in common with this one. */
  readonly memory?: ElementMemory;
  /** Looked at before every read from the source. */
  readonly signal?: AbortSignal;
  /** Waited for before a deflated data set is inflated, which is all of it in memory. */
  readonly beforeInflating?: () => Promise<void>;
}

export interface ParsedDataSet {
  readonly dataSet: DataSet;
  readonly findings: readonly Finding[];
  /** Where parsing stopped. */
  readonly endOffset: number;
  /** Absent when tolerated damage ended the parsing. */
  readonly layout: Layout | undefined;
  readonly stoppedBefore: Tag | undefined;
  readonly trailing: ByteRange | undefined;
}

const DEFAULT_BULK_THRESHOLD_BYTES = 64 * 1024;
/** Oddities beyond this number are the same oddity again. */
const MAXIMUM_FINDINGS = 1_000;

interface FrameBase {
  /** Where the length says that it ends; infinite for undefined length. */
  readonly end: number;
  /** The nearest end that is known: of this frame, of one that holds it, or of the source. */
  readonly bound: number;
  readonly explicitVr: boolean;
  readonly little: boolean;
  pixelRepresentation: number | undefined;
}

/** An item, or the data set itself: elements until `end`. */
export interface ElementsFrame extends FrameBase {
  readonly kind: "elements";
  readonly elements: Map<Tag, DataElement>;
  lastTag: number;
}

/** A sequence: items until `end`. */
export interface ItemsFrame extends FrameBase {
  readonly kind: "items";
  readonly tag: Tag;
  readonly vr: Vr;
  readonly items: SequenceItem[];
}

/** Encapsulated pixel data: fragments until the delimiter. PS3.5 A.4. */
export interface FragmentsFrame extends FrameBase {
  readonly kind: "fragments";
  readonly tag: Tag;
  readonly vr: Vr;
  readonly fragments: ByteRange[];
}

type Frame = ElementsFrame | ItemsFrame | FragmentsFrame;

/** A data set being read. Nesting is kept on a stack of its own, so depth costs no call stack. */
export interface Parser {
  readonly cursor: Cursor;
  readonly limits: ParseLimits;
  readonly bulkThresholdBytes: number;
  readonly stopBefore: number;
  readonly tolerant: boolean;
  readonly memory: ElementMemory | undefined;
  readonly root: ElementsFrame;
  readonly stack: Frame[];
  readonly findings: Finding[];
  /** Elements of the top level and where they begin. */
  readonly rootTags: Tag[];
  readonly rootOffsets: number[];
  /** Whether pixel data was read at the top level: little may follow it. */
  hasPixelData: boolean;
  /** How parsing ended, where it was not at the end of the source. */
  ending: "stopped" | "trailing" | "damaged" | undefined;
  /** Elements, items and fragments so far. */
  count: number;
  /** The count, and the number of findings, when the last sequence of the top level began. */
  countBefore: number;
  findingsBefore: number;
  /** The header read last: kept here, as one object for each element would cost more than reading it. */
  tag: Tag;
  vr: Vr;
  length: number;
  headerBytes: number;
  /** Two bytes of a long header that must be zero. PS3.5 table 7.1-1. */
  reserved: number;
  isVrKnown: boolean;
}

/** Elements are read from the cursor's position to the end of its source. */
export function createParser(cursor: Cursor, syntax: TransferSyntax, options: ParseOptions = {}): Parser {
  const root: ElementsFrame = {
    kind: "elements",
    end: cursor.sizeBytes,
    bound: cursor.sizeBytes,
    explicitVr: syntax.explicitVr,
    little: syntax.littleEndian,
    pixelRepresentation: undefined,
    elements: new Map(),
    lastTag: -1,
  };
  return {
    cursor,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    bulkThresholdBytes: options.bulkThresholdBytes ?? DEFAULT_BULK_THRESHOLD_BYTES,
    stopBefore: options.stopBefore ?? Number.POSITIVE_INFINITY,
    tolerant: options.tolerant ?? false,
    memory: options.memory,
    root,
    stack: [root],
    findings: [],
    rootTags: [],
    rootOffsets: [],
    hasPixelData: false,
    ending: undefined,
    count: 0,
    countBefore: 0,
    findingsBefore: 0,
    tag: tags.Item,
    vr: "UN",
    length: 0,
    headerBytes: 0,
    reserved: 0,
    isVrKnown: true,
  };
}

export function parsedBy(parser: Parser): ParsedDataSet {
  const { root, findings, cursor, ending, tag } = parser;
  const { position: endOffset, sizeBytes } = cursor;
  return {
    dataSet: root.elements,
    findings,
    endOffset,
    layout: ending === "damaged" ? undefined : { tags: parser.rootTags, offsets: parser.rootOffsets, endOffset },
    stoppedBefore: ending === "stopped" ? tag : undefined,
    trailing: ending === "trailing" ? { offset: endOffset, length: sizeBytes - endOffset } : undefined,
  };
}

export function note(parser: Parser, code: FindingCode): void {
  if (parser.findings.length < MAXIMUM_FINDINGS) parser.findings.push(findingAt(parser.cursor.position, code));
}

export function fail(
  { cursor, tag, stack }: Parser,
  code: "DICOM_TRUNCATED" | "DICOM_MALFORMED" | "DICOM_LIMIT_EXCEEDED",
  what: string,
): never {
  const depth = stack.length >> 1;
  throw new GatewayError(code, { offset: cursor.position, what, depth, lastTag: formatTag(tag) });
}

/** What is asked for lies behind the end of the frame, or of the whole. */
export function failBeyond(parser: Parser, end: number, what: string): never {
  return end > parser.cursor.sizeBytes
    ? fail(parser, "DICOM_TRUNCATED", what)
    : fail(parser, "DICOM_MALFORMED", `${what} beyond the end of what holds it`);
}

export function countOne(parser: Parser): void {
  parser.count += 1;
  if (parser.count > parser.limits.elements) fail(parser, "DICOM_LIMIT_EXCEEDED", "elements");
}
