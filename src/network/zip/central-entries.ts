import { GatewayError } from "../../errors/gateway-error.ts";
import { CENTRAL_HEADER, CENTRAL_HEADER_BYTES, IN_ZIP64_32, ZIP64_EXTRA } from "./zip-format.ts";

/** An entry of a zip's directory, as it stands there. APPNOTE 4.3.12. */
export interface CentralEntry {
  readonly name: string;
  /** Of the name, as encoded. */
  readonly nameBytes: number;
  /** The system that wrote it. APPNOTE 4.4.2. */
  readonly host: number;
  readonly flags: number;
  readonly method: number;
  readonly sum: number;
  readonly packedBytes: number;
  readonly sizeBytes: number;
  readonly externalAttributes: number;
  readonly headerOffset: number;
}

/** Names are UTF-8; else of a code page that nobody tells: their ASCII counts. APPNOTE 4.4.4, bit 11. */
const UTF8_NAMES = 0x0800;

/** @throws GatewayError ZIP_UNREADABLE; RangeError when a field lies outside of the directory */
export function centralEntries(directory: Buffer, count: number): readonly CentralEntry[] {
  const entries: CentralEntry[] = [];
  for (let at = 0; at < directory.length; ) {
    if (directory.readUInt32LE(at) !== CENTRAL_HEADER) break;
    const nameBytes = directory.readUInt16LE(at + 28);
    const extraBytes = directory.readUInt16LE(at + 30);
    const commentBytes = directory.readUInt16LE(at + 32);
    const flags = directory.readUInt16LE(at + 8);
    const extraStart = at + CENTRAL_HEADER_BYTES + nameBytes;
    const end = extraStart + extraBytes + commentBytes;
    if (end > directory.length) throw new RangeError("an entry beyond the directory");
    const wide = wideValues(directory.subarray(extraStart, extraStart + extraBytes));
    const widened = (offset: number): number => {
      const written = directory.readUInt32LE(offset);
      return written === IN_ZIP64_32 ? (wide.shift() ?? written) : written;
    };
    // In the order of the extra field: size, packed size, offset. APPNOTE 4.5.3.
    const sizeBytes = widened(at + 24);
    const packedBytes = widened(at + 20);
    const headerOffset = widened(at + 42);
    entries.push({
      name: directory.toString((flags & UTF8_NAMES) === 0 ? "latin1" : "utf8", at + CENTRAL_HEADER_BYTES, extraStart),
      nameBytes,
      host: directory.readUInt8(at + 5),
      flags,
      method: directory.readUInt16LE(at + 10),
      sum: directory.readUInt32LE(at + 16),
      packedBytes,
      sizeBytes,
      externalAttributes: directory.readUInt32LE(at + 38),
      headerOffset,
    });
    at = end;
  }
  if (entries.length !== count) throw new GatewayError("ZIP_UNREADABLE", { what: "number of entries" });
  return entries;
}

/** What of sizes and offset is in the extra field of 64 bits, wherever it stands among others. APPNOTE 4.5.1, 4.5.3. */
function wideValues(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== ZIP64_EXTRA) continue;
    const count = Math.floor(Math.min(extra.readUInt16LE(at + 2), extra.length - at - 4) / 8);
    return Array.from({ length: count }, (_, index) => Number(extra.readBigUInt64LE(at + 4 + index * 8)));
  }
  return [];
}
