import type { PixelLayout } from "./pixel-layout.ts";
import type { Rectangle } from "./pixel-settings.ts";

/** How to blacken native pixel data in little endian order, wherever in it one begins. */
export interface MaskPlan {
  /** Lines of samples in a frame: rows, times the planes where samples have planes of their own. */
  readonly rows: number;
  readonly planes: number;
  readonly rowBytes: number;
  readonly spans: readonly Span[];
  /** For each plane: a whole row of black. */
  readonly blackRows: readonly Uint8Array[];
}

/** Bytes `from` to `to` of each row from `top` to `bottom`, ends not included. */
interface Span {
  readonly top: number;
  readonly bottom: number;
  readonly from: number;
  readonly to: number;
}

/** `black` has the stored word of each sample of a pixel. */
export function planMask(layout: PixelLayout, rectangles: readonly Rectangle[], black: readonly number[]): MaskPlan {
  const { rows, columns, bitsAllocated, samplesPerPixel, planarConfiguration } = layout;
  const words = black.map((value) => littleEndian(value, bitsAllocated / 8));
  const isPlanar = samplesPerPixel > 1 && planarConfiguration === 1;
  // Two pixels share their chrominance: luminance twice, then blue and red difference. PS3.3 C.7.6.3.1.2.
  const isShared = layout.photometricInterpretation.endsWith("_422");
  const [y, blue, red] = words;
  const patterns = isPlanar ? words : [Buffer.concat(isShared && y && blue && red ? [y, y, blue, red] : words)];
  const pixelsPerPattern = isShared ? 2 : 1;
  const patternBytes = patterns[0]?.length ?? 0;
  const rowBytes = (columns / pixelsPerPattern) * patternBytes;
  const spans = rectangles.map(({ x, y: top, width, height }) => ({
    top,
    bottom: top + height,
    from: Math.floor(x / pixelsPerPattern) * patternBytes,
    to: Math.ceil((x + width) / pixelsPerPattern) * patternBytes,
  }));
  const blackRows = patterns.map((pattern) => Buffer.alloc(rowBytes, pattern));
  return { rows, planes: patterns.length, rowBytes, spans, blackRows };
}

/** Blackens what of `bytes`, which stand at `offset` of the pixel data, the plan says. */
export function blacken(bytes: Uint8Array, offset: number, plan: MaskPlan): void {
  const end = offset + bytes.length;
  for (let line = Math.floor(offset / plan.rowBytes); line * plan.rowBytes < end; line += 1) {
    const start = line * plan.rowBytes;
    const row = line % plan.rows;
    const black = plan.blackRows[Math.floor(line / plan.rows) % plan.planes];
    if (black === undefined) continue;
    for (const { top, bottom, from, to } of plan.spans) {
      if (row < top || row >= bottom) continue;
      const first = Math.max(start + from, offset);
      const last = Math.min(start + to, end);
      if (first < last) bytes.set(black.subarray(first - start, last - start), first - offset);
    }
  }
}

function littleEndian(value: number, sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  bytes.writeUIntLE(value, 0, sizeBytes);
  return bytes;
}
