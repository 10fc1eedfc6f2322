import { createRleDecoder, type RlePlaces, rleSegments } from "../rle.ts";
import { damaged, type FrameShape } from "./frame-shape.ts";

/**
 * One frame, native and little endian, its samples as Planar Configuration says. PS3.5 annex G.
 * @throws GatewayError TRANSCODING_DAMAGED
 */
export function decodeRleFrame(frame: Buffer, shape: FrameShape): Buffer {
  const { rows, columns, samplesPerPixel, sampleBytes, isPlanar, frameBytes } = shape;
  const pixels = rows * columns;
  const segments = rleSegments(frame, frame.length, samplesPerPixel * sampleBytes);
  if (segments === undefined) throw damaged("RLE header");
  const native = Buffer.alloc(frameBytes);
  for (const [index, { start: from, end }] of segments.entries()) {
    const sample = Math.floor(index / sampleBytes);
    // The most significant byte of a sample comes first. PS3.5 G.2.
    const byte = sampleBytes - 1 - (index % sampleBytes);
    const start = (isPlanar ? sample * pixels : sample) * sampleBytes + byte;
    const step = (isPlanar ? 1 : samplesPerPixel) * sampleBytes;
    decodeSegment(frame.subarray(from, end), native, { start, step, count: pixels });
  }
  return native;
}

function decodeSegment(segment: Buffer, native: Buffer, places: RlePlaces): void {
  const decoder = createRleDecoder();
  decoder.feed(segment);
  if (decoder.take(native, places) < places.count) throw damaged("RLE segment too short");
  if (decoder.isWithinRun) throw damaged("RLE run");
}
