import { createWriteStream } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { crc32, createInflateRaw } from "node:zlib";
import { HttpError } from "./errors.ts";

/** APPNOTE.TXT 4.3: signatures and fixed lengths of a zip file's records. */
const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const END_64_LOCATOR_SIGNATURE = 0x07064b50;
const END_64_LOCATOR_BYTES = 20;
const END_64_SIGNATURE = 0x06064b50;
const END_64_BYTES = 56;
const ENTRY_SIGNATURE = 0x02014b50;
const ENTRY_BYTES = 46;
const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_BYTES = 30;
/** 4.4.1.4: the value is in an extra field with this id. */
const IN_EXTRA_16 = 0xffff;
const IN_EXTRA_32 = 0xffffffff;
const ZIP_64_EXTRA = 0x0001;
/** 4.4.5. */
const STORED = 0;
const DEFLATED = 8;
const MAXIMUM_COMMENT_BYTES = 0xffff;
const MAXIMUM_DIRECTORY_BYTES = 512 * 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;

interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly compressedBytes: number;
  readonly sizeBytes: number;
  readonly headerAt: number;
}

/** @throws HttpError 400 in FLIP's words */
function invalid(detail: string): HttpError {
  return new HttpError(400, `Invalid download request: ${detail}`, { code: "FLIP_DOWNLOAD_INVALID" });
}

/**
 * Writes the files of a zip file below a folder, each whole or not at all, streaming. All names are looked at before anything is written.
 * @param place where below the folder a file goes, by its name in the zip file
 * @throws HttpError 400 for names that lead out of the folder, and for what is no zip file or damaged; errors of the file system
 */
export async function unzip(
  path: string,
  folder: string,
  options: { readonly place: (name: string) => string; readonly signal: AbortSignal },
): Promise<number> {
  await using file = await open(path, "r");
  const base = resolve(folder);
  const targets = (await entriesOf(file)).map((entry) => {
    const target = resolve(base, options.place(entry.name));
    const isInside = target.startsWith(base + sep) && resolve(base, entry.name).startsWith(base + sep);
    if (!isInside || /[\0\\]/.test(entry.name)) throw invalid("Attempted path traversal in ZIP entry");
    return { entry, target };
  });
  let files = 0;
  for (const { entry, target } of targets) {
    options.signal.throwIfAborted();
    if (entry.name.endsWith("/")) continue;
    await mkdir(dirname(target), { recursive: true });
    await extract(file, entry, target, options.signal);
    files += 1;
  }
  return files;
}

async function extract(file: FileHandle, entry: ZipEntry, target: string, signal: AbortSignal): Promise<void> {
  const temporary = join(dirname(target), `.${crypto.randomUUID()}.part`);
  try {
    let sum = 0;
    let sizeBytes = 0;
    const counted = async function* (pieces: AsyncIterable<Buffer>) {
      for await (const piece of pieces) {
        sum = crc32(piece, sum);
        sizeBytes += piece.length;
        // What says it is small and is not may be a bomb.
        if (sizeBytes > entry.sizeBytes) throw invalid("a ZIP entry is longer than it says");
        yield piece;
      }
    };
    const source = compressed(file, entry);
    const sink = createWriteStream(temporary, { flags: "wx" });
    if (entry.method === STORED) await pipeline(source, counted, sink, { signal });
    else await pipeline(source, createInflateRaw(), counted, sink, { signal });
    if (sum !== entry.crc || sizeBytes !== entry.sizeBytes) throw invalid("a ZIP entry is damaged");
    await rename(temporary, target);
  } catch (thrown) {
    await rm(temporary, { force: true });
    const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
    throw /^Z_/.test(code) ? invalid("a ZIP entry is damaged") : thrown;
  }
}

async function* compressed(file: FileHandle, { headerAt, compressedBytes, method }: ZipEntry): AsyncGenerator<Buffer> {
  if (method !== STORED && method !== DEFLATED) throw invalid("a ZIP entry is compressed in an unknown way");
  const header = await bytesAt(file, headerAt, LOCAL_BYTES);
  if (header.readUInt32LE(0) !== LOCAL_SIGNATURE) throw invalid("a ZIP entry is not where it should be");
  const start = headerAt + LOCAL_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
  for (let at = 0; at < compressedBytes; at += PIECE_BYTES)
    yield await bytesAt(file, start + at, Math.min(PIECE_BYTES, compressedBytes - at));
}

