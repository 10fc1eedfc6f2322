import { damaged, unsupported } from "./frame-shape.ts";
import { type BitReader, createBitReader, type HuffmanTable, huffmanTable } from "./huffman.ts";

/** Markers. ITU-T T.81 table B.1. */
const MARKERS = { SOF3: 0xc3, DHT: 0xc4, SOI: 0xd8, EOI: 0xd9, SOS: 0xda, DRI: 0xdd } as const;

export interface LosslessImage {
  readonly rows: number;
  readonly columns: number;
  readonly components: number;
  readonly precisionBits: number;
  /** Pixel after pixel, the samples of each together. */
  readonly samples: Uint16Array;
}

interface Frame extends LosslessImage {
  /** Their identifiers, in order. */
  readonly identifiers: readonly number[];
}

/**
 * An image of process 14: lossless, Huffman, any predictor. ITU-T T.81 annex H.
 * @throws GatewayError TRANSCODING_DAMAGED; TRANSCODING_UNSUPPORTED for another process or components of several sizes
 */
export function decodeLosslessJpeg(bytes: Buffer): LosslessImage {
  const tables = new Map<number, HuffmanTable>();
  let frame: Frame | undefined;
  let restartInterval = 0;
  let scanned = 0;
  if (bytes.readUInt16BE(0) !== 0xff00 + MARKERS.SOI) throw damaged("no JPEG");
  for (let at = 2; ; ) {
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at += 1;
    const marker = bytes[at + 1];
    if (bytes[at] !== 0xff || marker === undefined) throw damaged("JPEG marker");
    if (marker === MARKERS.EOI) break;
    const body = segmentAt(bytes, at);
    at += 4 + body.length;
    if (marker === MARKERS.DHT) readTables(body, tables);
    else if (marker === MARKERS.DRI) restartInterval = body.readUInt16BE(0);
    else if (marker === MARKERS.SOF3) frame = frameIn(body);
    else if (marker >= 0xc0 && marker <= 0xcf) throw unsupported("JPEG process");
    else if (marker === MARKERS.SOS) {
      if (frame === undefined) throw damaged("JPEG scan without frame");
      const scan = scanIn(body, frame, tables);
      at = decodeScan(createBitReader(bytes, at), frame, scan, restartInterval);
      scanned += scan.components.length;
      if (scanned >= frame.components) break;
    }
  }
  if (frame === undefined || scanned !== frame.components) throw damaged("JPEG scans");
  return frame;
}

function segmentAt(bytes: Buffer, at: number): Buffer {
  if (at + 4 > bytes.length) throw damaged("JPEG segment");
  const end = at + 2 + bytes.readUInt16BE(at + 2);
  if (end > bytes.length || end < at + 4) throw damaged("JPEG segment");
  return bytes.subarray(at + 4, end);
}

/** ITU-T T.81 B.2.4.2. */
function readTables(body: Buffer, tables: Map<number, HuffmanTable>): void {
  for (let at = 0; at + 17 <= body.length; ) {
    const counts = body.subarray(at + 1, at + 17);
    const total = counts.reduce((sum, count) => sum + count, 0);
    tables.set((body[at] ?? 0) & 0x0f, huffmanTable(counts, body.subarray(at + 17, at + 17 + total)));
    at += 17 + total;
  }
}

/** ITU-T T.81 B.2.2. */
function frameIn(body: Buffer): Frame {
  if (body.length < 6) throw damaged("JPEG frame");
  const [precisionBits, rows, columns, components] = [
    body.readUInt8(0),
    body.readUInt16BE(1),
    body.readUInt16BE(3),
    body.readUInt8(5),
  ];
  if (precisionBits < 2 || precisionBits > 16 || rows * columns * components === 0) throw damaged("JPEG frame");
  if (body.length < 6 + 3 * components) throw damaged("JPEG frame");
  const identifiers = Array.from({ length: components }, (_, index) => {
    if (components > 1 && body[6 + 3 * index + 1] !== 0x11) throw unsupported("JPEG components of several sizes");
    return body[6 + 3 * index] ?? 0;
  });
  return {
    rows,
    columns,
    components,
    precisionBits,
    identifiers,
    samples: new Uint16Array(rows * columns * components),
  };
}

