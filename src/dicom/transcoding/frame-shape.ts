import { GatewayError } from "../../errors/gateway-error.ts";
import type { DataSet } from "../data-set.ts";
import { tagOf } from "../tag.ts";
import { numberOf, textOf } from "../values.ts";

/** What an image says of its pixels. PS3.3 C.7.6.3. */
export interface FrameShape {
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: number;
  /** Of one sample in native pixel data: 1, 2 or 4. */
  readonly sampleBytes: number;
  readonly bitsStored: number;
  /** Samples of one kind lie together. PS3.3 C.7.6.3.1.3. */
  readonly isPlanar: boolean;
  readonly frames: number;
  /** Of one frame, native. */
  readonly frameBytes: number;
}

export const PLANAR_CONFIGURATION = tagOf(0x00280006);
/** A frame is decoded in memory; of a larger one it is not tried. */
const MOST_FRAME_BYTES = 512 * 1024 * 1024;
/** The longest even length that is told in 32 bits. PS3.5 7.1. */
const MOST_PIXEL_BYTES = 0xfffffffe;

/** @throws GatewayError TRANSCODING_UNSUPPORTED */
export function frameShapeOf(dataSet: DataSet): FrameShape {
  const unsigned = (tag: number, absent: number): number => numberOf(dataSet, tagOf(tag)) ?? absent;
  const [rows, columns, bitsAllocated] = [unsigned(0x00280010, 0), unsigned(0x00280011, 0), unsigned(0x00280100, 0)];
  const samplesPerPixel = unsigned(0x00280002, 1);
  const sampleBytes = bitsAllocated / 8;
  const frames = Math.max(1, unsigned(0x00280008, 1));
  const frameBytes = rows * columns * samplesPerPixel * sampleBytes;
  const photometric = textOf(dataSet, tagOf(0x00280004))?.trim() ?? "";
  const isKnown = [1, 2, 4].includes(sampleBytes) && [1, 3, 4].includes(samplesPerPixel) && frameBytes > 0;
  // Samples that are shared by pixels: native and compressed forms do not lie alike. PS3.3 C.7.6.3.1.2.
  if (!isKnown || /_4[0-9]{2}$/.test(photometric) || frameBytes > MOST_FRAME_BYTES) throw unsupported("layout");
  if (frameBytes * frames > MOST_PIXEL_BYTES) throw unsupported("length");
  const isPlanar = samplesPerPixel > 1 && unsigned(0x00280006, 0) === 1;
  const bitsStored = unsigned(0x00280101, bitsAllocated);
  return { rows, columns, samplesPerPixel, sampleBytes, bitsStored, isPlanar, frames, frameBytes };
}

export function unsupported(what: string): GatewayError {
  return new GatewayError("TRANSCODING_UNSUPPORTED", { what });
}

export function damaged(what: string): GatewayError {
  return new GatewayError("TRANSCODING_DAMAGED", { what });
}
