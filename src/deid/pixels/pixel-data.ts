import type { ByteRange, DataElement, DataSet } from "../../dicom/data-set.ts";
import { type Tag, tagOf } from "../../dicom/tag.ts";
import { Rejection } from "../engine/rejection.ts";
import { blackSamples } from "./black.ts";
import {
  compressedElements,
  type Encapsulated,
  encapsulatedElements,
  framesOf,
  type PixelContext,
  requireShapes,
} from "./encapsulated.ts";
import { blacken, planMask } from "./mask-pixels.ts";
import { isMaskable } from "./masks.ts";
import { nativeSizeBytes, type PixelLayout, pixelLayoutOf } from "./pixel-layout.ts";
import type { PixelTreatment } from "./pixel-policy.ts";
import type { Rectangle } from "./pixel-settings.ts";
import { createRleReader } from "./rle-decode.ts";
import { unusedBitClearer } from "./unused-bits.ts";

const PIXEL_DATA = tagOf(0x7fe00010);
const EXTENDED_OFFSET_TABLE = tagOf(0x7fe00001);
/** Float and Double Float Pixel Data with the bytes of a value. PS3.3 C.7.6.24, C.7.6.25. */
const FLOAT_PIXEL_DATA: readonly (readonly [Tag, number])[] = [
  [tagOf(0x7fe00008), 4],
  [tagOf(0x7fe00009), 8],
];
const RLE_LOSSLESS = "1.2.840.10008.1.2.5";
const MAXIMUM_PADDING_BYTES = 1;
/** The longest even length that is told in 32 bits. PS3.5 7.1. */
const MOST_NATIVE_BYTES = 0xfffffffe;

/** What was blackened, as whoever checks the output must know it. */
export interface AppliedMask {
  readonly layout: PixelLayout;
  readonly rectangles: readonly Rectangle[];
  /** The stored word of each sample. */
  readonly black: readonly number[];
}

export interface OutputPixels {
  readonly elements: readonly (readonly [Tag, DataElement])[];
  readonly mask: AppliedMask | undefined;
  /** How a codec of the site's arranged the samples; undefined: none was asked. */
  readonly decodedLayout: PixelLayout | undefined;
}

const UNMASKED = { mask: undefined, decodedLayout: undefined } as const;

/**
 * The pixel data that may leave: uncompressed cut to the length its layout asks for, masked where it must be; compressed copied without
 * what is no part of its images. Nothing of uncompressed data is read here: it is worked on while it is written.
 * @throws Rejection PIXEL_DATA_INCONSISTENT, COMPRESSED_PIXEL_METADATA, PIXEL_MASK_NOT_APPLICABLE
 */
export async function pixelElements(
  dataSet: DataSet,
  transferSyntaxUid: string,
  treatment: PixelTreatment,
  context: PixelContext,
): Promise<OutputPixels> {
  const floats = FLOAT_PIXEL_DATA.filter(([tag]) => dataSet.has(tag));
  const element = dataSet.get(PIXEL_DATA);
  if (element === undefined && floats.length === 0) {
    if (treatment.mask !== undefined) throw new Rejection("PIXEL_MASK_NOT_APPLICABLE", "mask-layout");
    return { ...UNMASKED, elements: [] };
  }
  if (floats.length + (element === undefined ? 0 : 1) > 1)
    throw new Rejection("PIXEL_DATA_INCONSISTENT", "pixel-data-twice");
  const layout = pixelLayoutOf(dataSet, context.bigEndian);
  if (layout === undefined) throw new Rejection("PIXEL_DATA_INCONSISTENT", "layout-missing");
  if (element === undefined)
    return { ...UNMASKED, elements: floatElements(dataSet, floats, layout, treatment, context) };
  if (element.value.kind !== "fragments") {
    const range = nativeRange(element, layout.bitsAllocated, layout, context);
    return changedPixels({ range, layout, isWords: element.vr === "OW" }, dataSet, treatment, context);
  }
  const fragments = element.value.fragments.slice(1);
  const hasExtendedOffsets = dataSet.has(EXTENDED_OFFSET_TABLE);
  if (!mustBeDecoded(transferSyntaxUid, layout, treatment)) {
    const { jpegMetadata } = treatment;
    const compressed = { fragments, layout, transferSyntaxUid, jpegMetadata, hasExtendedOffsets };
    return { ...UNMASKED, elements: await encapsulatedElements(compressed, context) };
  }
  // What no length can be told of is not made: compressed, it may be a small part of that.
  if (nativeSizeBytes({ ...layout, photometricInterpretation: "" }) > MOST_NATIVE_BYTES)
    throw new Rejection("PIXEL_DATA_INCONSISTENT", "pixel-data-long");
  if (transferSyntaxUid === RLE_LOSSLESS) {
    const range = await decodedRange(fragments, layout, context);
    return changedPixels({ range, layout, isWords: element.vr === "OW" }, dataSet, treatment, context);
  }
  const decoded = await decodedByCodec({ fragments, layout, transferSyntaxUid, hasExtendedOffsets }, context);
  const changed = await changedPixels({ ...decoded, isWords: false }, dataSet, treatment, context);
  return { ...changed, decodedLayout: decoded.layout };
}

