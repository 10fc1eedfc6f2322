import type { Part10File } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { encodeGreyPng } from "../../units/png.ts";
import { Rejection } from "../engine/rejection.ts";
import { hasSoundBits, nativeSizeBytes, type PixelLayout, pixelLayoutOf } from "./pixel-layout.ts";
import { createRleReader } from "./rle-decode.ts";

/** Why an object has no thumbnail. */
export type ThumbnailProblem = "no-pixels" | "compressed" | "layout";

const RLE_LOSSLESS = "1.2.840.10008.1.2.5";
/** Pixels of the longer side, at most. */
const LONGEST_SIDE = 128;
/** Lines that are looked at for each of the thumbnail's, at most: of a large image the others would tell little more, and take long. */
const LINES_AVERAGED = 4;
/** Where more lines are passed over than this, each is read for itself. */
const LARGEST_GAP_LINES = 4;
const BLOCK_BYTES = 256 * 1024;
const READABLE_BITS: ReadonlySet<number> = new Set([1, 8, 16, 32]);
/** ITU-R BT.601: what of red, green and blue is luminance. */
const LUMINANCE = [0.299, 0.587, 0.114] as const;

type ReadAhead = (offset: number, length: number) => Promise<Uint8Array>;
/** A promise for what has to be fetched first. */
type ReadBytes = (offset: number, length: number) => Uint8Array | Promise<Uint8Array>;

/**
 * The first frame of a de-identified object, small and grey, from its darkest to its lightest, as PNG. Of an original it would show what a
 * mask is there to hide: it is made of outputs alone. Indices of a palette are taken for shades.
 */
export async function thumbnailOf(output: Part10File): Promise<Buffer | ThumbnailProblem> {
  const { value } = output.dataSet.get(tags.PixelData) ?? {};
  if (value === undefined) return "no-pixels";
  const layout = pixelLayoutOf(output.dataSet, false);
  if (layout === undefined || !isReadable(layout)) return "layout";
  const read = readerOf(output, layout);
  if (read === undefined) return "compressed";
  try {
    const { width, height, shades } = await shrunk(layout, read);
    return encodeGreyPng(width, height, stretched(shades, layout.photometricInterpretation === "MONOCHROME1"));
  } catch (thrown) {
    if (thrown instanceof Rejection) return "layout";
    throw thrown;
  }
}

function isReadable(layout: PixelLayout): boolean {
  const { bitsAllocated, samplesPerPixel, columns, photometricInterpretation } = layout;
  if (!READABLE_BITS.has(bitsAllocated) || !hasSoundBits(layout) || (bitsAllocated === 1 && columns % 8 !== 0))
    return false;
  if (photometricInterpretation.endsWith("_422")) return false;
  return samplesPerPixel === 1 || (samplesPerPixel === 3 && bitsAllocated > 1);
}

/** Of native pixel data in little endian order, as every output has it; undefined: compressed otherwise than by RLE. */
function readerOf({ dataSet, source, transferSyntaxUid }: Part10File, layout: PixelLayout): ReadBytes | undefined {
  const { value } = dataSet.get(tags.PixelData) ?? {};
  if (value?.kind === "range") {
    const read: ReadAhead = (offset, length) => source.read(value.range.offset + offset, length);
    return isReadInBlocks(layout) ? inBlocks(read, Math.min(value.range.length, frameBytes(layout))) : read;
  }
  if (value?.kind === "bytes") return (offset, length) => value.bytes.subarray(offset, offset + length);
  const frames = value?.kind === "fragments" ? value.fragments.slice(1) : [];
  if (transferSyntaxUid !== RLE_LOSSLESS || frames.length !== layout.frames) return undefined;
  const { read, sizeBytes } = createRleReader(frames, layout, source);
  return sizeBytes === nativeSizeBytes(layout) ? read : undefined;
}

/** Most of what is between the lines that are looked at is read with them: a question for each line costs more. */
function isReadInBlocks(layout: PixelLayout): boolean {
  const isOneStretch = layout.samplesPerPixel === 1 || layout.planarConfiguration !== 1;
  return isOneStretch && linesPerLook(layout) <= LARGEST_GAP_LINES;
}

function frameBytes(layout: PixelLayout): number {
  return nativeSizeBytes({ ...layout, frames: 1 });
}

/** Reads ahead, for who goes from front to back: what is at hand is answered at once. */
function inBlocks(read: ReadAhead, sizeBytes: number): ReadBytes {
  let start = 0;
  let block: Uint8Array = new Uint8Array();
  const part = (offset: number, length: number): Uint8Array => block.subarray(offset - start, offset - start + length);
  return (offset, length) => {
    if (offset >= start && offset + length <= start + block.length) return part(offset, length);
    const ahead = Math.min(Math.max(length, BLOCK_BYTES), Math.max(length, sizeBytes - offset));
    return read(offset, ahead).then((bytes) => {
      [start, block] = [offset, bytes];
      return part(offset, length);
    });
  };
}

function shrinkFactor({ rows, columns }: PixelLayout): number {
  return Math.max(1, Math.max(rows, columns) / LONGEST_SIDE);
}

/** Of so many lines one is looked at. */
function linesPerLook(layout: PixelLayout): number {
  return Math.max(1, Math.floor(shrinkFactor(layout) / LINES_AVERAGED));
}

interface Shrunk {
  readonly width: number;
  readonly height: number;
  /** Averages, row by row. */
  readonly shades: Float64Array;
}

