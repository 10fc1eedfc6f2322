import type { ByteRange, ByteSource, DataElement } from "../../dicom/data-set.ts";
import { type Tag, tagOf } from "../../dicom/tag.ts";
import type { FilterContext } from "../engine/filter-context.ts";
import { Rejection } from "../engine/rejection.ts";
import type { PixelDecoder } from "./external-codec.ts";
import { type FrameScan, type FrameShape, lengthOfPieces, type Piece } from "./frame-scan.ts";
import { scanJpegFrame } from "./jpeg-frame.ts";
import { scanJpeg2000Frame } from "./jpeg2000-frame.ts";
import type { PixelLayout } from "./pixel-layout.ts";
import { scanRleFrame } from "./rle-frame.ts";

const PIXEL_DATA = tagOf(0x7fe00010);
const EXTENDED_OFFSET_TABLE = tagOf(0x7fe00001);
const EXTENDED_OFFSET_TABLE_LENGTHS = tagOf(0x7fe00002);
/** A compressed frame larger than this is not read to be inspected: the instance is rejected. */
const FRAME_LIMIT_BYTES = 64 * 2 ** 20;
const LARGEST_BASIC_OFFSET = 0xffffffff;
const ITEM_HEADER_BYTES = 8;

/** What of the filter's knowledge pixel data needs. */
export interface PixelContext extends Pick<FilterContext, "source" | "bigEndian" | "tally" | "signal"> {
  /** The site's codecs; undefined: it has none. */
  readonly decoder: PixelDecoder | undefined;
}

type FrameScanner = (frame: Uint8Array, layout: PixelLayout) => FrameScan;

/** Compressed syntaxes whose frames can be gone through. PS3.5 A.4, PS3.6 A-1. */
const SCANNERS: readonly (readonly [RegExp, FrameScanner])[] = [
  [/^1\.2\.840\.10008\.1\.2\.4\.(?:5[0-9]|6[0-6]|70|80|81)$/, (frame) => scanJpegFrame(frame)],
  [/^1\.2\.840\.10008\.1\.2\.4\.(?:90|91|92|93|201|202|203)$/, (frame) => scanJpeg2000Frame(frame)],
  [/^1\.2\.840\.10008\.1\.2\.5$/, scanRleFrame],
];

export interface Encapsulated {
  readonly fragments: readonly ByteRange[];
  readonly layout: PixelLayout;
  readonly transferSyntaxUid: string;
  readonly jpegMetadata: "strip" | "reject";
  /** The source tells the offsets of its frames in 64 bits. PS3.3 C.7.6.3.1.8. */
  readonly hasExtendedOffsets: boolean;
}

/**
 * Compressed pixel data without what is no part of its images, and with offsets of its own. What stays is copied, not decoded.
 * @throws Rejection COMPRESSED_PIXEL_METADATA, PIXEL_DATA_INCONSISTENT
 */
export async function encapsulatedElements(source: Encapsulated, context: PixelContext): Promise<[Tag, DataElement][]> {
  const { layout, transferSyntaxUid } = source;
  const scan = scannerOf(transferSyntaxUid);
  if (scan === undefined) throw new Rejection("COMPRESSED_PIXEL_METADATA", "unknown-codec");
  const frames: (readonly ByteRange[])[] = [];
  const readFrame = createFrameReader(context);
  for (const fragments of await framesOf(source.fragments, layout.frames, context)) {
    context.signal.throwIfAborted();
    const result = scan(await readFrame(fragments), layout);
    if (result.kind === "unreadable") throw new Rejection("COMPRESSED_PIXEL_METADATA", result.finding);
    requireShape(result.shape, layout);
    const [finding] = result.removed;
    if (finding !== undefined) {
      if (source.jpegMetadata === "reject") throw new Rejection("COMPRESSED_PIXEL_METADATA", finding);
      context.tally.note(`pixel-${finding}-removed`);
    }
    frames.push(cutFrame(fragments, result.pieces, context));
  }
  context.tally.action(PIXEL_DATA, "kept");
  return compressedElements(frames, source.hasExtendedOffsets, context);
}

