/** Encoders that sign their work: comments of exactly these forms are no one's data. */
const ENCODER_COMMENT =
  /^(?:LEAD Technologies Inc\. V[0-9.]{1,6}|Kakadu-v?[0-9.]{1,8}|Created by (?:GDCM\/)?OpenJPEG version [0-9.]{1,8}|Creator: JasPer Version [0-9.]{1,9}|CREATOR: gd-jpeg v[0-9.]{1,4} \(using IJG JPEG v[0-9]{2}\)(?:, quality = [0-9]{1,3})?)?[\0\n ]*$/;

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const COM = 0xfe;
const APP0 = 0xe0;
const APP14 = 0xee;

/** What a frame must be proven to be before it is copied: `undefined` when nothing can hide in it, else a word for the report. */
export type FrameFinding =
  | "no-start-of-image"
  | "application-segment"
  | "comment"
  | "truncated"
  | "trailing-bytes"
  | "marker"
  | undefined;

/** One frame of the JPEG family (ISO 10918-1, 14495-1): marker by marker, entropy-coded data up to the next marker. */
export function inspectJpegFrame(frame: Uint8Array): FrameFinding {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  if (bytes.length < 4 || bytes[0] !== 0xff || bytes[1] !== SOI) return "no-start-of-image";
  let at = 2;
  while (at + 1 < bytes.length) {
    if (bytes[at] !== 0xff) return "marker";
    const marker = bytes.readUInt8(at + 1);
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === EOI) return bytes.length - at - 2 <= 1 ? undefined : inspectTail(bytes, at + 2);
    if (at + 4 > bytes.length) return "truncated";
    const length = bytes.readUInt16BE(at + 2);
    if (length < 2 || at + 2 + length > bytes.length) return "truncated";
    const body = bytes.subarray(at + 4, at + 2 + length);
    const finding = inspectSegment(marker, body);
    if (finding !== undefined) return finding;
    at += 2 + length;
    if (marker === SOS) at = endOfEntropyCodedData(bytes, at);
  }
  return "truncated";
}

function inspectSegment(marker: number, body: Buffer): FrameFinding {
  if (marker === COM) return ENCODER_COMMENT.test(body.toString("latin1")) ? undefined : "comment";
  if (marker === APP0) return isJfifWithoutThumbnail(body) ? undefined : "application-segment";
  if (marker === APP14)
    return body.length === 12 && body.toString("latin1", 0, 5) === "Adobe" ? undefined : "application-segment";
  if (marker >= 0xe0 && marker <= 0xef) return "application-segment";
  return marker >= 0xc0 ? undefined : "marker";
}

/** JFIF 1.02: identifier, version, density, thumbnail of 0 by 0; nothing behind it. */
function isJfifWithoutThumbnail(body: Buffer): boolean {
  return body.length === 14 && body.toString("latin1", 0, 5) === "JFIF\0" && body[12] === 0 && body[13] === 0;
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

/** Encoders pad with zeros; anything else behind the end is no part of the image. */
function inspectTail(bytes: Buffer, from: number): FrameFinding {
  return bytes.subarray(from).every((byte) => byte === 0 || byte === 0xff) ? undefined : "trailing-bytes";
}

/** JPEG 2000 codestream (ISO 15444-1 A): main and tile-part headers marker by marker, tile-parts by their declared length. */
export function inspectJpeg2000Frame(frame: Uint8Array): FrameFinding {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xff4f) return "no-start-of-image";
  let at = 2;
  let tilePartEnd = 0;
  while (at + 1 < bytes.length) {
    const marker = bytes.readUInt16BE(at);
    if (marker === 0xffd9) return inspectTail(bytes, at + 2);
    if (marker === 0xff93) {
      if (tilePartEnd <= at) return "truncated";
      at = tilePartEnd;
      continue;
    }
    if (marker < 0xff30 || at + 4 > bytes.length) return "marker";
    const length = bytes.readUInt16BE(at + 2);
    if (length < 2 || at + 2 + length > bytes.length) return "truncated";
    if (marker === 0xff64 && !isEncoderComment(bytes.subarray(at + 4, at + 2 + length))) return "comment";
    if (marker === 0xff90) {
      const tilePartLength = bytes.readUInt32BE(at + 6);
      tilePartEnd = tilePartLength === 0 ? bytes.lastIndexOf(Buffer.of(0xff, 0xd9)) : at + tilePartLength;
      if (tilePartEnd <= at || tilePartEnd > bytes.length) return "truncated";
    }
    at += 2 + length;
  }
  return "truncated";
}

/** Two bytes of registration, then text. ISO 15444-1 A.9.2. */
function isEncoderComment(body: Buffer): boolean {
  return body.length >= 2 && ENCODER_COMMENT.test(body.toString("latin1", 2));
}
