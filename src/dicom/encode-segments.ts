import { GatewayError } from "../errors/gateway-error.ts";
import type { ByteRange, DataElement, DataSet, ElementValue, SequenceItem } from "./data-set.ts";
import type { TransferSyntax } from "./dictionary/transfer-syntaxes.ts";
import { elementOf } from "./tag.ts";
import { isLongForm, type Vr, WORD_BYTES } from "./vr.ts";

/** A piece of an encoded data set: bytes, or a range of the source to be copied, its words swapped where `swapBytes` says so. */
export type Segment =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "range"; readonly range: ByteRange; readonly swapBytes: number };

export interface EncodeOptions {
  /** The byte order of the values in memory and in ranges; absent: the target's. */
  readonly sourceLittleEndian?: boolean;
  /** Leaves (gggg,0000) out of items: retired, and wrong as soon as an item changes. PS3.5 7.2. @default false */
  readonly omitGroupLengthsInItems?: boolean;
}

const UNDEFINED_LENGTH = 0xffffffff;
/** Chunks grow from the first to the second size: a single element is as common as a whole header. */
const FIRST_CHUNK_BYTES = 512;
const CHUNK_BYTES = 16 * 1024;
/** Longest value of a VR with a 16 bit length; longer ones are written as UN. PS3.5 6.2.2, 7.1.2. */
const MAXIMUM_SHORT_LENGTH = 0xffff;

interface Patch {
  readonly chunk: Buffer;
  readonly offset: number;
  /** Total length when the patched length's content began. */
  readonly contentStart: number;
  readonly little: boolean;
}

interface Builder {
  readonly segments: Segment[];
  readonly omitGroupLengthsInItems: boolean;
  /** Byte order of what is being written, and whether values are in another: both change inside UN. */
  little: boolean;
  swap: boolean;
  chunk: Buffer;
  used: number;
  /** Bytes written in all, ranges included. */
  total: number;
}

/** A task on the stack of what is still to be written: nesting costs no call stack. */
type Task =
  | { readonly kind: "elements"; readonly elements: Iterator<DataElement>; readonly explicitVr: boolean }
  | { readonly kind: "items"; readonly items: Iterator<SequenceItem>; readonly explicitVr: boolean }
  | End;

/** Closes a sequence or item, and goes back to the byte order of what holds it. */
interface End {
  readonly kind: "end";
  readonly patch: Patch | undefined;
  readonly delimiter: number;
  readonly little: boolean;
  readonly swap: boolean;
}

/** The encoded form of a data set in pieces, lengths as they were read: defined stays defined, undefined stays undefined. PS3.5 7. */
export function encodeSegments(
  dataSet: DataSet,
  syntax: TransferSyntax,
  options: EncodeOptions = {},
): readonly Segment[] {
  const builder: Builder = {
    segments: [],
    omitGroupLengthsInItems: options.omitGroupLengthsInItems ?? false,
    little: syntax.littleEndian,
    swap: (options.sourceLittleEndian ?? syntax.littleEndian) !== syntax.littleEndian,
    chunk: Buffer.allocUnsafe(FIRST_CHUNK_BYTES),
    used: 0,
    total: 0,
  };
  const stack: Task[] = [{ kind: "elements", elements: dataSet.values(), explicitVr: syntax.explicitVr }];
  for (let task = stack.at(-1); task !== undefined; task = stack.at(-1)) {
    if (task.kind === "end") {
      stack.pop();
      endLength(builder, task.patch, task.delimiter);
      builder.little = task.little;
      builder.swap = task.swap;
    } else if (task.kind === "elements") {
      const next = task.elements.next();
      if (next.done) stack.pop();
      else writeElement(builder, stack, next.value, task.explicitVr);
    } else {
      const next = task.items.next();
      if (next.done) stack.pop();
      else beginItem(builder, stack, next.value, task.explicitVr);
    }
  }
  flush(builder);
  return builder.segments;
}

export function lengthOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, one) => sum + (one.kind === "bytes" ? one.bytes.length : one.range.length), 0);
}

function room(builder: Builder, count: number): void {
  if (builder.used + count <= builder.chunk.length) return;
  flush(builder);
  builder.chunk = Buffer.allocUnsafe(Math.max(CHUNK_BYTES, count));
}

function flush(builder: Builder): void {
  if (builder.used > 0) builder.segments.push({ kind: "bytes", bytes: builder.chunk.subarray(0, builder.used) });
  builder.chunk = builder.chunk.subarray(builder.used);
  builder.used = 0;
}

function put16(builder: Builder, value: number): void {
  const { chunk, used } = builder;
  const [lower, upper] = builder.little ? [used, used + 1] : [used + 1, used];
  chunk[lower] = value;
  chunk[upper] = value >>> 8;
  builder.used += 2;
  builder.total += 2;
}

function put32(builder: Builder, value: number): void {
  write32(builder.chunk, builder.used, value, builder.little);
  builder.used += 4;
  builder.total += 4;
}

/** Byte by byte: there are two or three for every element, and Buffer's own would take longer to look at what they are given. */
function write32(chunk: Buffer, offset: number, value: number, little: boolean): void {
  for (let index = 0; index < 4; index += 1) chunk[offset + (little ? index : 3 - index)] = value >>> (8 * index);
}

function putTag(builder: Builder, tag: number): void {
  put16(builder, tag >>> 16);
  put16(builder, tag & 0xffff);
}

