import { createReadStream } from "node:fs";
import { crc32 } from "node:zlib";
import { GatewayError } from "../../../errors/gateway-error.ts";

export interface ZippedFile {
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
}

/** APPNOTE 4.3.7, 4.3.12, 4.3.16. */
const [LOCAL_HEADER, CENTRAL_HEADER, END_OF_DIRECTORY] = [0x04034b50, 0x02014b50, 0x06054b50];
/** Version that knows what is used here: stored files. APPNOTE 4.4.3. */
const VERSION_NEEDED = 20;
/** Names are UTF-8. APPNOTE 4.4.4, bit 11. */
const UTF8_NAMES = 0x0800;
const READ_BYTES = 1024 * 1024;
/**
 * A zip of files as they are, without compression: de-identified images gain little. Each file is read twice, first for its sum: readers
 * that take entries as they come (Java's) want it before the bytes. Memory is flat. Sizes are those of 32 bits: no ZIP64. @throws GatewayError XNAT_FILE_MISSING when a file
 * has changed in between
 */
export async function* zipStream(files: readonly ZippedFile[]): AsyncGenerator<Uint8Array> {
  const directory: Buffer[] = [];
  let offset = 0;
  for (const file of files) {
    const entry = entryOf(file, await sumOf(file));
    const local = Buffer.concat([signed(LOCAL_HEADER), entry.common, entry.name]);
    directory.push(centralHeader(entry, offset));
    yield local;
    yield* wholeFile(file);
    offset += local.length + file.sizeBytes;
  }
  const central = Buffer.concat(directory);
  yield central;
  yield endOfDirectory(files.length, central.length, offset);
}

async function sumOf(file: ZippedFile): Promise<number> {
  let sum = 0;
  for await (const piece of wholeFile(file)) sum = crc32(piece, sum);
  return sum;
}

async function* wholeFile({ path, sizeBytes }: ZippedFile): AsyncGenerator<Uint8Array> {
  let readBytes = 0;
  for await (const piece of createReadStream(path, { highWaterMark: READ_BYTES })) {
    readBytes += piece.length;
    yield piece;
  }
  if (readBytes !== sizeBytes) throw new GatewayError("XNAT_FILE_MISSING", { what: "size" });
}

interface Entry {
  readonly name: Buffer;
  /** What local and central headers have in common. */
  readonly common: Buffer;
}

function entryOf({ name: text, sizeBytes }: ZippedFile, sum: number): Entry {
  const name = Buffer.from(text, "utf8");
  const common = Buffer.alloc(26);
  common.writeUInt16LE(VERSION_NEEDED, 0);
  common.writeUInt16LE(UTF8_NAMES, 2);
  // Method 0, stored; time 0. 1980-01-01: the first date there is.
  common.writeUInt16LE(0x21, 8);
  common.writeUInt32LE(sum, 10);
  common.writeUInt32LE(sizeBytes, 14);
  common.writeUInt32LE(sizeBytes, 18);
  common.writeUInt16LE(name.length, 22);
  return { name, common };
}

function centralHeader({ name, common }: Entry, offset: number): Buffer {
  const madeBy = Buffer.from([VERSION_NEEDED, 0]);
  // Comment, disk, internal and external attributes: nothing; then where the local header is.
  const tail = Buffer.alloc(14);
  tail.writeUInt32LE(offset, 10);
  return Buffer.concat([signed(CENTRAL_HEADER), madeBy, common, tail, name]);
}

function endOfDirectory(entries: number, sizeBytes: number, offset: number): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(END_OF_DIRECTORY, 0);
  end.writeUInt16LE(entries, 8);
  end.writeUInt16LE(entries, 10);
  end.writeUInt32LE(sizeBytes, 12);
  end.writeUInt32LE(offset, 16);
  return end;
}

function signed(signature: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(signature, 0);
  return bytes;
}
