import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline as connect, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { z } from "zod";
import { syncFolder } from "../../units/durable-files.ts";
import { makeFolders } from "../../units/make-folders.ts";
import type { KnownFile } from "./indexed-instance.ts";
import { knownFile, lineOf } from "./kept-line.ts";

/** Where an index lies between two runs of the program, and what it is of. */
export interface KeptIndex {
  /** By path; empty where there is none, or it is damaged, of another version, or of another folder. */
  load(signal: AbortSignal): Promise<Map<string, KnownFile>>;
  /** All of it in place of what was there. @throws what the disk says; the signal's reason */
  save(known: Iterable<KnownFile>, nowMs: number, signal: AbortSignal): Promise<void>;
}

const FORMAT = "radferry-folder-index";
/** One more whenever what is read of a file, or how it is written down, changes: an index of before is dropped. */
const VERSION = 1;
/** What says who was examined is for the service's user alone. */
const FILE_MODE = 0o600;
/** A file that changed so shortly before may change again within the same tick of its file system: it is read again. */
const SETTLING_MS = 3_000;
/** Of a zip with some hundred thousand files; one that needs more is read again. */
const LONGEST_LINE = 32 * 1024 * 1024;
const LONGEST_TEXT = 4 * 1024 * 1024 * 1024;
const WRITE_CHARACTERS = 256 * 1024;

const headShape = z.object({ format: z.literal(FORMAT), version: z.literal(VERSION), root: z.string() });
const endShape = z.object({ files: z.int(), sha256: z.string() });

/** Lines of JSON: what it is of, a line for each file, and the sum of all that. Packed, for much of it is the same in every line. */
export function createKeptIndex(path: string, root: string): KeptIndex {
  return {
    async load(signal) {
      try {
        return await read(path, root, signal);
      } catch {
        // Missing, or not what was written here: everything is read anew, and written in its place.
        signal.throwIfAborted();
        return new Map();
      }
    },
    async save(known, nowMs, signal) {
      await makeFolders(dirname(path), { mode: 0o700 });
      const temporary = `${path}.part`;
      try {
        const sink = createWriteStream(temporary, { mode: FILE_MODE, flush: true });
        await pipeline(Readable.from(textOf(known, root, nowMs)), createGzip({ level: 1 }), sink, { signal });
        await rename(temporary, path);
        await syncFolder(dirname(path));
      } catch (thrown) {
        await rm(temporary, { force: true });
        throw thrown;
      }
    },
  };
}

function* textOf(known: Iterable<KnownFile>, root: string, nowMs: number): Generator<string> {
  const hash = createHash("sha256");
  let text = `${JSON.stringify({ format: FORMAT, version: VERSION, root })}\n`;
  let files = 0;
  for (const each of known) {
    if (nowMs - each.file.mtimeMs < SETTLING_MS) continue;
    const line = lineOf(each, root);
    if (line.length > LONGEST_LINE) continue;
    text += `${line}\n`;
    files += 1;
    if (text.length < WRITE_CHARACTERS) continue;
    hash.update(text);
    yield text;
    text = "";
  }
  hash.update(text);
  yield text;
  yield `${JSON.stringify({ files, sha256: hash.digest("hex") })}\n`;
}

/** @throws SyntaxError, ZodError, RangeError for what was not written here; what the disk says */
async function read(path: string, root: string, signal: AbortSignal): Promise<Map<string, KnownFile>> {
  const known = new Map<string, KnownFile>();
  const hash = createHash("sha256");
  let [isHead, isWhole] = [true, false];
  const unpacked = createGunzip();
  connect(createReadStream(path), unpacked, () => undefined);
  for await (const line of linesOf(unpacked, signal)) {
    if (isWhole) throw new RangeError("more behind the end");
    const value: unknown = JSON.parse(line);
    if (isHead) {
      if (headShape.parse(value).root !== root) throw new RangeError("of another folder");
      isHead = false;
    } else if (Array.isArray(value)) {
      const each = knownFile(value, root);
      known.set(each.file.path, each);
    } else {
      const { files, sha256 } = endShape.parse(value);
      if (files !== known.size || sha256 !== hash.digest("hex")) throw new RangeError("damaged");
      isWhole = true;
      continue;
    }
    hash.update(`${line}\n`);
  }
  if (!isWhole) throw new RangeError("cut short");
  return known;
}

async function* linesOf(packed: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<string> {
  let pieces: Buffer[] = [];
  let [pendingBytes, bytes] = [0, 0];
  for await (const piece of packed) {
    signal.throwIfAborted();
    bytes += piece.length;
    if (bytes > LONGEST_TEXT) throw new RangeError("too long");
    let start = 0;
    for (let end = piece.indexOf(LINE_FEED); end >= 0; end = piece.indexOf(LINE_FEED, start)) {
      yield Buffer.concat([...pieces, piece.subarray(start, end)]).toString("utf8");
      pieces = [];
      pendingBytes = 0;
      start = end + 1;
    }
    pieces.push(piece.subarray(start));
    pendingBytes += piece.length - start;
    if (pendingBytes > 4 * LONGEST_LINE) throw new RangeError("a line is too long");
  }
  if (pendingBytes > 0) throw new RangeError("cut short");
}

const LINE_FEED = 0x0a;