/** Tag, VR and length; returns where the length is, to be patched when it is known. */
function putHeader(builder: Builder, tag: number, vr: Vr, length: number, explicitVr: boolean): Patch {
  room(builder, 12);
  putTag(builder, tag);
  if (!explicitVr) put32(builder, length);
  else {
    builder.chunk[builder.used] = vr.charCodeAt(0);
    builder.chunk[builder.used + 1] = vr.charCodeAt(1);
    builder.used += 2;
    builder.total += 2;
    if (isLongForm(vr)) {
      put16(builder, 0);
      put32(builder, length);
    } else put16(builder, length);
  }
  return { chunk: builder.chunk, offset: builder.used - 4, contentStart: builder.total, little: builder.little };
}

function writeElement(builder: Builder, stack: Task[], element: DataElement, explicitVr: boolean): void {
  const { value } = element;
  if (value.kind === "sequence") beginSequence(builder, stack, element, value.items, explicitVr);
  else if (value.kind === "fragments") writeFragments(builder, element, value.fragments, explicitVr);
  else writeValue(builder, element, value, explicitVr);
}

function writeValue(
  builder: Builder,
  element: DataElement,
  value: Extract<ElementValue, { kind: "bytes" | "range" }>,
  explicitVr: boolean,
): void {
  const { tag } = element;
  const length = value.kind === "bytes" ? value.bytes.length : value.range.length;
  if (length >= UNDEFINED_LENGTH) throw new GatewayError("DICOM_LIMIT_EXCEEDED", { what: "value length" });
  const isTooLong = explicitVr && !isLongForm(element.vr) && length > MAXIMUM_SHORT_LENGTH;
  const vr = isTooLong ? "UN" : element.vr;
  putHeader(builder, tag, vr, length, explicitVr);
  const swapBytes = builder.swap ? (WORD_BYTES[element.vr] ?? 1) : 1;
  if (value.kind === "range") putRange(builder, value.range, swapBytes);
  else putBytes(builder, swapBytes === 1 ? value.bytes : swapped(value.bytes, swapBytes));
}

/** Longer values are copied by the system. */
const FEW_BYTES = 48;

function putBytes(builder: Builder, bytes: Uint8Array): void {
  room(builder, bytes.length);
  const { chunk, used } = builder;
  if (bytes.length > FEW_BYTES) chunk.set(bytes, used);
  else for (let index = 0; index < bytes.length; index += 1) chunk[used + index] = bytes[index] ?? 0;
  builder.used += bytes.length;
  builder.total += bytes.length;
}

function putRange(builder: Builder, range: ByteRange, swapBytes: number): void {
  flush(builder);
  builder.segments.push({ kind: "range", range, swapBytes });
  builder.total += range.length;
}

/** A copy with the bytes of each word the other way round; a rest that is no whole word stays. */
export function swapped(bytes: Uint8Array, wordBytes: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (let start = 0; start + wordBytes <= copy.length; start += wordBytes)
    copy.subarray(start, start + wordBytes).reverse();
  return copy;
}

function beginSequence(
  builder: Builder,
  stack: Task[],
  element: DataElement,
  items: readonly SequenceItem[],
  explicitVr: boolean,
): void {
  const patch = putHeader(builder, element.tag, element.vr, UNDEFINED_LENGTH, explicitVr);
  const { little, swap } = builder;
  stack.push({ kind: "end", patch: element.undefinedLength ? undefined : patch, delimiter: 0xfffee0dd, little, swap });
  // Inside UN everything is implicit VR little endian, and was read so. PS3.5 6.2.2 note 2.
  const isUnknown = element.vr === "UN";
  if (isUnknown) Object.assign(builder, { little: true, swap: false });
  stack.push({ kind: "items", items: items.values(), explicitVr: explicitVr && !isUnknown });
}

function beginItem(builder: Builder, stack: Task[], item: SequenceItem, explicitVr: boolean): void {
  room(builder, 8);
  putTag(builder, 0xfffee000);
  put32(builder, UNDEFINED_LENGTH);
  const { little, swap } = builder;
  const patch = { chunk: builder.chunk, offset: builder.used - 4, contentStart: builder.total, little };
  stack.push({ kind: "end", patch: item.undefinedLength ? undefined : patch, delimiter: 0xfffee00d, little, swap });
  const elements = item.dataSet.values();
  stack.push({
    kind: "elements",
    elements: builder.omitGroupLengthsInItems ? elements.filter(({ tag }) => elementOf(tag) !== 0) : elements,
    explicitVr,
  });
}

function endLength(builder: Builder, patch: Patch | undefined, delimiter: number): void {
  if (patch !== undefined) {
    const length = builder.total - patch.contentStart;
    if (length >= UNDEFINED_LENGTH) throw new GatewayError("DICOM_LIMIT_EXCEEDED", { what: "sequence length" });
    write32(patch.chunk, patch.offset, length, patch.little);
    return;
  }
  room(builder, 8);
  putTag(builder, delimiter);
  put32(builder, 0);
}

function writeFragments(
  builder: Builder,
  element: DataElement,
  fragments: readonly ByteRange[],
  explicitVr: boolean,
): void {
  putHeader(builder, element.tag, element.vr, UNDEFINED_LENGTH, explicitVr);
  for (const range of fragments) {
    room(builder, 8);
    putTag(builder, 0xfffee000);
    put32(builder, range.length);
    putRange(builder, range, 1);
  }
  room(builder, 8);
  putTag(builder, 0xfffee0dd);
  put32(builder, 0);
}
