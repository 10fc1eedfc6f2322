import { createHash } from "node:crypto";
import { tags } from "../../dicom/dictionary/tags.ts";
import { bytesSource, readPart10 } from "../../dicom/reader.ts";
import { tagOf } from "../../dicom/tag.ts";
import { uidOf } from "../../dicom/values.ts";

/** Sums of a Part 10 file that were taken in one pass. */
export interface FileDigests {
  /** Of the whole file, as XNAT's catalogues have it. */
  readonly md5: string;
  /** SHA-256 of what follows the file meta information, which everybody writes anew; undefined: no Part 10 file. */
  readonly dataSet: string | undefined;
  /** The file's beginning. */
  readonly head: Buffer;
}

/** Preamble, prefix, and (0002,0000) UL with its length of 4 and its value. PS3.10 7.1. */
const META_START = 132;
const GROUP_LENGTH_BYTES = 12;
/** As much of a file's beginning as is kept: its meta information ends well before. */
const HEAD_BYTES = 64 * 1024;

export async function fileDigests(pieces: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<FileDigests> {
  const whole = createHash("md5");
  const dataSet = createHash("sha256");
  let head = Buffer.alloc(0);
  let offset = 0;
  let start: number | undefined;
  for await (const piece of pieces) {
    signal.throwIfAborted();
    whole.update(piece);
    if (head.length < HEAD_BYTES) head = Buffer.concat([head, piece]).subarray(0, HEAD_BYTES);
    start ??= dataSetOffset(head);
    // No byte of the data set has gone by yet: it begins behind the bytes that its offset is read from.
    if (start !== undefined) dataSet.update(piece.subarray(Math.max(0, start - offset)));
    offset += piece.length;
  }
  const isPart10 = start !== undefined && offset > start;
  return { md5: whole.digest("hex"), dataSet: isPart10 ? dataSet.digest("hex") : undefined, head };
}

function dataSetOffset(head: Buffer): number | undefined {
  if (head.length < META_START + GROUP_LENGTH_BYTES) return undefined;
  const isMeta = head.toString("latin1", 128, META_START) === "DICM" && head.readUInt32LE(META_START) === 0x0002;
  return isMeta ? META_START + GROUP_LENGTH_BYTES + head.readUInt32LE(META_START + 8) : undefined;
}

/** The beginning; the rest is not fetched. */
export async function headOf(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const found: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const piece of pieces) {
    found.push(piece);
    sizeBytes += piece.length;
    if (sizeBytes >= HEAD_BYTES) break;
  }
  return Buffer.concat(found);
}

/** SOP Instance UID by the file meta information; undefined: no DICOM. */
export async function uidInHead(head: Buffer): Promise<string | undefined> {
  try {
    const { meta } = await readPart10(bytesSource(head), { stopBefore: tagOf(0x00080000) });
    return uidOf(meta, tags.MediaStorageSOPInstanceUID);
  } catch {
    return undefined;
  }
}
