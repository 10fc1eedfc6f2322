import type { ByteRange, DataElement, DataSet, ElementValue } from "../../dicom/data-set.ts";
import { type Tag, tagOf } from "../../dicom/tag.ts";
import type { FilterContext } from "../engine/filter-context.ts";
import { Rejection } from "../engine/rejection.ts";
import { type FrameFinding, inspectJpeg2000Frame, inspectJpegFrame } from "./jpeg-markers.ts";
import { nativeSizeBytes, type PixelLayout, pixelLayoutOf } from "./pixel-layout.ts";
import { inspectRleFrame } from "./rle-frame.ts";

const PIXEL_DATA = tagOf(0x7fe00010);
/** Float and Double Float Pixel Data with the bytes of a value. PS3.3 C.7.6.24, C.7.6.25. */
const FLOAT_PIXEL_DATA: readonly (readonly [Tag, number])[] = [
  [tagOf(0x7fe00008), 4],
  [tagOf(0x7fe00009), 8],
];
/** A compressed frame larger than this is not read to be inspected: the instance is rejected. */
const FRAME_LIMIT_BYTES = 512 * 2 ** 20;
const MAXIMUM_PADDING_BYTES = 1;

type FrameInspector = (frame: Uint8Array, layout: PixelLayout) => FrameFinding;

/** Compressed syntaxes whose frames can be inspected. PS3.5 A.4, PS3.6 A-1. */
const INSPECTORS: readonly (readonly [RegExp, FrameInspector])[] = [
  [/^1\.2\.840\.10008\.1\.2\.4\.(?:5[0-9]|6[0-6]|70|80|81)$/, (frame) => inspectJpegFrame(frame)],
  [/^1\.2\.840\.10008\.1\.2\.4\.(?:90|91|92|93|201|202|203)$/, (frame) => inspectJpeg2000Frame(frame)],
  [/^1\.2\.840\.10008\.1\.2\.5$/, (frame, layout) => inspectRleFrame(frame, layout.rows * layout.columns)],
];

/**
 * The pixel data that may leave: uncompressed cut to the length its layout asks for, compressed copied fragment by fragment after
 * every frame was inspected. Nothing of uncompressed data is read here.
 * @throws Rejection PIXEL_DATA_INCONSISTENT, COMPRESSED_PIXEL_METADATA
 */
export async function pixelElements(
  dataSet: DataSet,
  transferSyntaxUid: string,
  context: FilterContext,
): Promise<[Tag, DataElement][]> {
  const kept: [Tag, DataElement][] = [];
  for (const [tag, sizeBytes] of FLOAT_PIXEL_DATA) {
    const element = dataSet.get(tag);
    if (element !== undefined)
      kept.push([tag, nativeElement(element, dataSet, { wordBytes: sizeBytes, valueBytes: sizeBytes }, context)]);
  }
  const element = dataSet.get(PIXEL_DATA);
  if (element === undefined) return kept;
  if (element.value.kind === "fragments") {
    kept.push([PIXEL_DATA, await encapsulatedElement(element, dataSet, transferSyntaxUid, context)]);
  } else {
    kept.push([
      PIXEL_DATA,
      nativeElement(element, dataSet, { wordBytes: element.vr === "OB" ? 1 : 2, valueBytes: undefined }, context),
    ]);
  }
  return kept;
}

