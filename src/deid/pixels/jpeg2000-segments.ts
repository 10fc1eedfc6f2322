import type { FrameShape } from "./frame-scan.ts";

/** What becomes of a marker segment; `informative`: decoders do not need it, and what it says cannot be checked. */
export type SegmentJudgement = "kept" | "informative" | "refused";

/** A tile-part as its own segment tells of it. ISO 15444-1 A.4.2. */
export interface TilePartLength {
  readonly tile: number;
  readonly sizeBytes: number;
}

/** Marker segments of one codestream, each told to hold what ISO 15444-1 annex A says and not a byte more. */
export interface Jpeg2000Segments {
  /** `body` is what follows its length. */
  judge(marker: number, body: Buffer, isInTilePart: boolean): SegmentJudgement;
  /** False: there is no such tile. */
  startTilePart(part: TilePartLength): boolean;
  /** False: the lengths of packets that the tile-part's header tells do not come to its data. */
  endTilePart(dataBytes: number): boolean;
  /** False: what segments tell does not fit together, the lengths of tile-parts or the number of subbands. */
  isConsistent(): boolean;
  readonly hasTilePartLengths: boolean;
  /** What the size says of the image. */
  shape(): FrameShape;
}

const CAP = 0xff50;
const SIZ = 0xff51;
const COD = 0xff52;
const COC = 0xff53;
const TLM = 0xff55;
const PRF = 0xff56;
const PLM = 0xff57;
const PLT = 0xff58;
const CPF = 0xff59;
const QCD = 0xff5c;
const QCC = 0xff5d;
const RGN = 0xff5e;
const POC = 0xff5f;
const CRG = 0xff63;
/** Profiles, packet lengths of all tiles, the registration of components. ISO 15444-1 A.5, A.7.2, A.9.1, ISO 15444-15 A. */
const INFORMATIVE: ReadonlySet<number> = new Set([PRF, PLM, CPF, CRG]);
/** Of the parts of the standard that may be used, part 15 (high throughput) alone: what the others add is not read. ISO 15444-15 A.3. */
const HIGH_THROUGHPUT = 0x00020000;
/** A codestream may have 16384, DICOM's have as many as Samples per Pixel: their numbers are written in one byte. */
const COMPONENTS_LIMIT = 4;
const LEVELS_LIMIT = 32;
const MAIN_HEADER_ONLY: ReadonlySet<number> = new Set([CAP, SIZ, TLM, ...INFORMATIVE]);

interface State {
  components: number;
  rows: number;
  columns: number;
  bits: number;
  tiles: number;
  /** The most decomposition levels any component has. */
  levels: number;
  /** The most subbands a quantization speaks of: coding styles may follow it. */
  subbands: number;
  /** By the index of the segment that tells them. */
  readonly tilePartLengths: Map<number, readonly (Partial<TilePartLength> & { readonly sizeBytes: number })[]>;
  readonly tileParts: TilePartLength[];
  /** Bytes of packet lengths in the header of the tile-part that is open, by the index of their segment. */
  readonly packetLengths: Map<number, Buffer>;
}

const HAS_FORM: ReadonlyMap<number, (body: Buffer, state: State) => boolean> = new Map([
  [CAP, (body: Buffer) => body.length === 6 && body.readUInt32BE(0) === HIGH_THROUGHPUT],
  [SIZ, isSize],
  [
    COD,
    (body: Buffer, state: State) => isCodingStyle(body.subarray(0, 1), body.subarray(5), state) && (body[1] ?? 9) <= 4,
  ],
  [
    COC,
    (body: Buffer, state: State) =>
      isComponent(body, state) && isCodingStyle(body.subarray(1, 2), body.subarray(2), state),
  ],
  [QCD, isQuantization],
  [QCC, (body: Buffer, state: State) => isComponent(body, state) && isQuantization(body.subarray(1), state)],
  // Component, style 0, shift. ISO 15444-1 A.6.3.
  [RGN, (body: Buffer, state: State) => body.length === 3 && isComponent(body, state) && body[1] === 0],
  [POC, isProgression],
  [TLM, takeTilePartLengths],
  [PLT, takePacketLengths],
]);

export function createJpeg2000Segments(): Jpeg2000Segments {
  const state: State = {
    ...{ components: 0, rows: 0, columns: 0, bits: 0, tiles: 0, levels: 0, subbands: 0 },
    ...{ tilePartLengths: new Map(), tileParts: [], packetLengths: new Map() },
  };
  return {
    judge(marker, body, isInTilePart) {
      // The size comes first, and once. ISO 15444-1 A.5.1.
      if ((marker === SIZ) !== (state.components === 0)) return "refused";
      if (isInTilePart ? MAIN_HEADER_ONLY.has(marker) : marker === PLT) return "refused";
      if (INFORMATIVE.has(marker)) return "informative";
      return HAS_FORM.get(marker)?.(body, state) === true ? "kept" : "refused";
    },
    startTilePart(part) {
      state.tileParts.push(part);
      state.packetLengths.clear();
      return part.tile < state.tiles;
    },
    endTilePart(dataBytes) {
      return state.packetLengths.size === 0 || sumOfPackets(inOrder(state.packetLengths)) === dataBytes;
    },
    isConsistent() {
      if (state.subbands > 3 * state.levels + 1) return false;
      return state.tilePartLengths.size === 0 || areTold(inOrder(state.tilePartLengths).flat(), state);
    },
    get hasTilePartLengths() {
      return state.tilePartLengths.size > 0;
    },
    shape: () => ({
      ...{ rows: state.rows, columns: state.columns },
      ...{ samplesPerPixel: state.components, bits: state.bits },
    }),
  };
}

