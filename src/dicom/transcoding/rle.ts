import { damaged, type FrameShape } from "./frame-shape.ts";

/** Number of segments and 15 offsets. PS3.5 G.5. */
const HEADER_BYTES = 64;
const MAXIMUM_SEGMENTS = 15;

/**
 * One frame, native and little endian, its samples as Planar Configuration says. PS3.5 annex G.
 * @throws GatewayError TRANSCODING_DAMAGED
 */
export function decodeRleFrame(frame: Buffer, shape: FrameShape): Buffer {
  const { rows, columns, samplesPerPixel, sampleBytes, isPlanar, frameBytes } = shape;
  const pixels = rows * columns;
  const segments = segmentsOf(frame, samplesPerPixel * sampleBytes);
  const native = Buffer.alloc(frameBytes);
  for (const [index, segment] of segments.entries()) {
    const sample = Math.floor(index / sampleBytes);
    // The most significant byte of a sample comes first. PS3.5 G.2.
    const byte = sampleBytes - 1 - (index % sampleBytes);
    const start = (isPlanar ? sample * pixels : sample) * sampleBytes + byte;
    const step = (isPlanar ? 1 : samplesPerPixel) * sampleBytes;
    decodeSegment(segment, native, { start, step, count: pixels });
  }
  return native;
}

function segmentsOf(frame: Buffer, count: number): readonly Buffer[] {
  if (frame.length < HEADER_BYTES || count > MAXIMUM_SEGMENTS || frame.readUInt32LE(0) !== count)
    throw damaged("RLE header");
  const offsets = Array.from({ length: count }, (_, index) => frame.readUInt32LE(4 + 4 * index));
  const ends = [...offsets.slice(1), frame.length];
  return offsets.map((offset, index) => {
    const end = ends[index] ?? 0;
    if (offset < HEADER_BYTES || end < offset || end > frame.length) throw damaged("RLE offsets");
    return frame.subarray(offset, end);
  });
}

interface Places {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** PS3.5 G.3.2: a byte n, then n + 1 bytes as they are (0 to 127), or one byte repeated 257 - n times (129 to 255); 128 is nothing. */
function decodeSegment(segment: Buffer, native: Buffer, { start, step, count }: Places): void {
  let at = 0;
  let done = 0;
  while (done < count) {
    const n = segment[at];
    if (n === undefined) throw damaged("RLE segment too short");
    at += 1;
    if (n === 128) continue;
    const isLiteral = n < 128;
    const run = isLiteral ? n + 1 : 257 - n;
    if (done + run > count || at + (isLiteral ? run : 1) > segment.length) throw damaged("RLE run");
    for (let index = 0; index < run; index += 1)
      native[start + (done + index) * step] = segment[isLiteral ? at + index : at] ?? 0;
    at += isLiteral ? run : 1;
    done += run;
  }
}
