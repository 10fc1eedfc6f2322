import type { FrameShape } from "./frame-scan.ts";

/** Table specifications, frame and scan headers of one JPEG or JPEG-LS image, each told to hold what its standard says and not a byte more. */
export interface JpegSegments {
  /** False: it holds anything else, or stands where it cannot be of use. `body` is what follows its length. */
  isUnderstood(marker: number, body: Buffer): boolean;
  /** The frame is of JPEG-LS. */
  readonly isJpegLs: boolean;
  /** What the headers so far say of the image. */
  shape(): FrameShape;
}

const DHT = 0xc4;
const DAC = 0xcc;
const SOS = 0xda;
const DQT = 0xdb;
const DNL = 0xdc;
const DRI = 0xdd;
/** Frame and parameters of JPEG-LS. ISO 14495-1 table C.1. */
const SOF55 = 0xf7;
const LSE = 0xf8;
/** Sequential, progressive and lossless frames. Differential ones are of hierarchies, which are not read. ISO 10918-1 table B.1. */
const FRAMES: ReadonlySet<number> = new Set([0xc0, 0xc1, 0xc2, 0xc3, 0xc9, 0xca, 0xcb, SOF55]);
const PROGRESSIVE: ReadonlySet<number> = new Set([0xc2, 0xca]);
/** No samples are quantized in these. */
const LOSSLESS: ReadonlySet<number> = new Set([0xc3, 0xcb]);
/** A frame may have 255, DICOM's have as many as Samples per Pixel. PS3.3 C.7.6.3.1.1. */
const COMPONENTS_LIMIT = 4;
/** Bits of the samples of a lossless frame. */
const LARGEST_DIFFERENCE = 16;

interface State {
  frame: number | undefined;
  bits: number;
  /** 0: not told yet. ISO 10918-1 B.2.2, B.2.5; ISO 14495-1 C.2.4.1.4. */
  readonly size: { lines: number; samples: number };
  readonly components: Set<number>;
  /** Components of the scans so far. */
  readonly scanned: Set<number>;
  readonly seen: Set<number>;
}

const UNDERSTOOD: ReadonlyMap<number, (body: Buffer, state: State) => boolean> = new Map([
  [SOS, isScanHeader],
  [DHT, isHuffmanTables],
  [DAC, isConditioning],
  [DQT, isQuantizationTables],
  // ISO 10918-1 B.2.5: the number of lines, after the first scan; B.2.4.4: the restart interval, of JPEG-LS in up to four bytes.
  [
    DNL,
    (body: Buffer, { scanned, size }: State) =>
      body.length === 2 && scanned.size > 0 && isSize(size, body.readUInt16BE(0), size.samples),
  ],
  [DRI, (body: Buffer, { frame }: State) => isWithin(body.length, 2, frame === SOF55 ? 4 : 2)],
  [LSE, isParameters],
]);

export function createJpegSegments(): JpegSegments {
  const state: State = {
    ...{ frame: undefined, bits: 0, size: { lines: 0, samples: 0 } },
    ...{ components: new Set(), scanned: new Set(), seen: new Set() },
  };
  return {
    isUnderstood(marker, body) {
      const isFrame = FRAMES.has(marker);
      const hasForm = isFrame ? isFrameHeader(marker, body, state) : UNDERSTOOD.get(marker)?.(body, state);
      state.seen.add(marker);
      return hasForm === true && (state.frame === undefined || isOfFrame(state.frame, state.seen));
    },
    get isJpegLs() {
      return state.frame === SOF55;
    },
    shape: () => ({
      ...{ rows: state.size.lines, columns: state.size.samples },
      ...{ samplesPerPixel: state.components.size, bits: state.bits },
    }),
  };
}

/** Whether no table is there that no decoder of the frame looks into. */
function isOfFrame(frame: number, seen: ReadonlySet<number>): boolean {
  if (frame === SOF55) return ![DHT, DAC, DQT].some((marker) => seen.has(marker));
  return !seen.has(LSE) && !(LOSSLESS.has(frame) && seen.has(DQT));
}

