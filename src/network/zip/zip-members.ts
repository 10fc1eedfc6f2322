import type { ByteSource } from "../../dicom/data-set.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { type CentralEntry, centralEntries } from "./central-entries.ts";
import {
  DEFLATED,
  END_OF_DIRECTORY,
  END_OF_DIRECTORY_64,
  END_OF_DIRECTORY_64_BYTES,
  END_OF_DIRECTORY_BYTES,
  IN_ZIP64_16,
  IN_ZIP64_32,
  LOCAL_HEADER_BYTES,
  LOCATOR_64,
  LOCATOR_64_BYTES,
  STORED,
} from "./zip-format.ts";

/** A file in a zip of anybody's that may be read. */
export interface ZipMember {
  readonly name: string;
  readonly isDeflated: boolean;
  /** Unpacked. */
  readonly sizeBytes: number;
  readonly packedBytes: number;
  readonly sum: number;
  /** Where its local header begins. */
  readonly headerOffset: number;
}

export interface ZipMembers {
  readonly members: readonly ZipMember[];
  /** Why others may not be read, and how many. */
  readonly skipped: ReadonlyMap<ErrorCode, number>;
}

export interface ZipLimits {
  readonly directoryBytes: number;
  readonly entries: number;
  /** Of one file, unpacked. */
  readonly memberBytes: number;
  /** Of all files, unpacked. */
  readonly totalBytes: number;
  /** A file of more than `freeOfRatioBytes` may be this many times what it is packed. Empty images do reach a thousand. */
  readonly ratio: number;
  readonly freeOfRatioBytes: number;
}

export const ZIP_LIMITS: ZipLimits = {
  directoryBytes: 128 * 1024 * 1024,
  entries: 1_000_000,
  memberBytes: 32 * 2 ** 30,
  totalBytes: 4 * 2 ** 40,
  ratio: 200,
  freeOfRatioBytes: 256 * 1024 * 1024,
};

/** A comment of the zip is at most 64 KiB. APPNOTE 4.4.12. */
const LONGEST_COMMENT_BYTES = 0xffff;
/** Bit 0: encrypted; 6: strongly; 13: with a masked directory. APPNOTE 4.4.4. */
const ENCRYPTED = 0x0001 | 0x0040 | 0x2000;
/** Hosts whose external attributes begin with a Unix mode. APPNOTE 4.4.2. */
const UNIX_HOSTS: ReadonlySet<number> = new Set([3, 19]);
/** Type bits of a Unix mode, and those of a file; none are a file too. */
const [TYPE_BITS, REGULAR] = [0xf000, 0x8000];

/**
 * What a zip of any program holds, by the directory at its end; folders are left out. Nothing of it is unpacked.
 * @throws GatewayError ZIP_UNREADABLE
 */
export async function readZipMembers(source: ByteSource, limits: ZipLimits = ZIP_LIMITS): Promise<ZipMembers> {
  try {
    const place = await placeOfDirectory(source);
    if (place.sizeBytes > limits.directoryBytes || place.entries > limits.entries) throw unreadable("too large");
    const directory = Buffer.from(await source.read(place.start, place.sizeBytes));
    if (directory.length !== place.sizeBytes) throw unreadable("cut");
    return judged(centralEntries(directory, place.entries), place.start, limits);
  } catch (thrown) {
    // A field that lies outside of what there is: Node's own range checks.
    if (thrown instanceof RangeError) throw unreadable("fields", thrown);
    throw thrown;
  }
}

function unreadable(what: string, cause?: unknown): GatewayError {
  return new GatewayError("ZIP_UNREADABLE", { what }, cause);
}

interface DirectoryPlace {
  readonly start: number;
  readonly sizeBytes: number;
  readonly entries: number;
}

async function placeOfDirectory(source: ByteSource): Promise<DirectoryPlace> {
  const tailBytes = END_OF_DIRECTORY_BYTES + LONGEST_COMMENT_BYTES + LOCATOR_64_BYTES + END_OF_DIRECTORY_64_BYTES;
  const tailStart = Math.max(0, source.sizeBytes - tailBytes);
  const tail = Buffer.from(await source.read(tailStart, source.sizeBytes - tailStart));
  const end = endOfDirectory(tail);
  if (end === undefined) throw unreadable("no directory");
  const small = {
    entries: tail.readUInt16LE(end + 10),
    sizeBytes: tail.readUInt32LE(end + 12),
    start: tail.readUInt32LE(end + 16),
  };
  // The number of this part and of the part that the directory begins in.
  if (tail.readUInt32LE(end + 4) !== 0 && tail.readUInt32LE(end + 4) !== IN_ZIP64_32) throw unreadable("parts");
  const isWide = small.entries === IN_ZIP64_16 || small.sizeBytes === IN_ZIP64_32 || small.start === IN_ZIP64_32;
  const locator = end - LOCATOR_64_BYTES;
  const is64 = isWide && locator >= 0 && tail.readUInt32LE(locator) === LOCATOR_64;
  const place = is64 ? placeIn64(tail, Number(tail.readBigUInt64LE(locator + 8)) - tailStart) : small;
  const directoryEnd = is64 ? Number(tail.readBigUInt64LE(locator + 8)) : tailStart + end;
  if (place.start + place.sizeBytes !== directoryEnd) throw unreadable("place");
  return place;
}

