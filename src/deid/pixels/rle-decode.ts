import type { ByteRange, ByteSource } from "../../dicom/data-set.ts";
import { createRleDecoder, RLE_HEADER_BYTES, type RlePlaces } from "../../dicom/rle.ts";
import { Rejection } from "../engine/rejection.ts";
import type { PixelLayout } from "./pixel-layout.ts";
import { rleSegmentCount, tightSegments } from "./rle-frame.ts";

/** Of each segment of the frame being decoded this much is in memory. */
const WINDOW_BYTES = 64 * 1024;

/** Decoded RLE pixel data, read from front to back: a line at a time, whatever the size of a frame. Going back decodes the frame again. */
export interface RleReader {
  /** Of the whole native pixel data, little endian, planes as Planar Configuration says. */
  readonly sizeBytes: number;
  /** @throws Rejection PIXEL_DATA_INCONSISTENT */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** `frames` has the only fragment of each frame. PS3.5 A.4.2, annex G. */
export function createRleReader(frames: readonly ByteRange[], layout: PixelLayout, source: ByteSource): RleReader {
  const { rows, columns, samplesPerPixel, bitsAllocated, planarConfiguration } = layout;
  const wordBytes = bitsAllocated / 8;
  const planes = samplesPerPixel > 1 && planarConfiguration === 1 ? samplesPerPixel : 1;
  const pixelBytes = (samplesPerPixel / planes) * wordBytes;
  const lineBytes = columns * pixelBytes;
  const linesPerFrame = rows * planes;
  let frame = -1;
  let nextLine = 0;
  let segments: readonly SegmentReader[] = [];
  const line = new Uint8Array(lineBytes);

  /** Decodes into `line` what stands `index` lines from the start. */
  const seek = async (index: number): Promise<void> => {
    if (frame >= 0 && index === frame * linesPerFrame + nextLine - 1) return;
    const wanted = Math.floor(index / linesPerFrame);
    if (wanted !== frame || index < frame * linesPerFrame + nextLine) {
      segments = await openFrame(frames[wanted], layout, source);
      frame = wanted;
      nextLine = 0;
    }
    while (frame * linesPerFrame + nextLine <= index) {
      await decodeLine(segments, Math.floor(nextLine / rows), line, { columns, pixelBytes, wordBytes });
      nextLine += 1;
    }
  };

  return {
    sizeBytes: frames.length * linesPerFrame * lineBytes,
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const index = Math.floor((offset + done) / lineBytes);
        await seek(index);
        const from = offset + done - index * lineBytes;
        const part = line.subarray(from, from + length - done);
        bytes.set(part, done);
        done += part.length;
      }
      return bytes;
    },
  };
}

interface LineShape {
  readonly columns: number;
  readonly pixelBytes: number;
  readonly wordBytes: number;
}

/** Each byte of a pixel of this plane comes from a segment of its own, the most significant of a word first. PS3.5 G.2. */
async function decodeLine(
  segments: readonly SegmentReader[],
  plane: number,
  line: Uint8Array,
  { columns, pixelBytes, wordBytes }: LineShape,
): Promise<void> {
  for (let byte = 0; byte < pixelBytes; byte += 1) {
    const word = Math.floor(byte / wordBytes);
    const position = word * wordBytes + (wordBytes - 1 - (byte % wordBytes));
    await segments[plane * pixelBytes + byte]?.take(line, { start: position, step: pixelBytes, count: columns });
  }
}

async function openFrame(
  range: ByteRange | undefined,
  layout: PixelLayout,
  source: ByteSource,
): Promise<readonly SegmentReader[]> {
  if (range === undefined) throw new Rejection("PIXEL_DATA_INCONSISTENT", "frame-count");
  const header = Buffer.from(await source.read(range.offset, Math.min(RLE_HEADER_BYTES, range.length)));
  const segments = tightSegments(header, range.length, rleSegmentCount(layout));
  if (segments === undefined) throw new Rejection("PIXEL_DATA_INCONSISTENT", "rle-header");
  return segments.map(({ start, end }) => openSegment({ offset: range.offset + start, length: end - start }, source));
}

interface SegmentReader {
  /** Puts the segment's next bytes into their places. */
  take(target: Uint8Array, places: RlePlaces): Promise<void>;
}

function openSegment(range: ByteRange, source: ByteSource): SegmentReader {
  const decoder = createRleDecoder();
  let fed = 0;
  return {
    async take(target, { start, step, count }) {
      let done = decoder.take(target, { start, step, count });
      while (done < count) {
        const length = Math.min(WINDOW_BYTES, range.length - fed);
        const window = length > 0 ? await source.read(range.offset + fed, length) : new Uint8Array();
        if (window.length === 0) throw new Rejection("PIXEL_DATA_INCONSISTENT", "rle-short");
        fed += window.length;
        decoder.feed(window);
        done += decoder.take(target, { start: start + done * step, step, count: count - done });
      }
    },
  };
}