/** ISO 15444-1 A.5.1: capabilities, image, tiles, then three bytes for each component. */
function isSize(body: Buffer, state: State): boolean {
  if (body.length < 36) return false;
  const components = body.readUInt16BE(34);
  if (components < 1 || components > COMPONENTS_LIMIT || body.length !== 36 + 3 * components) return false;
  const tilesAlong = (axis: 0 | 4): number => {
    const tileSize = body.readUInt32BE(18 + axis);
    return tileSize === 0 ? 0 : Math.ceil((body.readUInt32BE(2 + axis) - body.readUInt32BE(26 + axis)) / tileSize);
  };
  for (let at = 36; at < body.length; at += 3) {
    const samplesAlong = (axis: 0 | 4, step: number): number =>
      Math.ceil(body.readUInt32BE(2 + axis) / step) - Math.ceil(body.readUInt32BE(10 + axis) / step);
    // The depth less one, beside the bit that says signed; then of so many columns and rows one has a sample. ISO 15444-1 table A.11.
    const [depth = 0, horizontal = 0, vertical = 0] = body.subarray(at);
    if (horizontal === 0 || vertical === 0) return false;
    state.bits = Math.max(state.bits, (depth & 0x7f) + 1);
    state.columns = Math.max(state.columns, samplesAlong(0, horizontal));
    state.rows = Math.max(state.rows, samplesAlong(4, vertical));
  }
  state.components = components;
  state.tiles = tilesAlong(0) * tilesAlong(4);
  return true;
}

/** ISO 15444-1 A.6.1: levels, width and height of code-blocks, their style, the transform; then a byte for each precinct where the style says so. */
function isCodingStyle(style: Buffer, parameters: Buffer, state: State): boolean {
  const [levels = LEVELS_LIMIT + 1, width = 0, height = 0, , transform = 0] = parameters;
  const [flags = 0] = style;
  if (levels > LEVELS_LIMIT || width > 8 || height > 8 || transform > 1 || flags > 7) return false;
  state.levels = Math.max(state.levels, levels);
  return parameters.length === ((flags & 1) === 1 ? 6 + levels : 5);
}

/** ISO 15444-1 A.6.4: a byte or word for each of the 3n + 1 subbands of n levels, or one word that they all follow from. */
function isQuantization(body: Buffer, state: State): boolean {
  const style = (body[0] ?? 0) & 31;
  if (style === 1) return body.length === 3;
  const subbands = (body.length - 1) / (style === 0 ? 1 : 2);
  state.subbands = Math.max(state.subbands, subbands);
  return style <= 2 && subbands % 3 === 1;
}

/** ISO 15444-1 A.6.6: from and to which resolution, component and layer, and in which order. */
function isProgression(body: Buffer, { components }: State): boolean {
  if (body.length === 0 || body.length % 7 !== 0) return false;
  for (let at = 0; at < body.length; at += 7) {
    const isInRange = body.readUInt8(at) <= LEVELS_LIMIT && body.readUInt8(at + 4) <= LEVELS_LIMIT + 1;
    if (!isInRange || body.readUInt8(at + 1) >= components || body.readUInt8(at + 6) > 4) return false;
  }
  return true;
}

function isComponent(body: Buffer, { components }: State): boolean {
  return (body[0] ?? components) < components;
}

/** ISO 15444-1 A.7.1: an index, how large the numbers are, then of each tile-part its tile, unless they come in order, and its length. */
function takeTilePartLengths(body: Buffer, { tilePartLengths }: State): boolean {
  if (body.length < 2) return false;
  const sizes = body.readUInt8(1);
  const tileBytes = (sizes >>> 4) & 3;
  const lengthBytes = ((sizes >>> 6) & 1) === 1 ? 4 : 2;
  const entryBytes = tileBytes + lengthBytes;
  if ((sizes & 0x8f) !== 0 || tileBytes === 3 || (body.length - 2) % entryBytes !== 0) return false;
  const entries = Array.from({ length: (body.length - 2) / entryBytes }, (_, index) => {
    const at = 2 + index * entryBytes;
    const sizeBytes = body.readUIntBE(at + tileBytes, lengthBytes);
    return tileBytes === 0 ? { sizeBytes } : { tile: body.readUIntBE(at, tileBytes), sizeBytes };
  });
  if (tilePartLengths.has(body.readUInt8(0))) return false;
  tilePartLengths.set(body.readUInt8(0), entries);
  return true;
}

function areTold(
  told: readonly (Partial<TilePartLength> & { readonly sizeBytes: number })[],
  { tileParts }: State,
): boolean {
  return (
    told.length === tileParts.length &&
    tileParts.every(({ tile, sizeBytes }, index) => {
      const entry = told[index];
      return entry?.sizeBytes === sizeBytes && (entry.tile ?? index) === tile;
    })
  );
}

/** ISO 15444-1 A.7.3: an index, then the lengths of packets. */
function takePacketLengths(body: Buffer, { packetLengths }: State): boolean {
  const [index] = body;
  if (index === undefined || packetLengths.has(index)) return false;
  packetLengths.set(index, body.subarray(1));
  return true;
}

/** Numbers of seven bits a byte, the last of each below 80H. Undefined: one has no end. */
function sumOfPackets(parts: readonly Buffer[]): number | undefined {
  let sum = 0;
  let packet = 0;
  let isOpen = false;
  for (const byte of Buffer.concat(parts)) {
    packet = packet * 128 + (byte & 0x7f);
    isOpen = byte >= 0x80;
    if (isOpen) continue;
    sum += packet;
    packet = 0;
  }
  return isOpen ? undefined : sum;
}

function inOrder<T>(byIndex: ReadonlyMap<number, T>): T[] {
  return [...byIndex].sort(([a], [b]) => a - b).map(([, value]) => value);
}