/** ISO 10918-1 B.2.2: precision, lines, samples, number of components; of each its identifier, sampling factors, quantization table. */
function isFrameHeader(marker: number, body: Buffer, state: State): boolean {
  const count = body[5] ?? 0;
  if (state.frame !== undefined || count < 1 || count > COMPONENTS_LIMIT || body.length !== 6 + 3 * count) return false;
  state.frame = marker;
  state.bits = body.readUInt8(0);
  if (!isSize(state.size, body.readUInt16BE(1), body.readUInt16BE(3))) return false;
  for (let at = 6; at < body.length; at += 3) {
    const sampling = body.readUInt8(at + 1);
    if (!isWithin(sampling >>> 4, 1, 4) || !isWithin(sampling & 15, 1, 4) || body.readUInt8(at + 2) > 3) return false;
    state.components.add(body.readUInt8(at));
  }
  return state.components.size === count;
}

/** ISO 10918-1 B.2.3: components with their tables, then three bytes; but for progressions, each component is of one scan. */
function isScanHeader(body: Buffer, { frame, components, scanned }: State): boolean {
  const count = body[0] ?? 0;
  if (frame === undefined || !isWithin(count, 1, COMPONENTS_LIMIT) || body.length !== 4 + 2 * count) return false;
  for (let at = 1; at < 1 + 2 * count; at += 2) {
    const component = body.readUInt8(at);
    if (!components.has(component) || (scanned.has(component) && !PROGRESSIVE.has(frame))) return false;
    scanned.add(component);
  }
  return true;
}

/** ISO 10918-1 B.2.4.1: 64 bytes or words each. */
function isQuantizationTables(body: Buffer): boolean {
  let at = 0;
  while (at < body.length) {
    const head = body.readUInt8(at);
    if (head >>> 4 > 1 || (head & 15) > 3) return false;
    at += 1 + 64 * (1 + (head >>> 4));
  }
  return at === body.length;
}

/** ISO 10918-1 B.2.4.2, C.2: how many codes there are of each length, and what each stands for: not more than there can be, none of them twice. */
function isHuffmanTables(body: Buffer): boolean {
  let at = 0;
  while (at < body.length) {
    if (at + 17 > body.length) return false;
    const head = body.readUInt8(at);
    if (head >>> 4 > 1 || (head & 15) > 3) return false;
    const counts = body.subarray(at + 1, at + 17);
    const room = counts.reduce((left, count) => 2 * left - count, 1);
    const count = counts.reduce((sum, each) => sum + each, 0);
    const values = body.subarray(at + 17, at + 17 + count);
    const isDifference = head >>> 4 === 0;
    if (room < 0 || values.length !== count || new Set(values).size !== count) return false;
    if (isDifference && values.some((value) => value > LARGEST_DIFFERENCE)) return false;
    at += 17 + count;
  }
  return true;
}

/** ISO 10918-1 B.2.4.3: pairs of table and value. */
function isConditioning(body: Buffer): boolean {
  if (body.length % 2 !== 0 || body.length > 16) return false;
  for (let at = 0; at < body.length; at += 2) {
    const head = body.readUInt8(at);
    if (head >>> 4 > 1 || (head & 15) > 3) return false;
  }
  return true;
}

/** ISO 14495-1 C.2.4.1: preset parameters, or dimensions beyond 65535. Mapping tables are palettes, which DICOM keeps elsewhere. */
function isParameters(body: Buffer, { size }: State): boolean {
  if (body[0] === 1) return body.length === 11;
  const sizeBytes = body[1] ?? 0;
  if (body[0] !== 4 || !isWithin(sizeBytes, 2, 4) || body.length !== 2 + 2 * sizeBytes) return false;
  return isSize(size, body.readUIntBE(2, sizeBytes), body.readUIntBE(2 + sizeBytes, sizeBytes));
}

/** Takes what is told of the image's size, 0 where it is told elsewhere. False: it has been told otherwise. */
function isSize(size: State["size"], lines: number, samples: number): boolean {
  const isSame = (told: number, known: number): boolean => told === 0 || known === 0 || told === known;
  if (!isSame(lines, size.lines) || !isSame(samples, size.samples)) return false;
  size.lines ||= lines;
  size.samples ||= samples;
  return true;
}

function isWithin(value: number, minimum: number, maximum: number): boolean {
  return value >= minimum && value <= maximum;
}
