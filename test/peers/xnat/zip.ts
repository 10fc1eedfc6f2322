import { crc32, inflateRawSync } from "node:zlib";

export interface ZipEntry {
  readonly name: string;
  readonly bytes: Buffer;
}

const LOCAL = 0x04034b50;
const DESCRIBED_LATER = 0x8;
const [STORED, DEFLATED] = [0, 8];
const ZIP64 = 0x0001;

/**
 * Reads entries one after the other, as Java's ZipInputStream does: the directory at the end is not looked at, and a stored entry must
 * give its size before its bytes. @throws RangeError for what it cannot read
 */
export function readZip(archive: Buffer): readonly ZipEntry[] {
  const entries: ZipEntry[] = [];
  let at = 0;
  while (at + 30 <= archive.length && archive.readUInt32LE(at) === LOCAL) {
    const flags = archive.readUInt16LE(at + 6);
    const method = archive.readUInt16LE(at + 8);
    const sum = archive.readUInt32LE(at + 14);
    const nameLength = archive.readUInt16LE(at + 26);
    const extraLength = archive.readUInt16LE(at + 28);
    const name = archive.toString("utf8", at + 30, at + 30 + nameLength);
    const extra = archive.subarray(at + 30 + nameLength, at + 30 + nameLength + extraLength);
    const start = at + 30 + nameLength + extraLength;
    if ((flags & DESCRIBED_LATER) !== 0) throw new RangeError("only DEFLATED entries can have EXT descriptor");
    const packedBytes = sizeOf(archive.readUInt32LE(at + 18), extra);
    if (start + packedBytes > archive.length) throw new RangeError("Unexpected end of ZLIB input stream");
    const packed = archive.subarray(start, start + packedBytes);
    const bytes = method === DEFLATED ? inflateRawSync(packed) : Buffer.from(packed);
    if (method !== DEFLATED && method !== STORED) throw new RangeError("unsupported compression method");
    if (crc32(bytes) !== sum) throw new RangeError("invalid entry CRC");
    if (!name.endsWith("/")) entries.push({ name, bytes });
    at = start + packedBytes;
  }
  if (entries.length === 0) throw new RangeError("no zip file");
  return entries;
}

function sizeOf(sizeBytes: number, extra: Buffer): number {
  if (sizeBytes !== 0xffffffff || extra.length < 20 || extra.readUInt16LE(0) !== ZIP64) return sizeBytes;
  return Number(extra.readBigUInt64LE(12));
}

export function writeZip(entries: readonly ZipEntry[]): Buffer {
  const pieces: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes } of entries) {
    const label = Buffer.from(name, "utf8");
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(label.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, label]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00", "latin1"), common, tail, label]));
    pieces.push(local, bytes);
    offset += local.length + bytes.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...pieces, central, end]);
}