/**
 * That compressed frames a decoder is given are of the image's size by their own headers: of another width and height it might put as many
 * samples elsewhere. What cannot be read is left to the decoder to refuse.
 * @throws Rejection PIXEL_DATA_INCONSISTENT
 */
export async function requireShapes(
  frames: readonly (readonly ByteRange[])[],
  { layout, transferSyntaxUid }: Pick<Encapsulated, "layout" | "transferSyntaxUid">,
  context: PixelContext,
): Promise<void> {
  const scan = scannerOf(transferSyntaxUid);
  if (scan === undefined) return;
  const readFrame = createFrameReader(context);
  for (const fragments of frames) {
    context.signal.throwIfAborted();
    const result = scan(await readFrame(fragments), layout);
    if (result.kind === "readable") requireShape(result.shape, layout);
  }
}

function scannerOf(transferSyntaxUid: string): FrameScanner | undefined {
  return SCANNERS.find(([pattern]) => pattern.test(transferSyntaxUid))?.[1];
}

/**
 * What a frame has beyond rows, columns and samples no viewer shows, and no mask reaches. Encoders write fewer bits than are stored where
 * the image needs no more, or all that are allocated: but for more than these, bits are no reason. PS3.5 8.2.
 */
function requireShape(shape: FrameShape | undefined, layout: PixelLayout): void {
  if (shape === undefined) return;
  const isSameSize = shape.rows === layout.rows && shape.columns === layout.columns;
  if (!isSameSize || shape.samplesPerPixel !== layout.samplesPerPixel || shape.bits > layout.bitsAllocated)
    throw new Rejection("PIXEL_DATA_INCONSISTENT", "frame-header");
}

/** One fragment a frame, or every fragment of the only frame, or as the frames' first bytes say. PS3.5 A.4. */
export async function framesOf(
  fragments: readonly ByteRange[],
  frameCount: number,
  context: Pick<PixelContext, "source">,
): Promise<readonly (readonly ByteRange[])[]> {
  if (fragments.length === frameCount) return fragments.map((fragment) => [fragment]);
  if (frameCount === 1) return [fragments];
  const frames: ByteRange[][] = [];
  for (const fragment of fragments) {
    const head = await context.source.read(fragment.offset, Math.min(2, fragment.length));
    const isStart = head[0] === 0xff && (head[1] === 0xd8 || head[1] === 0x4f);
    const last = frames.at(-1);
    if (isStart || last === undefined) frames.push([fragment]);
    else last.push(fragment);
  }
  if (frames.length !== frameCount) throw new Rejection("PIXEL_DATA_INCONSISTENT", "frame-count");
  return frames;
}

/** Reads one frame after the other into the same memory: thousands of them would be garbage faster than it is collected. */
function createFrameReader({ source }: PixelContext): (fragments: readonly ByteRange[]) => Promise<Uint8Array> {
  let memory = Buffer.alloc(0);
  return async (fragments) => {
    const length = lengthOf(fragments);
    if (length > FRAME_LIMIT_BYTES) throw new Rejection("COMPRESSED_PIXEL_METADATA", "frame-too-large");
    if (memory.length < length) memory = Buffer.allocUnsafeSlow(length);
    let end = 0;
    for (const fragment of fragments)
      end += await source.readInto(memory.subarray(end, end + fragment.length), fragment.offset);
    return memory.subarray(0, end);
  };
}

function lengthOf(fragments: readonly ByteRange[]): number {
  return fragments.reduce((sum, { length }) => sum + length, 0);
}

/** The frame's fragments as they are where all of them stays, else a fragment of the pieces, padded with zero to even length. PS3.5 A.4. */
function cutFrame(
  fragments: readonly ByteRange[],
  pieces: readonly Piece[],
  context: PixelContext,
): readonly ByteRange[] {
  const keptBytes = lengthOfPieces(pieces);
  const isWhole = pieces.length === 1 && keptBytes === lengthOf(fragments);
  if (isWhole && fragments.every(({ length }) => length % 2 === 0)) return fragments;
  const padded = keptBytes % 2 === 0 ? pieces : [...pieces, new Uint8Array(1)];
  const parts = padded.flatMap((piece): readonly Part[] =>
    // A copy: the next frame is read into the same memory.
    "from" in piece ? rangesWithin(fragments, piece.from, piece.to) : [Uint8Array.from(piece)],
  );
  return [appendParts(parts, context)];
}