function placeIn64(tail: Buffer, at: number): DirectoryPlace {
  if (tail.readUInt32LE(at) !== END_OF_DIRECTORY_64) throw unreadable("zip64");
  return {
    entries: Number(tail.readBigUInt64LE(at + 32)),
    sizeBytes: Number(tail.readBigUInt64LE(at + 40)),
    start: Number(tail.readBigUInt64LE(at + 48)),
  };
}

/** The last record whose comment reaches exactly to the end of the zip. */
function endOfDirectory(tail: Buffer): number | undefined {
  for (let at = tail.length - END_OF_DIRECTORY_BYTES; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) !== END_OF_DIRECTORY) continue;
    if (at + END_OF_DIRECTORY_BYTES + tail.readUInt16LE(at + 20) === tail.length) return at;
  }
  return undefined;
}

function judged(entries: readonly CentralEntry[], directoryStart: number, limits: ZipLimits): ZipMembers {
  const members: ZipMember[] = [];
  const skipped = new Map<ErrorCode, number>();
  const names = new Set<string>();
  const overlapping = overlappingOf(entries, directoryStart);
  let totalBytes = 0;
  for (const entry of entries) {
    if (entry.name.endsWith("/")) continue;
    const { name, sizeBytes, packedBytes, sum, headerOffset, method } = entry;
    const isTaken = names.has(name) || overlapping.has(entry);
    const isTotalReached = totalBytes + sizeBytes > limits.totalBytes;
    const code = isTaken ? "ZIP_ENTRY_UNSAFE" : isTotalReached ? "ZIP_ENTRY_TOO_LARGE" : objectionTo(entry, limits);
    if (code !== undefined) {
      skipped.set(code, (skipped.get(code) ?? 0) + 1);
      continue;
    }
    names.add(name);
    totalBytes += sizeBytes;
    members.push({ name, isDeflated: method === DEFLATED, sizeBytes, packedBytes, sum, headerOffset });
  }
  return { members, skipped };
}

/** Files that lie within others, wholly or in part: so a zip of a few bytes unpacks to any size. */
function overlappingOf(entries: readonly CentralEntry[], directoryStart: number): ReadonlySet<CentralEntry> {
  const overlapping = new Set<CentralEntry>();
  let end = 0;
  for (const entry of [...entries].sort((a, b) => a.headerOffset - b.headerOffset)) {
    const entryEnd = entry.headerOffset + LOCAL_HEADER_BYTES + entry.nameBytes + entry.packedBytes;
    if (entry.headerOffset < end || entryEnd > directoryStart) overlapping.add(entry);
    else end = entryEnd;
  }
  return overlapping;
}

function objectionTo(entry: CentralEntry, limits: ZipLimits): ErrorCode | undefined {
  const { name, flags, method, sizeBytes, packedBytes } = entry;
  if (leadsOut(name) || isSpecial(entry)) return "ZIP_ENTRY_UNSAFE";
  if ((flags & ENCRYPTED) !== 0) return "ZIP_ENTRY_ENCRYPTED";
  if (method !== STORED && method !== DEFLATED) return "ZIP_ENTRY_UNSUPPORTED";
  if (method === STORED && sizeBytes !== packedBytes) return "ZIP_ENTRY_DAMAGED";
  const isDense = sizeBytes > limits.freeOfRatioBytes && sizeBytes > packedBytes * limits.ratio;
  return isDense || sizeBytes > limits.memberBytes ? "ZIP_ENTRY_TOO_LARGE" : undefined;
}

/** No name becomes a file's: who writes such names is not believed in anything else. */
function leadsOut(name: string): boolean {
  return name === "" || /^\/|^[A-Za-z]:|[\\\0]/.test(name) || name.split("/").includes("..");
}

/** A link, a device: what Unix wrote into the external attributes. */
function isSpecial({ host, externalAttributes }: CentralEntry): boolean {
  const type = (externalAttributes >>> 16) & TYPE_BITS;
  return UNIX_HOSTS.has(host) && type !== 0 && type !== REGULAR;
}
