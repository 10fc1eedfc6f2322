import { createPieceList, cutTail, ENCODER_COMMENT, type FrameScan, type PieceList, unreadable } from "./frame-scan.ts";
import { createJpeg2000Segments, type Jpeg2000Segments } from "./jpeg2000-segments.ts";

const SOC = 0xff4f;
const SOT = 0xff90;
const SOD = 0xff93;
const EOC = 0xffd9;
const COM = 0xff64;
/** Psot stands behind marker, length and tile index. ISO 15444-1 A.4.2. */
const PSOT_OFFSET = 6;
const TILE_OFFSET = 4;
/** Start of packet and end of packet header, within tile data. ISO 15444-1 A.8. */
const SOP = 0xff91;
const EPH = 0xff92;
/** Marker, length and number of the packet. ISO 15444-1 A.8.1. */
const SOP_BYTES = 6;
const LARGEST_CODED = 0xff8f;

/** First box of a JP2 file. ISO 15444-1 I.5.1. */
const SIGNATURE_BOX = "0000000c6a502020";
const BOX_LIMIT = 256;

/** JPEG 2000 (ISO 15444-1 A) and its high throughput form: main and tile-part headers marker by marker, tile-parts by their declared length. */
export function scanJpeg2000Frame(frame: Uint8Array): FrameScan {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  const list = createPieceList();
  if (bytes.toString("hex", 0, 8) !== SIGNATURE_BOX) return scanCodestream(bytes, 0, bytes.length, list);
  const codestream = codestreamOf(bytes);
  if (codestream === undefined) return unreadable("file-format");
  list.removed("file-format");
  return scanCodestream(bytes, codestream.from, codestream.to, list);
}

/** The contiguous codestream box of a JP2 file; undefined when there is not just one, or samples are indexes of a palette box. ISO 15444-1 I.4. */
function codestreamOf(bytes: Buffer): { readonly from: number; readonly to: number } | undefined {
  const found: { from: number; to: number }[] = [];
  let at = 0;
  for (let count = 0; count < BOX_LIMIT && at + 8 <= bytes.length; count += 1) {
    const length = bytes.readUInt32BE(at);
    const isExtended = length === 1;
    if (isExtended && at + 16 > bytes.length) return undefined;
    const sizeBytes = length === 0 ? bytes.length - at : isExtended ? Number(bytes.readBigUInt64BE(at + 8)) : length;
    const headerBytes = isExtended ? 16 : 8;
    if (sizeBytes < headerBytes || at + sizeBytes > bytes.length) return undefined;
    const type = bytes.toString("latin1", at + 4, at + 8);
    if (type === "jp2h" && bytes.subarray(at, at + sizeBytes).includes("pclr")) return undefined;
    if (type === "jp2c") found.push({ from: at + headerBytes, to: at + sizeBytes });
    at += sizeBytes;
  }
  return found.length === 1 ? found[0] : undefined;
}

interface TilePart {
  /** Where its SOT is, and how far it reaches. */
  readonly start: number;
  readonly end: number;
  readonly tile: number;
  readonly hasDeclaredLength: boolean;
}

function scanCodestream(bytes: Buffer, from: number, to: number, list: PieceList): FrameScan {
  if (to - from < 4 || bytes.readUInt16BE(from) !== SOC) return unreadable("no-start-of-image");
  const segments = createJpeg2000Segments();
  list.keep(from, from + 2);
  let at = from + 2;
  let tilePart: TilePart | undefined;
  while (at + 1 < to) {
    const marker = bytes.readUInt16BE(at);
    if (marker === EOC) {
      if (!segments.isConsistent()) return unreadable("marker");
      list.keep(at, at + 2);
      cutTail(bytes.subarray(0, to), at + 2, list);
      return list.scan(segments.shape());
    }
    if (marker === SOD) {
      if (tilePart === undefined || tilePart.end < at + 2) return unreadable("truncated");
      const isTold = segments.endTilePart(tilePart.end - at - 2);
      if (!isTold || endOfPackets(bytes, at + 2, tilePart.end) < tilePart.end) return unreadable("marker");
      list.keep(at, tilePart.end);
      at = tilePart.end;
      tilePart = undefined;
      continue;
    }
    if (at + 4 > to) return unreadable("truncated");
    const end = at + 2 + bytes.readUInt16BE(at + 2);
    if (end < at + 4 || end > to) return unreadable("truncated");
    if (marker === SOT) {
      const next = tilePart === undefined ? tilePartAt(bytes, at, end, to) : undefined;
      if (next === undefined) return unreadable("truncated");
      if (!segments.startTilePart({ tile: next.tile, sizeBytes: next.end - next.start })) return unreadable("marker");
      tilePart = next;
      keepTileHeader(bytes, tilePart, list);
    } else {
      const finding = judgeSegment(marker, bytes.subarray(at + 4, end), tilePart !== undefined, segments);
      if (finding === undefined) list.keep(at, end);
      else if (finding.isRemoved) list.removed(finding.word);
      else return unreadable(finding.word);
    }
    at = end;
  }
  return unreadable("truncated");
}

