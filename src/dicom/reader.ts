import { GatewayError } from "../errors/gateway-error.ts";
import { createCursor, cursorOver, fill, has, WINDOW_BYTES } from "./cursor.ts";
import type { ByteRange, ByteSource, DataSet, Finding, Part10File } from "./data-set.ts";
import { tags } from "./dictionary/tags.ts";
import {
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
  type TransferSyntax,
  transferSyntaxes,
  transferSyntaxOf,
} from "./dictionary/transfer-syntaxes.ts";
import { findingAt } from "./findings.ts";
import { inflatedBeginning, inflatedBytes, inflateSource } from "./inflate.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { advance } from "./parse-data-set.ts";
import { createParser, type ParsedDataSet, type ParseOptions, type Parser, parsedBy } from "./parser-state.ts";
import { bytesSource, type FileSourceOptions, fileSource } from "./sources.ts";
import { tagOf } from "./tag.ts";
import { numberOf, uidOf } from "./values.ts";
import { vrOfCode } from "./vr.ts";

const PREAMBLE_BYTES = 128;
/** "DICM". PS3.10 7.1. */
const MAGIC = [0x44, 0x49, 0x43, 0x4d];
const META_START = PREAMBLE_BYTES + 4;
/** (0002,0000) UL, length 4. PS3.10 table 7.1-1. */
const GROUP_LENGTH_BYTES = 12;

/** Group 0002 alone, all of it in memory: it has no ranges. */
const HELD_META = { stopBefore: tagOf(0x00030000), bulkThresholdBytes: Number.POSITIVE_INFINITY };

export { bytesSource, fileSource };

/** A data set that is wholly in memory: C-FIND identifiers and the like. Values are views of `bytes`. @throws GatewayError as `advance` */
export function parseDataSet(bytes: Uint8Array, transferSyntaxUid: string, options: ParseOptions = {}): DataSet {
  const syntax = transferSyntaxOf(transferSyntaxUid);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const body = syntax.deflated ? inflatedBytes(bytes, limits.inflatedBytes) : bytes;
  const parser = createParser(cursorOver(body), syntax, options);
  // Everything is in the window: the parser never asks for more.
  advance(parser);
  return parsedBy(parser).dataSet;
}

/**
 * `head` is what was read of the source's beginning. Most headers are wholly in it, and then nothing is waited for: promises would take
 * as long as the parsing.
 */
function parseSource(
  source: ByteSource,
  offset: number,
  syntax: TransferSyntax,
  options: ParseOptions,
  head?: Uint8Array,
): ParsedDataSet | Promise<ParsedDataSet> {
  const cursor = createCursor(source.sizeBytes, offset, head);
  cursor.heldBytes = cursor.bytes.length;
  const parser = createParser(cursor, syntax, options);
  const needed = advance(parser);
  return needed === 0 ? parsedBy(parser) : parseOn(parser, needed, source, options);
}

async function parseOn(
  parser: Parser,
  firstNeeded: number,
  source: ByteSource,
  { signal, windowBytes }: ParseOptions,
): Promise<ParsedDataSet> {
  const { cursor } = parser;
  for (let needed = firstNeeded; needed > 0; needed = advance(parser)) {
    signal?.throwIfAborted();
    await fill(cursor, source, needed, windowBytes);
    if (!has(cursor, needed)) throw new GatewayError("DICOM_TRUNCATED", { offset: cursor.position, what: "source" });
  }
  return parsedBy(parser);
}

/**
 * Reads a Part 10 file: header in memory, bulk by range. PS3.10 7.
 * A missing preamble or file meta is a finding; what is no DICOM at all is refused.
 * @throws GatewayError NOT_DICOM, DICOM_TRUNCATED, DICOM_MALFORMED, DICOM_LIMIT_EXCEEDED
 */
