import { createReadStream } from "node:fs";
import { crc32 } from "node:zlib";
import { GatewayError } from "../../errors/gateway-error.ts";
import {
  CENTRAL_HEADER,
  END_OF_DIRECTORY,
  END_OF_DIRECTORY_64,
  END_OF_DIRECTORY_64_BYTES,
  IN_ZIP64_16,
  IN_ZIP64_32,
  LOCAL_HEADER,
  LOCATOR_64,
  ZIP64_EXTRA,
} from "./zip-format.ts";

export interface ZippedFile {
  readonly name: string;
  readonly path: string;
  /** Where in the file the content begins. @default 0 */
  readonly start?: number;
  readonly sizeBytes: number;
  /** Where its content is read in another way than from the path, when its turn comes. */
  readonly open?: () => Promise<ZipContent>;
}

/** What is put into a zip as it stands. */
export interface ZipContent {
  /** CRC-32 of all of it. */
  readonly sum: number;
  readonly pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** Versions that know what is used here: stored files, and sizes of 64 bits. APPNOTE 4.4.3. */
const [VERSION_NEEDED, VERSION_OF_ZIP64] = [20, 45];
/** Names are UTF-8. APPNOTE 4.4.4, bit 11. */
const UTF8_NAMES = 0x0800;
const READ_BYTES = 1024 * 1024;

/**
 * A zip of files as they are, without compression: de-identified images gain little. Each file is read twice, first for its sum: readers
 * that take entries as they come (Java's) want it before the bytes. Memory is flat, times are none: the same files make the same zip.
 * @throws GatewayError DELIVERY_FILE_CHANGED when a file has changed in between
 */
export async function* zipStream(files: readonly ZippedFile[]): AsyncGenerator<Uint8Array> {
  const directory: Buffer[] = [];
  let offset = 0;
  for (const file of files) {
    const { sum, pieces } = (await file.open?.()) ?? { sum: await crc32Of(file), pieces: contentOf(file) };
    const entry = { name: Buffer.from(file.name, "utf8"), sizeBytes: file.sizeBytes, sum };
    const local = localHeader(entry);
    directory.push(centralHeader(entry, offset));
    yield local;
    yield* pieces;
    offset += local.length + file.sizeBytes;
  }
  const central = Buffer.concat(directory);
  yield central;
  yield endOfDirectory(files.length, central.length, offset);
}

/** A zip of what is made as it is asked for: one content in memory at a time. The same contents make the same zip as `zipStream` of their files. */
export async function* zipContents(
  contents: AsyncIterable<{ readonly name: string; readonly bytes: Uint8Array }>,
): AsyncGenerator<Uint8Array> {
  const directory: Buffer[] = [];
  let offset = 0;
  for await (const { name, bytes } of contents) {
    const entry = { name: Buffer.from(name, "utf8"), sizeBytes: bytes.length, sum: crc32(bytes) };
    const local = localHeader(entry);
    directory.push(centralHeader(entry, offset));
    yield local;
    yield bytes;
    offset += local.length + bytes.length;
  }
  const central = Buffer.concat(directory);
  yield central;
  yield endOfDirectory(directory.length, central.length, offset);
}

/** @throws GatewayError DELIVERY_FILE_CHANGED */
export async function crc32Of(file: ZippedFile): Promise<number> {
  let sum = 0;
  for await (const piece of contentOf(file)) sum = crc32(piece, sum);
  return sum;
}

/** A mebibyte at a time. @throws GatewayError DELIVERY_FILE_CHANGED */
export async function* contentOf({ path, start = 0, sizeBytes }: ZippedFile): AsyncGenerator<Uint8Array> {
  let readBytes = 0;
  // A part of a file ends where it says; a whole one where it ends, so that one that has grown is noticed.
  const range = start === 0 ? {} : { start, end: start + sizeBytes - 1 };
  if (sizeBytes === 0 && start !== 0) return;
  try {
    for await (const piece of createReadStream(path, { highWaterMark: READ_BYTES, ...range })) {
      readBytes += piece.length;
      yield piece;
    }
  } catch (thrown) {
    throw new GatewayError("DELIVERY_FILE_CHANGED", { what: "reading" }, thrown);
  }
  if (readBytes !== sizeBytes) throw new GatewayError("DELIVERY_FILE_CHANGED", { what: "size" });
}

interface Entry {
  readonly name: Buffer;
  readonly sizeBytes: number;
  readonly sum: number;
}

function localHeader({ name, sizeBytes, sum }: Entry): Buffer {
  // Both sizes, even where only one is too large: APPNOTE 4.5.3 wants both in a local header.
  const extra = sizeBytes >= IN_ZIP64_32 ? zip64Extra(sizeBytes, sizeBytes) : Buffer.alloc(0);
  return Buffer.concat([signed(LOCAL_HEADER), commonPart({ name, sizeBytes, sum }, extra, false), name, extra]);
}

/** What local and central headers have in common, from the version to the length of the extra field. */
function commonPart({ name, sizeBytes, sum }: Entry, extra: Buffer, isFar: boolean): Buffer {
  const common = Buffer.alloc(26);
  const writtenBytes = Math.min(sizeBytes, IN_ZIP64_32);
  common.writeUInt16LE(extra.length > 0 || isFar ? VERSION_OF_ZIP64 : VERSION_NEEDED, 0);
  common.writeUInt16LE(UTF8_NAMES, 2);
  // Method 0, stored; time 0. 1980-01-01: the first date there is.
  common.writeUInt16LE(0x21, 8);
  common.writeUInt32LE(sum, 10);
  common.writeUInt32LE(writtenBytes, 14);
  common.writeUInt32LE(writtenBytes, 18);
  common.writeUInt16LE(name.length, 22);
  common.writeUInt16LE(extra.length, 24);
  return common;
}

function centralHeader(entry: Entry, offset: number): Buffer {
  const isFar = offset >= IN_ZIP64_32;
  const extra = zip64Extra(
    ...(entry.sizeBytes >= IN_ZIP64_32 ? [entry.sizeBytes, entry.sizeBytes] : []),
    ...(isFar ? [offset] : []),
  );
  const madeBy = Buffer.from([VERSION_NEEDED, 0]);
  // Comment, disk, internal and external attributes: nothing; then where the local header is.
  const tail = Buffer.alloc(14);
  tail.writeUInt32LE(Math.min(offset, IN_ZIP64_32), 10);
  return Buffer.concat([signed(CENTRAL_HEADER), madeBy, commonPart(entry, extra, isFar), tail, entry.name, extra]);
}

function zip64Extra(...values: readonly number[]): Buffer {
  if (values.length === 0) return Buffer.alloc(0);
  const extra = Buffer.alloc(4 + values.length * 8);
  extra.writeUInt16LE(ZIP64_EXTRA, 0);
  extra.writeUInt16LE(values.length * 8, 2);
  for (const [index, value] of values.entries()) extra.writeBigUInt64LE(BigInt(value), 4 + index * 8);
  return extra;
}

function endOfDirectory(entries: number, sizeBytes: number, offset: number): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(END_OF_DIRECTORY, 0);
  end.writeUInt16LE(Math.min(entries, IN_ZIP64_16), 8);
  end.writeUInt16LE(Math.min(entries, IN_ZIP64_16), 10);
  end.writeUInt32LE(Math.min(sizeBytes, IN_ZIP64_32), 12);
  end.writeUInt32LE(Math.min(offset, IN_ZIP64_32), 16);
  const fits = entries < IN_ZIP64_16 && sizeBytes < IN_ZIP64_32 && offset < IN_ZIP64_32;
  return fits ? end : Buffer.concat([endOfDirectory64(entries, sizeBytes, offset), end]);
}

/** APPNOTE 4.3.14 and, behind it, the locator of 4.3.15. */
function endOfDirectory64(entries: number, sizeBytes: number, offset: number): Buffer {
  const end = Buffer.alloc(END_OF_DIRECTORY_64_BYTES);
  end.writeUInt32LE(END_OF_DIRECTORY_64, 0);
  // Of what follows this field.
  end.writeBigUInt64LE(BigInt(END_OF_DIRECTORY_64_BYTES - 12), 4);
  end.writeUInt16LE(VERSION_OF_ZIP64, 12);
  end.writeUInt16LE(VERSION_OF_ZIP64, 14);
  end.writeBigUInt64LE(BigInt(entries), 24);
  end.writeBigUInt64LE(BigInt(entries), 32);
  end.writeBigUInt64LE(BigInt(sizeBytes), 40);
  end.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(LOCATOR_64, 0);
  locator.writeBigUInt64LE(BigInt(offset + sizeBytes), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([end, locator]);
}

function signed(signature: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(signature, 0);
  return bytes;
}
