import {
  CENTRAL_HEADER,
  CENTRAL_HEADER_BYTES,
  END_OF_DIRECTORY,
  END_OF_DIRECTORY_64,
  END_OF_DIRECTORY_64_BYTES,
  END_OF_DIRECTORY_BYTES,
  IN_ZIP64_16,
  IN_ZIP64_32,
  LOCAL_HEADER_BYTES,
  LOCATOR_64_BYTES,
  STORED,
  ZIP64_EXTRA,
} from "./zip-format.ts";

/** A file in a zip, as the directory at its end has it. */
export interface ZipEntry {
  readonly name: string;
  /** Of the content. */
  readonly sizeBytes: number;
  readonly sum: number;
  /** Where the content begins in the zip. */
  readonly start: number;
}

/** A zip, or what lies where one should. */
export interface ZipSource {
  readonly sizeBytes: number;
  /** All bytes from there to the end. */
  readFrom(start: number): Promise<Buffer>;
}

const LARGEST_DIRECTORY_BYTES = 256 * 1024 * 1024;
/** Most directories are in it, so that one reading is enough. */
const USUAL_TAIL_BYTES = 64 * 1024;

/**
 * The entries of a zip that `zipStream` wrote: stored, without comment, one after the other from the first byte to the directory.
 * @returns undefined for anything else, a zip that was cut among them
 */
export async function readZipDirectory(source: ZipSource): Promise<readonly ZipEntry[] | undefined> {
  const tailStart = Math.max(0, source.sizeBytes - USUAL_TAIL_BYTES);
  const tail = await source.readFrom(tailStart);
  if (tail.length !== source.sizeBytes - tailStart) return undefined;
  try {
    const place = placeOfDirectory(tail, tailStart);
    if (place === undefined || place.sizeBytes > LARGEST_DIRECTORY_BYTES) return undefined;
    const bytes =
      place.start >= tailStart ? tail.subarray(place.start - tailStart) : await source.readFrom(place.start);
    return entriesOf(bytes.subarray(0, place.sizeBytes), place);
  } catch (thrown) {
    // A field that lies outside of what there is: Node's own range checks.
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  }
}

interface DirectoryPlace {
  readonly start: number;
  readonly sizeBytes: number;
  readonly entries: number;
}

function placeOfDirectory(tail: Buffer, tailStart: number): DirectoryPlace | undefined {
  const end = tail.length - END_OF_DIRECTORY_BYTES;
  if (end < 0 || tail.readUInt32LE(end) !== END_OF_DIRECTORY) return undefined;
  const small = {
    entries: tail.readUInt16LE(end + 10),
    sizeBytes: tail.readUInt32LE(end + 12),
    start: tail.readUInt32LE(end + 16),
  };
  const is64 = small.entries === IN_ZIP64_16 || small.sizeBytes === IN_ZIP64_32 || small.start === IN_ZIP64_32;
  const end64 = end - LOCATOR_64_BYTES - END_OF_DIRECTORY_64_BYTES;
  if (is64 && tail.readUInt32LE(end64) !== END_OF_DIRECTORY_64) return undefined;
  const place = is64
    ? {
        entries: Number(tail.readBigUInt64LE(end64 + 32)),
        sizeBytes: Number(tail.readBigUInt64LE(end64 + 40)),
        start: Number(tail.readBigUInt64LE(end64 + 48)),
      }
    : small;
  return place.start + place.sizeBytes === tailStart + (is64 ? end64 : end) ? place : undefined;
}

function entriesOf(directory: Buffer, place: DirectoryPlace): readonly ZipEntry[] | undefined {
  const entries: ZipEntry[] = [];
  let expectedOffset = 0;
  let at = 0;
  while (at < directory.length) {
    if (directory.readUInt32LE(at) !== CENTRAL_HEADER) return undefined;
    const method = directory.readUInt16LE(at + 10);
    const nameBytes = directory.readUInt16LE(at + 28);
    const extraBytes = directory.readUInt16LE(at + 30);
    const commentBytes = directory.readUInt16LE(at + 32);
    const name = directory.toString("utf8", at + CENTRAL_HEADER_BYTES, at + CENTRAL_HEADER_BYTES + nameBytes);
    const extraStart = at + CENTRAL_HEADER_BYTES + nameBytes;
    const wide = wideValues(directory.subarray(extraStart, extraStart + extraBytes));
    const sizeBytes = widened(directory.readUInt32LE(at + 24), wide);
    const packedBytes = widened(directory.readUInt32LE(at + 20), wide);
    const offset = widened(directory.readUInt32LE(at + 42), wide);
    const isWide = sizeBytes >= IN_ZIP64_32;
    const start = offset + LOCAL_HEADER_BYTES + nameBytes + (isWide ? 20 : 0);
    if (method !== STORED || packedBytes !== sizeBytes || offset !== expectedOffset) return undefined;
    entries.push({ name, sizeBytes, sum: directory.readUInt32LE(at + 16), start });
    expectedOffset = start + sizeBytes;
    at = extraStart + extraBytes + commentBytes;
  }
  return entries.length === place.entries && expectedOffset === place.start ? entries : undefined;
}

/** What of sizes and offset is in the extra field, in its fixed order: size, packed size, offset. APPNOTE 4.5.3. */
function wideValues(extra: Buffer): number[] {
  if (extra.length < 4 || extra.readUInt16LE(0) !== ZIP64_EXTRA) return [];
  const count = Math.floor(extra.readUInt16LE(2) / 8);
  return Array.from({ length: count }, (_, index) => Number(extra.readBigUInt64LE(4 + index * 8)));
}

/** @param wide values not taken yet: the next is this field's where the field says so */
function widened(written: number, wide: number[]): number {
  return written === IN_ZIP64_32 ? (wide.shift() ?? written) : written;
}