export async function readPart10(source: ByteSource, options: ParseOptions = {}): Promise<Part10File> {
  options.signal?.throwIfAborted();
  const findings: Finding[] = [];
  const head = await source.read(
    0,
    Math.min(Math.max(options.windowBytes ?? WINDOW_BYTES, META_START + GROUP_LENGTH_BYTES), source.sizeBytes),
  );
  const hasPreamble = isMagic(head, PREAMBLE_BYTES);
  const metaOffset = hasPreamble ? META_START : isMagic(head, 0) ? 4 : 0;
  if (!hasPreamble) findings.push(findingAt(0, "PREAMBLE_MISSING"));

  const meta = await readMeta(source, head, metaOffset, hasPreamble, options, findings);
  const first = await peek(source, head, meta.endOffset);
  const probed = probeSyntax(first, source.sizeBytes - meta.endOffset, meta.transferSyntaxUid, hasPreamble);
  noteSyntax(findings, meta, probed);
  const syntax = transferSyntaxOf(probed);
  const { body, behindDeflated, parsed } = await readBody(source, head, meta.endOffset, syntax, options);
  if (parsed.dataSet.size === 0 && meta.dataSet.size === 0)
    throw new GatewayError("NOT_DICOM", { offset: parsed.endOffset });
  const { dataSet, layout, stoppedBefore, trailing } = parsed;
  return {
    preamble: hasPreamble ? head.subarray(0, PREAMBLE_BYTES) : undefined,
    meta: meta.dataSet,
    dataSet,
    transferSyntaxUid: probed,
    dataSetOffset: meta.endOffset,
    source: body,
    file: source,
    layout,
    stoppedBefore,
    trailing,
    behindDeflated,
    findings: [...findings, ...parsed.findings],
  };
}

interface Body {
  /** What ranges refer to. */
  readonly body: ByteSource;
  readonly behindDeflated: ByteRange | undefined;
  readonly parsed: ParsedDataSet;
}

async function readBody(
  source: ByteSource,
  head: Uint8Array,
  offset: number,
  syntax: TransferSyntax,
  options: ParseOptions,
): Promise<Body> {
  if (!syntax.deflated) {
    const parsed = await parseSource(source, offset, syntax, options, head);
    return { body: source, behindDeflated: undefined, parsed };
  }
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  try {
    const beginning = await readDeflatedBeginning(source, offset, syntax, options);
    if (beginning !== undefined) return beginning;
    await options.beforeInflating?.();
    const { body, endOffset } = await inflateSource(source, offset, limits.inflatedBytes);
    const parsed = await parseSource(body, 0, syntax, options);
    const behindDeflated = await bytesBehind(source, endOffset);
    if (behindDeflated === undefined) return { body, behindDeflated, parsed };
    const findings = [...parsed.findings, findingAt(endOffset, "TRAILING_BYTES")];
    return { body, behindDeflated, parsed: { ...parsed, findings } };
  } catch (thrown) {
    if (options.tolerant !== true || !(thrown instanceof GatewayError)) throw thrown;
    return { body: source, behindDeflated: undefined, parsed: nothingParsed(thrown, offset) };
  }
}

/** A header alone is wanted: what a file of half a megabyte inflates to may be a thousand times as much. Undefined: all of it has to be inflated. */
async function readDeflatedBeginning(
  source: ByteSource,
  offset: number,
  syntax: TransferSyntax,
  options: ParseOptions,
): Promise<Body | undefined> {
  if (options.stopBefore === undefined) return undefined;
  const body = bytesSource(await inflatedBeginning(source, offset));
  try {
    const parsed = await parseSource(body, 0, syntax, { ...options, tolerant: false });
    return parsed.stoppedBefore === undefined ? undefined : { body, behindDeflated: undefined, parsed };
  } catch (thrown) {
    if (thrown instanceof GatewayError) return undefined;
    throw thrown;
  }
}

function nothingParsed({ code, message }: GatewayError, offset: number): ParsedDataSet {
  return {
    dataSet: new Map(),
    findings: [{ code, offset, message }],
    endOffset: offset,
    layout: undefined,
    stoppedBefore: undefined,
    trailing: undefined,
  };
}