async function entriesOf(file: FileHandle): Promise<readonly ZipEntry[]> {
  const { at, lengthBytes } = await directoryOf(file);
  if (lengthBytes > MAXIMUM_DIRECTORY_BYTES) throw invalid("the ZIP file has too many entries");
  const directory = await bytesAt(file, at, lengthBytes);
  const entries: ZipEntry[] = [];
  for (let here = 0; here < directory.length; ) {
    const isEntry = here + ENTRY_BYTES <= directory.length && directory.readUInt32LE(here) === ENTRY_SIGNATURE;
    if (!isEntry) throw invalid("the ZIP file's directory is damaged");
    const nameBytes = directory.readUInt16LE(here + 28);
    const extraBytes = directory.readUInt16LE(here + 30);
    const nameAt = here + ENTRY_BYTES;
    entries.push(
      withLongValues(
        {
          name: directory.toString("utf8", nameAt, nameAt + nameBytes),
          method: directory.readUInt16LE(here + 10),
          crc: directory.readUInt32LE(here + 16),
          compressedBytes: directory.readUInt32LE(here + 20),
          sizeBytes: directory.readUInt32LE(here + 24),
          headerAt: directory.readUInt32LE(here + 42),
        },
        directory.subarray(nameAt + nameBytes, nameAt + nameBytes + extraBytes),
      ),
    );
    here = nameAt + nameBytes + extraBytes + directory.readUInt16LE(here + 32);
  }
  return entries;
}

/** 4.5.3: what does not fit is in the extra field, in this order, and only what does not fit. */
function withLongValues(entry: ZipEntry, extra: Buffer): ZipEntry {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== ZIP_64_EXTRA) continue;
    let next = at + 4;
    const long = (value: number): number => {
      if (value !== IN_EXTRA_32 || next + 8 > extra.length) return value;
      next += 8;
      return Number(extra.readBigUInt64LE(next - 8));
    };
    const [sizeBytes, compressedBytes] = [long(entry.sizeBytes), long(entry.compressedBytes)];
    return { ...entry, sizeBytes, compressedBytes, headerAt: long(entry.headerAt) };
  }
  return entry;
}

async function directoryOf(file: FileHandle): Promise<{ readonly at: number; readonly lengthBytes: number }> {
  const { size } = await file.stat();
  const tailBytes = Math.min(size, END_BYTES + MAXIMUM_COMMENT_BYTES);
  const tail = await bytesAt(file, size - tailBytes, tailBytes);
  for (let at = tail.length - END_BYTES; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) !== END_SIGNATURE) continue;
    const found = { at: tail.readUInt32LE(at + 16), lengthBytes: tail.readUInt32LE(at + 12) };
    const isLong = found.at === IN_EXTRA_32 || tail.readUInt16LE(at + 10) === IN_EXTRA_16;
    return isLong ? await longDirectory(file, size - tailBytes + at) : found;
  }
  throw invalid("XNAT sent no ZIP file");
}

async function longDirectory(file: FileHandle, endAt: number) {
  const locator = await bytesAt(file, endAt - END_64_LOCATOR_BYTES, END_64_LOCATOR_BYTES);
  if (locator.readUInt32LE(0) !== END_64_LOCATOR_SIGNATURE) throw invalid("XNAT sent no ZIP file");
  const end = await bytesAt(file, Number(locator.readBigUInt64LE(8)), END_64_BYTES);
  if (end.readUInt32LE(0) !== END_64_SIGNATURE) throw invalid("XNAT sent no ZIP file");
  return { at: Number(end.readBigUInt64LE(48)), lengthBytes: Number(end.readBigUInt64LE(40)) };
}

async function bytesAt(file: FileHandle, at: number, count: number): Promise<Buffer> {
  const buffer = Buffer.alloc(count);
  const { bytesRead } = at < 0 ? { bytesRead: -1 } : await file.read(buffer, 0, count, at);
  if (bytesRead !== count) throw invalid("the ZIP file ends too early");
  return buffer;
}