interface SegmentFinding {
  readonly word: "comment" | "marker" | "informative-segment";
  readonly isRemoved: boolean;
}

/** What is wrong with a marker segment; undefined: nothing, it stays. */
function judgeSegment(
  marker: number,
  body: Buffer,
  isInTilePart: boolean,
  segments: Jpeg2000Segments,
): SegmentFinding | undefined {
  if (marker === COM) {
    if (isEncoderComment(body)) return undefined;
    // Lengths of tile-parts are told twice where there is a TLM: not touched.
    return { word: "comment", isRemoved: !(isInTilePart && segments.hasTilePartLengths) };
  }
  const judgement = segments.judge(marker, body, isInTilePart);
  if (judgement === "kept") return undefined;
  return judgement === "informative"
    ? { word: "informative-segment", isRemoved: true }
    : { word: "marker", isRemoved: false };
}

/** A tile-part without a length is the last, and ends with the codestream. ISO 15444-1 A.4.2. */
function tilePartAt(bytes: Buffer, at: number, end: number, to: number): TilePart | undefined {
  if (end !== at + 12) return undefined;
  const length = bytes.readUInt32BE(at + PSOT_OFFSET);
  const last = length === 0 ? endOfCodestream(bytes, end, to) : at + length;
  if (last === undefined || last <= end || last > to) return undefined;
  return { start: at, end: last, tile: bytes.readUInt16BE(at + TILE_OFFSET), hasDeclaredLength: length !== 0 };
}

/** The first EOC behind the start of data: packets hold none. */
function endOfCodestream(bytes: Buffer, from: number, to: number): number | undefined {
  const data = bytes.subarray(0, to).indexOf(Buffer.of(SOD >>> 8, SOD & 0xff), from);
  const last = data < 0 ? to : endOfPackets(bytes, data + 2, to);
  return last < to && bytes.readUInt16BE(last) === EOC ? last : undefined;
}

/** The first marker that is none of packets, else `to`: FF is followed by no more than 8F in what is coded. ISO 15444-1 A.1, A.8. */
function endOfPackets(bytes: Buffer, from: number, to: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0 && at + 1 < to; ) {
    const marker = bytes.readUInt16BE(at);
    if (marker > LARGEST_CODED && marker !== SOP && marker !== EPH) return at;
    // The number of a packet may end with FF, whatever follows.
    at = bytes.indexOf(0xff, marker === SOP ? at + SOP_BYTES : at + 1);
  }
  return to;
}

/** The SOT segment, its length less what goes from the header behind it. */
function keepTileHeader(bytes: Buffer, { start, end, hasDeclaredLength }: TilePart, list: PieceList): void {
  const removedBytes = hasDeclaredLength ? foreignCommentBytes(bytes, start + 12, end) : 0;
  if (removedBytes === 0) {
    list.keep(start, start + 12);
    return;
  }
  const header = Buffer.from(bytes.subarray(start, start + 12));
  header.writeUInt32BE(end - start - removedBytes, PSOT_OFFSET);
  list.put(header);
}

/** Bytes of comments in a tile-part header that no encoder signed with. */
function foreignCommentBytes(bytes: Buffer, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at + 4 <= to && bytes.readUInt16BE(at) !== SOD; ) {
    const end = at + 2 + bytes.readUInt16BE(at + 2);
    if (end < at + 4) break;
    if (bytes.readUInt16BE(at) === COM && !isEncoderComment(bytes.subarray(at + 4, end))) sum += end - at;
    at = end;
  }
  return sum;
}

/** Two bytes of registration, then text. ISO 15444-1 A.9.2. */
function isEncoderComment(body: Buffer): boolean {
  return body.length >= 2 && ENCODER_COMMENT.test(body.toString("latin1", 2));
}
