import { createPieceList, cutTail, ENCODER_COMMENT, type FrameScan, type PieceList, unreadable } from "./frame-scan.ts";

const SOC = 0xff4f;
const SOT = 0xff90;
const SOD = 0xff93;
const EOC = 0xffd9;
const TLM = 0xff55;
const COM = 0xff64;
/** Psot stands behind marker, length and tile index. ISO 15444-1 A.4.2. */
const PSOT_OFFSET = 6;

/**
 * Segments a codestream is made of: ISO 15444-1 table A.2, of part 15 (high throughput) CAP, PRF and CPF, of part 2 the transforms of
 * components and wavelets. What other numbers hold cannot be told.
 */
const IMAGE_SEGMENTS: ReadonlySet<number> = new Set([
  0xff50,
  0xff51,
  0xff52,
  0xff53,
  0xff55,
  0xff56,
  0xff57,
  0xff58,
  0xff59,
  0xff5c,
  0xff5d,
  0xff5e,
  0xff5f,
  0xff60,
  0xff61,
  0xff63,
  0xff70,
  0xff71,
  0xff72,
  0xff73,
  0xff74,
  0xff75,
  0xff76,
  0xff77,
  0xff78,
  0xff79,
  SOT,
]);

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
  readonly hasDeclaredLength: boolean;
}

function scanCodestream(bytes: Buffer, from: number, to: number, list: PieceList): FrameScan {
  if (to - from < 4 || bytes.readUInt16BE(from) !== SOC) return unreadable("no-start-of-image");
  list.keep(from, from + 2);
  let at = from + 2;
  let tilePart: TilePart | undefined;
  let hasTilePartLengths = false;
  while (at + 1 < to) {
    const marker = bytes.readUInt16BE(at);
    if (marker === EOC) {
      list.keep(at, at + 2);
      cutTail(bytes.subarray(0, to), at + 2, list);
      return list.scan();
    }
    if (marker === SOD) {
      if (tilePart === undefined || tilePart.end <= at) return unreadable("truncated");
      list.keep(at, tilePart.end);
      at = tilePart.end;
      tilePart = undefined;
      continue;
    }
    if (at + 4 > to) return unreadable("truncated");
    const end = at + 2 + bytes.readUInt16BE(at + 2);
    if (end < at + 4 || end > to) return unreadable("truncated");
    hasTilePartLengths ||= marker === TLM;
    if (marker === SOT) {
      tilePart = tilePartAt(bytes, at, end, to);
      if (tilePart === undefined) return unreadable("truncated");
      keepTileHeader(bytes, tilePart, list);
    } else if (marker === COM) {
      // Lengths of tile-parts are told twice where there is a TLM: not touched.
      const isEncoder = isEncoderComment(bytes.subarray(at + 4, end));
      if (isEncoder) list.keep(at, end);
      else if (tilePart !== undefined && hasTilePartLengths) return unreadable("comment");
      else list.removed("comment");
    } else if (IMAGE_SEGMENTS.has(marker)) list.keep(at, end);
    else return unreadable("marker");
    at = end;
  }
  return unreadable("truncated");
}

function tilePartAt(bytes: Buffer, at: number, end: number, to: number): TilePart | undefined {
  if (end !== at + 12) return undefined;
  const length = bytes.readUInt32BE(at + PSOT_OFFSET);
  const last = length === 0 ? bytes.subarray(0, to).lastIndexOf(Buffer.of(0xff, 0xd9)) : at + length;
  return last <= end || last > to ? undefined : { start: at, end: last, hasDeclaredLength: length !== 0 };
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