interface Scan {
  /** Which of the frame's components, each with its table. */
  readonly components: readonly { readonly index: number; readonly table: HuffmanTable }[];
  readonly predictor: number;
  readonly pointTransform: number;
}

/** ITU-T T.81 B.2.3. */
function scanIn(body: Buffer, frame: Frame, tables: ReadonlyMap<number, HuffmanTable>): Scan {
  const count = body[0] ?? 0;
  if (count === 0 || count > frame.components || body.length < 4 + 2 * count) throw damaged("JPEG scan");
  const components = Array.from({ length: count }, (_, position) => {
    const index = frame.identifiers.indexOf(body[1 + 2 * position] ?? -1);
    const table = tables.get((body[2 + 2 * position] ?? 0) >>> 4);
    if (index < 0 || table === undefined) throw damaged("JPEG scan");
    return { index, table };
  });
  const predictor = body[1 + 2 * count] ?? 0;
  const pointTransform = (body[3 + 2 * count] ?? 0) & 0x0f;
  if (predictor < 1 || predictor > 7 || pointTransform >= frame.precisionBits) throw damaged("JPEG predictor");
  return { components, predictor, pointTransform };
}

/** Returns where the scan ends. ITU-T T.81 H.2. */
function decodeScan(reader: BitReader, frame: Frame, scan: Scan, restartInterval: number): number {
  const { rows, columns, components: step, samples, precisionBits } = frame;
  const { predictor, pointTransform } = scan;
  const lineSamples = columns * step;
  const initial = 1 << (precisionBits - pointTransform - 1);
  let untilRestart = restartInterval;
  let firstRow = 0;
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      if (restartInterval > 0 && untilRestart === 0) {
        reader.restart();
        untilRestart = restartInterval;
        // A restart is at the beginning of a line: what was before predicts nothing. ITU-T T.81 H.1.1.
        if (column !== 0) throw unsupported("JPEG restart within a line");
        firstRow = row;
      }
      untilRestart -= 1;
      for (const { index, table } of scan.components) {
        const at = row * lineSamples + column * step + index;
        const predicted =
          row === firstRow
            ? column === 0
              ? initial
              : (samples[at - step] ?? 0)
            : column === 0
              ? (samples[at - lineSamples] ?? 0)
              : predict(predictor, samples, at, step, lineSamples);
        samples[at] = predicted + difference(reader, table);
      }
    }
  }
  if (pointTransform > 0) shift(frame, scan);
  return reader.end();
}

/** ITU-T T.81 table H.1: a is the sample before, b the one above, c the one before that. */
function predict(predictor: number, samples: Uint16Array, at: number, step: number, lineSamples: number): number {
  const a = samples[at - step] ?? 0;
  const b = samples[at - lineSamples] ?? 0;
  const c = samples[at - lineSamples - step] ?? 0;
  switch (predictor) {
    case 1:
      return a;
    case 2:
      return b;
    case 3:
      return c;
    case 4:
      return a + b - c;
    case 5:
      return a + ((b - c) >> 1);
    case 6:
      return b + ((a - c) >> 1);
    default:
      return (a + b) >> 1;
  }
}

/** ITU-T T.81 H.1.2.2, F.2.2.1: so many bits, negative where the first is 0; 16 has none and stands for 32768. */
function difference(reader: BitReader, table: HuffmanTable): number {
  const category = reader.symbol(table);
  if (category === 16) return 32768;
  if (category > 16) throw damaged("JPEG category");
  const bits = reader.bits(category);
  return category > 0 && bits < 1 << (category - 1) ? bits - (1 << category) + 1 : bits;
}

/** What the encoder left out of each sample comes back as zeros. ITU-T T.81 H.1.2.1. */
function shift({ samples, components: step }: Frame, { components, pointTransform }: Scan): void {
  for (const { index } of components)
    for (let at = index; at < samples.length; at += step) samples[at] = (samples[at] ?? 0) << pointTransform;
}