/** Each pixel of the thumbnail is the average of those it stands for, or of some of their lines. A line, or a block of them, is in memory at a time. */
async function shrunk(layout: PixelLayout, read: ReadBytes): Promise<Shrunk> {
  const { rows, columns } = layout;
  const factor = shrinkFactor(layout);
  const [width, height] = [columns, rows].map((side) => Math.max(1, Math.floor(side / factor)));
  if (width === undefined || height === undefined) throw new RangeError("no size");
  const shades = new Float64Array(width * height);
  const counts = new Uint32Array(width * height);
  const step = linesPerLook(layout);
  const places = placesOf(columns, width);
  for (let row = 0; row < rows; row += step) {
    const told = luminanceOf(layout, row, read);
    // Most lines are at hand: to wait for each of them takes longer than to add it up.
    const line = told instanceof Promise ? await told : told;
    const top = Math.min(height - 1, Math.floor((row * height) / rows)) * width;
    for (let column = 0; column < columns; column += 1) {
      const at = top + (places[column] ?? 0);
      shades[at] = (shades[at] ?? 0) + (line[column] ?? 0);
      counts[at] = (counts[at] ?? 0) + 1;
    }
  }
  for (let at = 0; at < shades.length; at += 1) shades[at] = (shades[at] ?? 0) / (counts[at] ?? 1);
  return { width, height, shades };
}

/** The pixel of a line of the thumbnail that each column goes to. */
function placesOf(columns: number, width: number): Uint32Array {
  const places = new Uint32Array(columns);
  for (let column = 0; column < columns; column += 1)
    places[column] = Math.min(width - 1, Math.floor((column * width) / columns));
  return places;
}

function luminanceOf(layout: PixelLayout, row: number, read: ReadBytes): Float64Array | Promise<Float64Array> {
  const { columns, samplesPerPixel: samples, bitsAllocated } = layout;
  if (samples > 1) return luminanceOfColours(layout, row, read);
  const lineBytes = (columns * bitsAllocated) / 8;
  const line = read(row * lineBytes, lineBytes);
  return line instanceof Promise ? line.then((bytes) => samplesOf(bytes, layout)) : samplesOf(line, layout);
}

async function luminanceOfColours(layout: PixelLayout, row: number, read: ReadBytes): Promise<Float64Array> {
  const { rows, columns, samplesPerPixel: samples, bitsAllocated, planarConfiguration } = layout;
  const lineBytes = (columns * bitsAllocated) / 8;
  const isPlanar = planarConfiguration === 1;
  const planes = isPlanar ? [0, 1, 2] : [0];
  const parts = await Promise.all(
    planes.map(async (plane) =>
      isPlanar
        ? samplesOf(await read((plane * rows + row) * lineBytes, lineBytes), layout)
        : samplesOf(await read(row * lineBytes * samples, lineBytes * samples), layout),
    ),
  );
  const sampleAt = (column: number, sample: number): number =>
    (isPlanar ? parts[sample]?.[column] : parts[0]?.[column * samples + sample]) ?? 0;
  // Of the other models with three samples the first is luminance. PS3.3 C.7.6.3.1.2.
  const weights = layout.photometricInterpretation === "RGB" ? LUMINANCE : [1];
  return Float64Array.from({ length: columns }, (_, column) =>
    weights.reduce((sum, weight, sample) => sum + weight * sampleAt(column, sample), 0),
  );
}

/** The stored bits of each word, as a number. PS3.5 8.1.1. */
function samplesOf(bytes: Uint8Array, { bitsAllocated, bitsStored, highBit, isSigned }: PixelLayout): Float64Array {
  if (bitsAllocated === 1)
    return Float64Array.from({ length: bytes.length * 8 }, (_, bit) => ((bytes[bit >>> 3] ?? 0) >>> (bit & 7)) & 1);
  const wordBytes = bitsAllocated / 8;
  const lowestBit = Math.max(0, highBit + 1 - bitsStored);
  const samples = new Float64Array(Math.floor(bytes.length / wordBytes));
  // Shifted to the left end of 32 bits, and back from there: the sign comes with it.
  const unusedBits = 32 - bitsStored;
  for (let index = 0; index < samples.length; index += 1) {
    const stored = (wordAt(bytes, index * wordBytes, wordBytes) >>> lowestBit) << unusedBits;
    samples[index] = isSigned ? stored >> unusedBits : stored >>> unusedBits;
  }
  return samples;
}

/** Little endian, of 1, 2 or 4 bytes. */
function wordAt(bytes: Uint8Array, at: number, wordBytes: number): number {
  if (wordBytes === 2) return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  let word = 0;
  for (let index = 0; index < wordBytes; index += 1) word |= (bytes[at + index] ?? 0) << (8 * index);
  return word;
}

function stretched(shades: Float64Array, isInverted: boolean): Uint8Array {
  let [darkest, lightest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  // By index: an iterator for each of so many numbers takes several times as long.
  for (let index = 0; index < shades.length; index += 1) {
    const shade = shades[index] ?? 0;
    if (shade < darkest) darkest = shade;
    if (shade > lightest) lightest = shade;
  }
  const scale = lightest > darkest ? 255 / (lightest - darkest) : 0;
  const greys = new Uint8Array(shades.length);
  for (let index = 0; index < shades.length; index += 1) {
    const grey = Math.round(((shades[index] ?? 0) - darkest) * scale);
    greys[index] = isInverted ? 255 - grey : grey;
  }
  return greys;
}