type Part = ByteRange | Uint8Array;

/** Where bytes `from` to `to` of fragments laid end to end are. */
function rangesWithin(fragments: readonly ByteRange[], from: number, to: number): readonly ByteRange[] {
  let start = 0;
  return fragments.flatMap(({ offset, length }) => {
    const first = Math.max(from - start, 0);
    const last = Math.min(to - start, length);
    start += length;
    return first < last ? [{ offset: offset + first, length: last - first }] : [];
  });
}

function appendParts(parts: readonly Part[], { source }: PixelContext): ByteRange {
  const total = parts.reduce((sum, { length }) => sum + length, 0);
  return source.appendComputed(total, async (offset, length) => {
    const bytes = new Uint8Array(length);
    let start = 0;
    for (const part of parts) {
      const first = Math.max(offset, start);
      const last = Math.min(offset + length, start + part.length);
      if (first < last) bytes.set(await readPart(part, first - start, last - first, source), first - offset);
      start += part.length;
    }
    return bytes;
  });
}

function readPart(part: Part, offset: number, length: number, source: ByteSource): Promise<Uint8Array> | Uint8Array {
  return "offset" in part ? source.read(part.offset + offset, length) : part.subarray(offset, offset + length);
}

/** Offsets of the frames' first items from the first fragment's item tag: of 32 bits, or of 64 where they do not fit or the source had them so. */
export function compressedElements(
  frames: readonly (readonly ByteRange[])[],
  wantsExtendedOffsets: boolean,
  { source }: Pick<PixelContext, "source">,
): [Tag, DataElement][] {
  const offsets: number[] = [];
  let end = 0;
  for (const frame of frames) {
    offsets.push(end);
    for (const { length } of frame) end += ITEM_HEADER_BYTES + evenLength(length);
  }
  const fits = (offsets.at(-1) ?? 0) <= LARGEST_BASIC_OFFSET;
  // The extended table speaks of frames of one fragment. PS3.3 C.7.6.3.1.8.
  const isExtended = (wantsExtendedOffsets || !fits) && frames.every((frame) => frame.length === 1);
  const basic = isExtended || !fits ? new Uint8Array() : littleEndian(offsets, 4);
  const pixelData: DataElement = {
    tag: PIXEL_DATA,
    vr: "OB",
    value: { kind: "fragments", fragments: [source.append(basic), ...frames.flat()] },
    undefinedLength: true,
  };
  if (!isExtended) return [[PIXEL_DATA, pixelData]];
  const lengths = frames.map((frame) => frame.reduce((sum, { length }) => sum + evenLength(length), 0));
  return [
    [EXTENDED_OFFSET_TABLE, wordsElement(EXTENDED_OFFSET_TABLE, offsets)],
    [EXTENDED_OFFSET_TABLE_LENGTHS, wordsElement(EXTENDED_OFFSET_TABLE_LENGTHS, lengths)],
    [PIXEL_DATA, pixelData],
  ];
}

function evenLength(length: number): number {
  return length + (length % 2);
}

function wordsElement(tag: Tag, values: readonly number[]): DataElement {
  return { tag, vr: "OV", value: { kind: "bytes", bytes: littleEndian(values, 8) }, undefinedLength: false };
}

function littleEndian(values: readonly number[], sizeBytes: 4 | 8): Uint8Array {
  const bytes = Buffer.alloc(sizeBytes * values.length);
  for (const [index, value] of values.entries()) {
    if (sizeBytes === 4) bytes.writeUInt32LE(value, 4 * index);
    else bytes.writeBigUInt64LE(BigInt(value), 8 * index);
  }
  return bytes;
}
