import { createPieceList, cutTail, ENCODER_COMMENT, type FrameScan, type PieceList, unreadable } from "./frame-scan.ts";
import { createJpegSegments } from "./jpeg-segments.ts";

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const COM = 0xfe;
const APP0 = 0xe0;
const APP8 = 0xe8;
const APP14 = 0xee;
const APP15 = 0xef;

/** Identifier of 5 bytes, version, units, densities: the rest is a thumbnail. JFIF 1.02. */
const JFIF_BYTES = 14;
/** "Adobe", version, two flags, colour transform. ISO 10918-6 6.5.3. */
const ADOBE_BYTES = 12;

/** One frame of the JPEG family (ISO 10918-1, 14495-1): marker by marker, entropy-coded data up to the next marker. */
export function scanJpegFrame(frame: Uint8Array): FrameScan {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  if (bytes.length < 4 || bytes[0] !== 0xff || bytes[1] !== SOI) return unreadable("no-start-of-image");
  const list = createPieceList();
  const segments = createJpegSegments();
  const essentials = new Set<number>();
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
      return list.scan(segments.shape());
    }
    if (at + 4 > bytes.length) return unreadable("truncated");
    const length = bytes.readUInt16BE(at + 2);
    const end = at + 2 + length;
    if (length < 2 || end > bytes.length) return unreadable("truncated");
    if (isMetadata(marker)) judgeMetadata(marker, bytes, at, end, list, essentials);
    else if (segments.isUnderstood(marker, bytes.subarray(at + 4, end))) list.keep(at, end);
    else return unreadable("marker");
    at = end;
    if (marker === SOS) {
      at = endOfEntropyCodedData(bytes, end, segments.isJpegLs);
      list.keep(end, at);
    }
  }
  return unreadable("truncated");
}

function isMetadata(marker: number): boolean {
  return marker === COM || (marker >= APP0 && marker <= APP15);
}

/** Comments and application segments: kept as far as the decoded pixels depend on them, and once. */
function judgeMetadata(
  marker: number,
  bytes: Buffer,
  at: number,
  end: number,
  list: PieceList,
  essentials: Set<number>,
): void {
  const body = bytes.subarray(at + 4, end);
  if (marker === COM) {
    if (ENCODER_COMMENT.test(body.toString("latin1"))) list.keep(at, end);
    else list.removed("comment");
    return;
  }
  const essential = essentials.has(marker) ? undefined : essentialOf(marker, body);
  if (essential === undefined || !essential.equals(body)) list.removed("application-segment");
  if (essential === undefined) return;
  essentials.add(marker);
  if (essential.equals(body)) list.keep(at, end);
  else list.put(segment(marker, essential));
}

/** What of an application segment tells a decoder about colours: JFIF and Adobe without anything else, HP's transform of JPEG-LS. */
function essentialOf(marker: number, body: Buffer): Buffer | undefined {
  const name = body.toString("latin1", 0, 5);
  if (marker === APP0 && name === "JFIF\0" && isJfif(body))
    return Buffer.concat([body.subarray(0, JFIF_BYTES - 2), Buffer.of(0, 0)]);
  if (marker === APP14 && name === "Adobe" && isAdobe(body)) return body.subarray(0, ADOBE_BYTES);
  if (marker === APP8 && body.length === 5 && name.startsWith("mrfx") && body.readUInt8(4) <= 3) return body;
  return undefined;
}

/** Version 1.00 to 1.02; no unit, inches or centimetres. */
function isJfif(body: Buffer): boolean {
  const [, , , , , major, minor = 9, units = 9] = body;
  return body.length >= JFIF_BYTES && major === 1 && minor <= 2 && units <= 2;
}

/** Version 100 or 101; no transform, YCbCr or YCCK. */
function isAdobe(body: Buffer): boolean {
  const version = body.length < ADOBE_BYTES ? 0 : body.readUInt16BE(5);
  return (version === 100 || version === 101) && body.readUInt8(ADOBE_BYTES - 1) <= 2;
}

function segment(marker: number, body: Uint8Array): Uint8Array {
  const length = body.length + 2;
  return Buffer.concat([Buffer.of(0xff, marker, length >>> 8, length & 0xff), body]);
}

/** Past the entropy-coded data: a marker that is neither stuffing (FF00), a restart nor, in JPEG-LS, a stuffed bit (FF and a byte below 80H). */
function endOfEntropyCodedData(bytes: Buffer, from: number, isJpegLs: boolean): number {
  const largestStuffed = isJpegLs ? 0x7f : 0;
  let at = from;
  while (at + 1 < bytes.length) {
    at = bytes.indexOf(0xff, at);
    if (at < 0 || at + 1 >= bytes.length) return bytes.length;
    const next = bytes.readUInt8(at + 1);
    const isRestart = next >= 0xd0 && next <= 0xd7;
    if (next > largestStuffed && !isRestart && next !== 0xff) return at;
    at += next === 0xff ? 1 : 2;
  }
  return bytes.length;
}
