import { createPieceList, cutTail, ENCODER_COMMENT, type FrameScan, type PieceList, unreadable } from "./frame-scan.ts";

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const COM = 0xfe;
const APP0 = 0xe0;
const APP8 = 0xe8;
const APP14 = 0xee;

/**
 * Segments an image is made of: frames C0 to CF but for the reserved C8, tables and restarts DB to DD, and of JPEG-LS the frame F7 and
 * parameters F8. ISO 10918-1 table B.1, ISO 14495-1 table C.1.
 */
const IMAGE_SEGMENTS: ReadonlySet<number> = new Set([
  0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xda, 0xdb, 0xdc, 0xdd,
  0xf7, 0xf8,
]);
/** Identifier of 5 bytes, version, units, densities: the rest is a thumbnail. JFIF 1.02. */
const JFIF_BYTES = 14;
/** "Adobe", version, two flags, colour transform. ISO 10918-6 6.5.3. */
const ADOBE_BYTES = 12;

/** One frame of the JPEG family (ISO 10918-1, 14495-1): marker by marker, entropy-coded data up to the next marker. */
export function scanJpegFrame(frame: Uint8Array): FrameScan {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  if (bytes.length < 4 || bytes[0] !== 0xff || bytes[1] !== SOI) return unreadable("no-start-of-image");
  const list = createPieceList();
  list.keep(0, 2);
  let at = 2;
  while (at + 1 < bytes.length) {
    if (bytes[at] !== 0xff) return unreadable("marker");
    const marker = bytes.readUInt8(at + 1);
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === EOI) {
      list.keep(at, at + 2);
      cutTail(bytes, at + 2, list);
      return list.scan();
    }
    if (at + 4 > bytes.length) return unreadable("truncated");
    const length = bytes.readUInt16BE(at + 2);
    const end = at + 2 + length;
    if (length < 2 || end > bytes.length) return unreadable("truncated");
    if (IMAGE_SEGMENTS.has(marker)) list.keep(at, end);
    else if (!judgeMetadata(marker, bytes, at, end, list)) return unreadable("marker");
    at = end;
    if (marker === SOS) {
      at = endOfEntropyCodedData(bytes, end);
      list.keep(end, at);
    }
  }
  return unreadable("truncated");
}

/** Comments and application segments: kept as far as the decoded pixels depend on them. False: neither of the two. */
function judgeMetadata(marker: number, bytes: Buffer, at: number, end: number, list: PieceList): boolean {
  const body = bytes.subarray(at + 4, end);
  if (marker === COM) {
    if (ENCODER_COMMENT.test(body.toString("latin1"))) list.keep(at, end);
    else list.removed("comment");
    return true;
  }
  if (marker < APP0 || marker > 0xef) return false;
  const essential = essentialOf(marker, body);
  if (essential === undefined || !essential.equals(body)) list.removed("application-segment");
  if (essential?.equals(body)) list.keep(at, end);
  else if (essential !== undefined) list.put(segment(marker, essential));
  return true;
}

/** What of an application segment tells a decoder about colours: JFIF and Adobe without anything else, HP's transform of JPEG-LS. */
function essentialOf(marker: number, body: Buffer): Buffer | undefined {
  const name = body.toString("latin1", 0, 5);
  if (marker === APP0 && name === "JFIF\0" && body.length >= JFIF_BYTES)
    return Buffer.concat([body.subarray(0, JFIF_BYTES - 2), Buffer.of(0, 0)]);
  if (marker === APP14 && name === "Adobe" && body.length >= ADOBE_BYTES) return body.subarray(0, ADOBE_BYTES);
  if (marker === APP8 && body.length === 5 && name.startsWith("mrfx") && body.readUInt8(4) <= 3) return body;
  return undefined;
}

function segment(marker: number, body: Uint8Array): Uint8Array {
  const length = body.length + 2;
  return Buffer.concat([Buffer.of(0xff, marker, length >>> 8, length & 0xff), body]);
}

/** Past the entropy-coded data: a marker that is neither stuffing (FF00), a restart nor, in JPEG-LS, a stuffed bit (FF and a byte below 80H). */
function endOfEntropyCodedData(bytes: Buffer, from: number): number {
  let at = from;
  while (at + 1 < bytes.length) {
    at = bytes.indexOf(0xff, at);
    if (at < 0 || at + 1 >= bytes.length) return bytes.length;
    const next = bytes.readUInt8(at + 1);
    if (next >= 0x80 && !(next >= 0xd0 && next <= 0xd7) && next !== 0xff) return at;
    at += next === 0xff ? 1 : 2;
  }
  return bytes.length;
}