interface NativePixels {
  readonly range: ByteRange;
  readonly layout: PixelLayout;
  /** Samples are words even where a byte would hold them. */
  readonly isWords: boolean;
}

async function changedPixels(
  { range, layout, isWords }: NativePixels,
  dataSet: DataSet,
  treatment: PixelTreatment,
  context: PixelContext,
): Promise<OutputPixels> {
  const mask = await appliedMask(dataSet, layout, treatment, context);
  const changed = changedRange(range, layout, treatment, mask, context);
  context.tally.action(PIXEL_DATA, mask === undefined ? "kept" : "cleaned");
  // Above 8 bits per sample, and wherever the source says so, samples are words. PS3.5 8.1.1, A.2.
  const vr = isWords || layout.bitsAllocated > 8 ? "OW" : "OB";
  return { ...UNMASKED, elements: [[PIXEL_DATA, nativeElement(PIXEL_DATA, vr, changed, context)]], mask };
}

/** For a mask, and to clear bits of words: RLE keeps all of them. */
function mustBeDecoded(
  transferSyntaxUid: string,
  layout: PixelLayout,
  { mask, clearHighBits }: PixelTreatment,
): boolean {
  if (mask !== undefined) return true;
  return clearHighBits && transferSyntaxUid === RLE_LOSSLESS && unusedBitClearer(layout) !== undefined;
}

/** What the site's codec makes of compressed pixel data: read from its output while ours is written. */
async function decodedByCodec(
  pixels: Pick<Encapsulated, "fragments" | "layout" | "transferSyntaxUid" | "hasExtendedOffsets">,
  context: PixelContext,
): Promise<{ readonly range: ByteRange; readonly layout: PixelLayout }> {
  const { decoder, source, tally, signal } = context;
  const { transferSyntaxUid, layout } = pixels;
  if (decoder === undefined) throw new Rejection("PIXEL_MASK_NOT_APPLICABLE", "mask-needs-codec");
  const frames = await framesOf(pixels.fragments, layout.frames, context);
  await requireShapes(frames, pixels, context);
  const elements = compressedElements(frames, pixels.hasExtendedOffsets, context).map(([, element]) => element);
  const decoded = await decoder.decode({ transferSyntaxUid, layout, elements, source }, signal);
  if (!isMaskable(decoded.layout)) throw new Rejection("PIXEL_MASK_NOT_APPLICABLE", "mask-layout");
  tally.note("pixels-decoded-by-codec");
  const { range } = decoded;
  const read = (offset: number, length: number): Promise<Uint8Array> =>
    decoded.source.read(range.offset + offset, length);
  return { range: source.appendComputed(range.length, read), layout: decoded.layout };
}

async function appliedMask(
  dataSet: DataSet,
  layout: PixelLayout,
  { mask }: PixelTreatment,
  context: PixelContext,
): Promise<AppliedMask | undefined> {
  if (mask === undefined) return undefined;
  const black = await blackSamples(dataSet, layout, context);
  if (black === undefined) throw new Rejection("PIXEL_MASK_NOT_APPLICABLE", "mask-photometric-interpretation");
  return { layout, rectangles: mask.rectangles, black };
}