/** A single NUL is the padding of a deflated data set. PS3.5 A.5. */
async function bytesBehind(source: ByteSource, offset: number): Promise<ByteRange | undefined> {
  const length = source.sizeBytes - offset;
  if (length === 0) return undefined;
  const isPadding = length === 1 && (await source.read(offset, 1))[0] === 0;
  return isPadding ? undefined : { offset, length };
}

function noteSyntax(findings: Finding[], { transferSyntaxUid, endOffset: offset }: Meta, probed: string): void {
  if (transferSyntaxUid === undefined) return;
  if (probed !== transferSyntaxUid) findings.push(findingAt(offset, "TRANSFER_SYNTAX_WRONG"));
  if (!transferSyntaxes.has(transferSyntaxUid)) findings.push(findingAt(offset, "TRANSFER_SYNTAX_UNKNOWN"));
}

/** As `readPart10`, of a file that stays open for its ranges until disposed. @throws NodeJS.ErrnoException as `open` */
export async function readPart10File(
  path: string,
  options: ParseOptions & FileSourceOptions = {},
): Promise<Part10File & AsyncDisposable> {
  const source = await fileSource(path, options);
  try {
    const file = await readPart10(source, options);
    return { ...file, [Symbol.asyncDispose]: () => source[Symbol.asyncDispose]() };
  } catch (thrown) {
    await source[Symbol.asyncDispose]();
    throw thrown;
  }
}

function isMagic(bytes: Uint8Array, offset: number): boolean {
  return MAGIC.every((byte, index) => bytes[offset + index] === byte);
}

