import type { FileWindow } from "./file-window.ts";

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

/** Whether every sample of every pixel of the rectangles is black in every frame of the pixel data at `offset` of the file. */
export async function isMasked(window: FileWindow, offset: number, mask: ExpectedMask): Promise<boolean> {
  const wordBytes = mask.layout.bitsAllocated / 8;
  for (const { frame, row, x, width } of maskedRows(mask)) {
    for (const [sample, black] of mask.black.entries()) {
      const words = Array.from({ length: width }, (_, index) => wordOf(mask, frame, row, x + index, sample));
      const from = words[0] ?? 0;
      const bytes = await window.load(offset + from * wordBytes, ((words.at(-1) ?? from) + 1 - from) * wordBytes);
      if (words.some((word) => bytes.readUIntLE((word - from) * wordBytes, wordBytes) !== black)) return false;
    }
  }
  return true;
}

function* maskedRows({ layout, rectangles }: ExpectedMask): Generator<{
  readonly frame: number;
  readonly row: number;
  readonly x: number;
  readonly width: number;
}> {
  for (let frame = 0; frame < layout.frames; frame += 1) {
    for (const { x, y, width, height } of rectangles) {
      for (let row = y; row < y + height; row += 1) yield { frame, row, x, width };
    }
  }
}

/** Which word of the pixel data a sample is. PS3.3 C.7.6.3.1.2, C.7.6.3.1.3. */
function wordOf({ layout }: ExpectedMask, frame: number, row: number, x: number, sample: number): number {
  const { rows, columns, samplesPerPixel: samples, planarConfiguration } = layout;
  if (layout.photometricInterpretation.endsWith("_422")) {
    // Of two neighbours: both luminances, then the blue and the red difference they share.
    const pair = (frame * rows + row) * columns * 2 + Math.floor(x / 2) * 4;
    return sample === 0 ? pair + (x % 2) : pair + 1 + sample;
  }
  if (planarConfiguration === 1 && samples > 1) return ((frame * samples + sample) * rows + row) * columns + x;
  return ((frame * rows + row) * columns + x) * samples + sample;
}