function floatElements(
  dataSet: DataSet,
  floats: readonly (readonly [Tag, number])[],
  layout: PixelLayout,
  treatment: PixelTreatment,
  context: PixelContext,
): [Tag, DataElement][] {
  if (treatment.mask !== undefined) throw new Rejection("PIXEL_MASK_NOT_APPLICABLE", "mask-layout");
  return floats.flatMap(([tag, sizeBytes]): [Tag, DataElement][] => {
    const element = dataSet.get(tag);
    if (element === undefined) return [];
    context.tally.action(tag, "kept");
    const range = nativeRange(element, sizeBytes * 8, layout, context);
    return [[tag, nativeElement(tag, element.vr, range, context)]];
  });
}

/** Exactly the bytes the layout asks for, in little endian order. */
function nativeRange(
  element: DataElement,
  bitsAllocated: number,
  layout: PixelLayout,
  context: PixelContext,
): ByteRange {
  const range = wholeRange(element, context);
  if (range === undefined) throw new Rejection("PIXEL_DATA_INCONSISTENT", "pixel-data-form");
  const sizeBytes = nativeSizeBytes({ ...layout, bitsAllocated });
  if (range.length < sizeBytes) throw new Rejection("PIXEL_DATA_INCONSISTENT", "pixel-data-short");
  if (range.length > sizeBytes + MAXIMUM_PADDING_BYTES) context.tally.note("surplus-pixel-bytes");
  const isFloat = element.tag !== PIXEL_DATA;
  const wordBytes = isFloat ? bitsAllocated / 8 : element.vr === "OB" ? 1 : 2;
  const isSwapped = context.bigEndian && wordBytes > 1 && element.vr !== "UN";
  const ordered = isSwapped ? context.source.appendSwapped(range, wordBytes) : range;
  return { offset: ordered.offset, length: sizeBytes };
}

function wholeRange(element: DataElement, context: PixelContext): ByteRange | undefined {
  if (element.value.kind === "range") return element.value.range;
  return element.value.kind === "bytes" ? context.source.append(element.value.bytes) : undefined;
}

/** What RLE decodes to, decoded line by line while it is read. */
async function decodedRange(
  fragments: readonly ByteRange[],
  layout: PixelLayout,
  context: PixelContext,
): Promise<ByteRange> {
  const frames = await framesOf(fragments, layout.frames, context);
  const only = frames.flatMap((frame) => (frame.length === 1 ? frame : []));
  const isShared = layout.photometricInterpretation.endsWith("_422");
  if (only.length !== layout.frames || isShared) throw new Rejection("PIXEL_DATA_INCONSISTENT", "rle-frames");
  const reader = createRleReader(only, layout, context.source);
  if (reader.sizeBytes !== nativeSizeBytes(layout)) throw new Rejection("PIXEL_DATA_INCONSISTENT", "rle-frames");
  return context.source.appendComputed(reader.sizeBytes, reader.read);
}

/** The range with unused bits cleared and rectangles blackened, as it is read: never more than what is asked for, rounded up to whole words. */
function changedRange(
  range: ByteRange,
  layout: PixelLayout,
  treatment: PixelTreatment,
  mask: AppliedMask | undefined,
  { source, tally }: PixelContext,
): ByteRange {
  const clear = treatment.clearHighBits ? unusedBitClearer(layout) : undefined;
  if (clear !== undefined) tally.note("unused-bits-cleared");
  if (clear === undefined && mask === undefined) return range;
  const plan = mask === undefined ? undefined : planMask(layout, mask.rectangles, mask.black);
  const wordBytes = clear === undefined ? 1 : layout.bitsAllocated / 8;
  return source.appendComputed(range.length, async (offset, length) => {
    const first = offset - (offset % wordBytes);
    const last = Math.min(range.length, Math.ceil((offset + length) / wordBytes) * wordBytes);
    const read = await source.read(range.offset + first, last - first);
    const bytes = clear === undefined ? Uint8Array.from(read) : clear(read);
    if (plan !== undefined) blacken(bytes, first, plan);
    return bytes.subarray(offset - first, offset - first + length);
  });
}

function nativeElement(tag: Tag, vr: DataElement["vr"], range: ByteRange, context: PixelContext): DataElement {
  const even = range.length % 2 === 0 ? range : context.source.appendPadded(range);
  return { tag, vr, value: { kind: "range", range: even }, undefinedLength: false };
}
