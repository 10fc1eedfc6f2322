import type { FrameFinding } from "./jpeg-markers.ts";

const HEADER_BYTES = 64;
const MAXIMUM_SEGMENTS = 15;

/**
 * One RLE frame (PS3.5 annex G): offsets in order, unused ones zero, every segment decoding to exactly `segmentPixels` bytes
 * and followed by no more than a byte of padding.
 */
export function inspectRleFrame(frame: Uint8Array, segmentPixels: number): FrameFinding {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  if (bytes.length < HEADER_BYTES) return "truncated";
  const count = bytes.readUInt32LE(0);
  if (count < 1 || count > MAXIMUM_SEGMENTS) return "marker";
  const offsets = Array.from({ length: MAXIMUM_SEGMENTS }, (_, index) => bytes.readUInt32LE(4 + 4 * index));
  if (offsets.slice(count).some((offset) => offset !== 0)) return "marker";
  const starts = [...offsets.slice(0, count), bytes.length];
  if (starts[0] !== HEADER_BYTES) return "trailing-bytes";
  for (let index = 0; index < count; index += 1) {
    const start = starts[index] ?? 0;
    const end = starts[index + 1] ?? 0;
    if (end < start || end > bytes.length) return "truncated";
    const finding = inspectSegment(bytes.subarray(start, end), segmentPixels);
    if (finding !== undefined) return finding;
  }
  return undefined;
}

/** PS3.5 G.3.2: a byte n, then n + 1 bytes as they are (0 to 127), or one byte repeated 1 - n times (-1 to -127); -128 is nothing. */
function inspectSegment(bytes: Buffer, segmentPixels: number): FrameFinding {
  let at = 0;
  let decoded = 0;
  while (at < bytes.length && decoded < segmentPixels) {
    const n = bytes.readInt8(at);
    if (n === -128) {
      at += 1;
      continue;
    }
    decoded += n >= 0 ? n + 1 : 1 - n;
    at += n >= 0 ? n + 2 : 2;
  }
  if (decoded < segmentPixels || at > bytes.length) return "truncated";
  const tail = bytes.subarray(at);
  return decoded === segmentPixels && (tail.length <= 1 || tail.every((byte) => byte === 0))
    ? undefined
    : "trailing-bytes";
}
