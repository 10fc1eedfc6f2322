import { RLE_HEADER_BYTES, type RleSegment, rleSegments } from "../../dicom/rle.ts";
import { createPieceList, type FrameScan, unreadable } from "./frame-scan.ts";
import type { PixelLayout } from "./pixel-layout.ts";

/** A segment for each byte of a pixel: the most significant byte of the first sample comes first. PS3.5 G.2. */
export function rleSegmentCount({ samplesPerPixel, bitsAllocated }: PixelLayout): number {
  return samplesPerPixel * Math.ceil(bitsAllocated / 8);
}

/** The segments an RLE header names, where nothing else stands in it and they follow it at once. Undefined: it does. PS3.5 G.5. */
export function tightSegments(header: Buffer, frameBytes: number, count: number): readonly RleSegment[] | undefined {
  const segments = rleSegments(header, frameBytes, count);
  const unused = header.subarray(4 + 4 * count, RLE_HEADER_BYTES);
  return segments?.[0]?.start === RLE_HEADER_BYTES && isZero(unused) ? segments : undefined;
}

/**
 * One RLE frame (PS3.5 annex G): every segment decodes to exactly the image's pixels, and is followed by no more than a byte of padding.
 * Segments with more behind them are cut and put together anew.
 */
export function scanRleFrame(frame: Uint8Array, layout: PixelLayout): FrameScan {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  if (bytes.length < RLE_HEADER_BYTES) return unreadable("truncated");
  const segments = tightSegments(bytes, bytes.length, rleSegmentCount(layout));
  if (segments === undefined) return unreadable("marker");
  const ends: number[] = [];
  for (const { start, end } of segments) {
    const decodedTo = decodedEnd(frame, start, end, layout.rows * layout.columns);
    if (decodedTo === undefined) return unreadable("truncated");
    ends.push(decodedTo);
  }
  const list = createPieceList();
  const isTight = segments.every(({ end }, index) => isPadding(bytes.subarray(ends[index] ?? 0, end), end % 2 === 0));
  if (isTight) {
    list.keep(0, bytes.length);
    return list.scan();
  }
  const hasMore = segments.some(({ end }, index) => !isZero(bytes.subarray(ends[index] ?? 0, end)));
  if (hasMore) list.removed("trailing-bytes");
  const header = Buffer.alloc(RLE_HEADER_BYTES);
  header.writeUInt32LE(segments.length, 0);
  list.put(header);
  let offset = RLE_HEADER_BYTES;
  for (const [index, { start }] of segments.entries()) {
    const end = ends[index] ?? start;
    header.writeUInt32LE(offset, 4 + 4 * index);
    list.keep(start, end);
    if ((end - start) % 2 === 1) list.put(Buffer.of(0));
    offset += end - start + ((end - start) % 2);
  }
  return list.scan();
}

/** Nothing, or the zero byte that makes the next segment begin at an even offset. PS3.5 G.4. */
function isPadding(tail: Buffer, endIsEven: boolean): boolean {
  return tail.length === 0 || (tail.length === 1 && tail[0] === 0 && endIsEven);
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

/**
 * Where the bytes of a segment end that decode to as many bytes as there are pixels. PS3.5 G.3.2: a byte n, then n + 1 bytes as they are
 * (0 to 127), or one byte repeated 1 - n times (-1 to -127, which is 257 less the byte without its sign); -128 is nothing.
 */
function decodedEnd(bytes: Uint8Array, start: number, end: number, pixels: number): number | undefined {
  let at = start;
  let decoded = 0;
  while (at < end && decoded < pixels) {
    const n = bytes[at] ?? 0;
    if (n < 0x80) {
      decoded += n + 1;
      at += n + 2;
    } else if (n === 0x80) {
      at += 1;
    } else {
      decoded += 257 - n;
      at += 2;
    }
  }
  return decoded === pixels && at <= end ? at : undefined;
}