function nativeElement(
  element: DataElement,
  dataSet: DataSet,
  words: { readonly wordBytes: number; readonly valueBytes: number | undefined },
  context: FilterContext,
): DataElement {
  const range = wholeRange(element, context);
  const layout = pixelLayoutOf(dataSet, context.bigEndian);
  if (range === undefined) throw new Rejection("PIXEL_DATA_INCONSISTENT", "pixel-data-form");
  if (layout === undefined) throw new Rejection("PIXEL_DATA_INCONSISTENT", "layout-missing");
  const bitsAllocated = words.valueBytes === undefined ? layout.bitsAllocated : words.valueBytes * 8;
  const sizeBytes = nativeSizeBytes({ ...layout, bitsAllocated });
  if (range.length < sizeBytes) throw new Rejection("PIXEL_DATA_INCONSISTENT", "pixel-data-short");
  if (range.length > sizeBytes + MAXIMUM_PADDING_BYTES) context.tally.note("surplus-pixel-bytes");
  context.tally.action(element.tag, "kept");
  const swapped = context.bigEndian && words.wordBytes > 1 && element.vr !== "UN";
  const ordered = swapped ? context.source.appendSwapped(range, words.wordBytes) : range;
  // Above 8 bits per sample, and wherever the source says so, samples are words. PS3.5 8.1.1, A.2.
  const isWords = element.vr === "OW" || bitsAllocated > 8;
  const vr = words.valueBytes === undefined ? (isWords ? "OW" : "OB") : element.vr;
  const exact = { offset: ordered.offset, length: sizeBytes };
  const even = sizeBytes % 2 === 0 ? exact : context.source.appendPadded(exact);
  return { tag: element.tag, vr, value: { kind: "range", range: even }, undefinedLength: false };
}

function wholeRange(element: DataElement, context: FilterContext): ByteRange | undefined {
  if (element.value.kind === "range") return element.value.range;
  return element.value.kind === "bytes" ? context.source.append(element.value.bytes) : undefined;
}

async function encapsulatedElement(
  element: DataElement,
  dataSet: DataSet,
  transferSyntaxUid: string,
  context: FilterContext,
): Promise<DataElement> {
  const inspect = INSPECTORS.find(([pattern]) => pattern.test(transferSyntaxUid))?.[1];
  if (inspect === undefined) throw new Rejection("COMPRESSED_PIXEL_METADATA", "unknown-codec");
  const layout = pixelLayoutOf(dataSet, context.bigEndian);
  if (layout === undefined) throw new Rejection("PIXEL_DATA_INCONSISTENT", "layout-missing");
  if (element.value.kind !== "fragments") throw new Rejection("PIXEL_DATA_INCONSISTENT", "pixel-data-form");
  const fragments = element.value.fragments.slice(1);
  const frames = await framesOf(fragments, layout.frames, context);
  for (const frame of frames) {
    context.signal.throwIfAborted();
    const finding = inspect(await readFrame(frame, context), layout);
    if (finding !== undefined) throw new Rejection("COMPRESSED_PIXEL_METADATA", finding);
  }
  context.tally.action(element.tag, "kept");
  const offsets = context.source.append(basicOffsetTable(frames));
  const value: ElementValue = { kind: "fragments", fragments: [offsets, ...fragments] };
  return { tag: element.tag, vr: "OB", value, undefinedLength: true };
}

/** One fragment a frame, or every fragment of the only frame, or as the frames' first bytes say. PS3.5 A.4. */
async function framesOf(
  fragments: readonly ByteRange[],
  frameCount: number,
  context: FilterContext,
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

async function readFrame(frame: readonly ByteRange[], context: FilterContext): Promise<Uint8Array> {
  const length = frame.reduce((sum, fragment) => sum + fragment.length, 0);
  if (length > FRAME_LIMIT_BYTES) throw new Rejection("COMPRESSED_PIXEL_METADATA", "frame-too-large");
  const parts: Uint8Array[] = [];
  for (const fragment of frame) parts.push(await context.source.read(fragment.offset, fragment.length));
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
}

/** Offsets of the frames' first items from the first fragment's item tag; empty when they do not fit 32 bits. PS3.5 A.4. */
function basicOffsetTable(frames: readonly (readonly ByteRange[])[]): Uint8Array {
  const table = Buffer.alloc(4 * frames.length);
  let offset = 0;
  for (const [index, frame] of frames.entries()) {
    if (offset > 0xffffffff) return new Uint8Array();
    table.writeUInt32LE(offset, 4 * index);
    for (const fragment of frame) offset += 8 + fragment.length + (fragment.length % 2);
  }
  return table;
}
