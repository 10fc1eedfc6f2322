import type { FileWindow } from "./file-window.ts";
import type { Token } from "./tokenizer.ts";

/** What must be black in native pixel data, little endian, as the object's own attributes lay it out. PS3.3 C.7.6.3. */
export interface ExpectedMask {
  readonly layout: {
    readonly rows: number;
    readonly columns: number;
    readonly samplesPerPixel: number;
    readonly bitsAllocated: number;
    readonly frames: number;
    readonly planarConfiguration: number | undefined;
    readonly photometricInterpretation: string;
  };
  readonly rectangles: readonly {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  }[];
  /** The stored word of each sample. */
  readonly black: readonly number[];
}

/** Whether every sample of every pixel of the rectangles is black in every frame. */
export async function isMasked(window: FileWindow, pixelData: Token, mask: ExpectedMask): Promise<boolean> {
  const { rows, columns, samplesPerPixel, frames, bitsAllocated } = mask.layout;
  const wordBytes = bitsAllocated / 8;
  const isShared = mask.layout.photometricInterpretation.endsWith("_422");
  const frameBytes = rows * columns * (isShared ? 2 : samplesPerPixel) * wordBytes;
  for (let frame = 0; frame < frames; frame += 1) {
    for (const { x, y, width, height } of mask.rectangles) {
      for (let row = y; row < y + height; row += 1) {
        for (const [sample, black] of mask.black.entries()) {
          const [first, step] = isShared ? sharedSamples(mask, row, sample) : ownSamples(mask, row, sample);
          const last = isShared && sample > 0 ? Math.floor((x + width - 1) / 2) : x + width - 1;
          const start = isShared && sample > 0 ? Math.floor(x / 2) : x;
          const from = first + positionOf(start, step, isShared && sample === 0);
          const to = first + positionOf(last, step, isShared && sample === 0) + 1;
          const base = pixelData.valueOffset + frame * frameBytes;
          const bytes = await window.load(base + from * wordBytes, (to - from) * wordBytes);
          for (let index = start; index <= last; index += 1) {
            const at = first + positionOf(index, step, isShared && sample === 0) - from;
            if (bytes.readUIntLE(at * wordBytes, wordBytes) !== black) return false;
          }
        }
      }
    }
  }
  return true;
}

/** Words from the start of the row to its sample of a pixel, pixels `step` apart. */
function positionOf(pixel: number, step: number, isPaired: boolean): number {
  return isPaired ? Math.floor(pixel / 2) * 4 + (pixel % 2) : pixel * step;
}

/** First word of a row's samples within the frame, and how far apart those of neighbours are. */
function ownSamples({ layout }: ExpectedMask, row: number, sample: number): readonly [number, number] {
  const { rows, columns, samplesPerPixel, planarConfiguration } = layout;
  if (planarConfiguration === 1 && samplesPerPixel > 1) return [(sample * rows + row) * columns, 1];
  return [row * columns * samplesPerPixel + sample, samplesPerPixel];
}

/** Pairs of pixels: two of luminance, then the blue and red difference of both. PS3.3 C.7.6.3.1.2. */
function sharedSamples({ layout }: ExpectedMask, row: number, sample: number): readonly [number, number] {
  return [row * layout.columns * 2 + (sample === 0 ? 0 : sample + 1), 4];
}