/** Up to 8 bytes: the header of an element of explicit VR with a short length, or of implicit VR. */
function peek(source: ByteSource, head: Uint8Array, offset: number): DataView | Promise<DataView> {
  const length = Math.min(8, source.sizeBytes - offset);
  return offset + length <= head.length
    ? new DataView(head.buffer, head.byteOffset + offset, length)
    : source.read(offset, length).then((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

function hasVr(header: DataView): boolean {
  return header.byteLength >= 6 && vrOfCode(header.getUint16(4)) !== undefined;
}

interface Meta {
  readonly dataSet: DataSet;
  readonly transferSyntaxUid: string | undefined;
  readonly endOffset: number;
}

/** Group 0002 is explicit VR little endian, and ends where another group begins. PS3.10 7.1. */
async function readMeta(
  source: ByteSource,
  head: Uint8Array,
  offset: number,
  hasPreamble: boolean,
  options: ParseOptions,
  findings: Finding[],
): Promise<Meta> {
  const first = await peek(source, head, offset);
  if (first.byteLength < 8 || first.getUint16(0, true) !== 0x0002) {
    if (!hasPreamble && !looksLikeDataSet(first, source.sizeBytes - offset))
      throw new GatewayError("NOT_DICOM", { offset });
    findings.push(findingAt(offset, "FILE_META_MISSING"));
    return { dataSet: new Map(), transferSyntaxUid: undefined, endOffset: offset };
  }
  const syntax = transferSyntaxOf(hasVr(first) ? EXPLICIT_VR_LITTLE_ENDIAN : IMPLICIT_VR_LITTLE_ENDIAN);
  const bounded = await readBoundedMeta(source, head, offset, options);
  const parsed = bounded ?? (await parseSource(source, offset, syntax, { ...options, ...HELD_META }, head));
  // What follows the file meta is looked at as a data set.
  findings.push(...parsed.findings.filter(({ code }) => code !== "TRAILING_BYTES"));
  const { dataSet, endOffset } = parsed;
  const uid = uidOf(dataSet, tags.TransferSyntaxUID);
  if (uid === undefined) findings.push(findingAt(offset, "TRANSFER_SYNTAX_MISSING"));
  if (!syntax.explicitVr) findings.push(findingAt(offset, "META_VR_MISSING"));
  if (!hasGroupLength(parsed, offset)) findings.push(findingAt(offset, "META_GROUP_LENGTH_WRONG"));
  return { dataSet, transferSyntaxUid: uid, endOffset };
}

/** Whether the file meta begins with a group length (UL, 4 bytes) that counts what is behind it. PS3.10 table 7.1-1. */
function hasGroupLength({ dataSet, layout, endOffset }: ParsedDataSet, offset: number): boolean {
  const tag = tags.FileMetaInformationGroupLength;
  const contentOffset = offset + GROUP_LENGTH_BYTES;
  const stands = layout?.tags[0] === tag && (layout.offsets[1] ?? endOffset) === contentOffset;
  return stands && dataSet.get(tag)?.vr === "UL" && numberOf(dataSet, tag) === endOffset - contentOffset;
}

/** The file meta as long as its group length says; undefined when that is not where it ends. */
async function readBoundedMeta(
  source: ByteSource,
  head: Uint8Array,
  offset: number,
  { limits = {}, windowBytes = WINDOW_BYTES, signal }: ParseOptions,
): Promise<ParsedDataSet | undefined> {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (offset + GROUP_LENGTH_BYTES > head.length || view.getUint32(offset) !== 0x02000000) return undefined;
  const end = offset + GROUP_LENGTH_BYTES + view.getUint32(offset + 8, true);
  if (end > source.sizeBytes) return undefined;
  const next = await peek(source, head, end);
  if (next.byteLength >= 2 && next.getUint16(0, true) === 0x0002) return undefined;
  const meta: ByteSource = { sizeBytes: end, read: (from, length) => source.read(from, length) };
  try {
    const syntax = transferSyntaxOf(EXPLICIT_VR_LITTLE_ENDIAN);
    const options = { limits, windowBytes, ...HELD_META, ...(signal && { signal }) };
    const parsed = await parseSource(meta, offset, syntax, options, head);
    return parsed.endOffset === end ? parsed : undefined;
  } catch (thrown) {
    if (thrown instanceof GatewayError) return undefined;
    throw thrown;
  }
}

/** Group 0008 with a VR: no deflated data set begins so, as its first block would have to be stored and be of the wrong length. */
function isPlainHeader(first: DataView): boolean {
  return hasVr(first) && first.getUint16(0, true) === 0x0008;
}

/** The syntax the first element really is in: some files lie, some say nothing. `restBytes` follow the file meta. */
function probeSyntax(first: DataView, restBytes: number, declared: string | undefined, hasPreamble: boolean): string {
  const syntax = declared === undefined ? undefined : transferSyntaxOf(declared);
  if (syntax?.littleEndian === false) return syntax.uid;
  if (syntax?.deflated) return isPlainHeader(first) ? EXPLICIT_VR_LITTLE_ENDIAN : syntax.uid;
  if (first.byteLength < 8) return declared ?? IMPLICIT_VR_LITTLE_ENDIAN;
  const explicitVr = hasVr(first);
  const isBig = explicitVr && first.getUint8(0) === 0 && first.getUint8(1) !== 0;
  if (isBig && (syntax?.encapsulated === false || !hasPreamble)) return EXPLICIT_VR_BIG_ENDIAN;
  if (syntax !== undefined && syntax.explicitVr === explicitVr) return syntax.uid;
  // An implicit header whose length would run over the file is no reason to doubt an explicit syntax.
  if (syntax?.explicitVr && first.getUint32(4, true) > restBytes - 8) return syntax.uid;
  return explicitVr ? EXPLICIT_VR_LITTLE_ENDIAN : IMPLICIT_VR_LITTLE_ENDIAN;
}

/** Without preamble and meta: an element of a low even group whose length is possible. */
function looksLikeDataSet(first: DataView, sizeBytes: number): boolean {
  if (first.byteLength < 8) return false;
  const group = first.getUint16(0, true);
  if (group !== 0x0008 && group !== 0x0010 && first.getUint16(0) !== 0x0008) return false;
  return hasVr(first) || first.getUint32(4, true) <= sizeBytes - 8;
}
