import { crc32 } from "node:zlib";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { ZipContent } from "../../network/zip/zip-stream.ts";
import { readAlone, type StagedCopy } from "./staged-copy.ts";

/** How one destination reads the files of a study that others get at the same time. */
export interface StudyReading extends Disposable {
  /** The file's bytes in order. @throws GatewayError DELIVERY_FILE_CHANGED */
  read(copy: StagedCopy): AsyncIterable<Uint8Array>;
  /** Announces what will be read, of all files of the study: no other is kept in memory for this destination. */
  expects(copies: readonly StagedCopy[]): void;
  /** Announces what will not be read by this destination. */
  leavesOut(copies: readonly StagedCopy[]): void;
}

/** What adapters read from: a delivery that says how, or each file by itself. */
interface Read {
  readonly reading?: StudyReading | undefined;
}

/** The file's bytes in order, a mebibyte at a time at most. @throws GatewayError DELIVERY_FILE_CHANGED */
export function readCopy({ reading }: Read, copy: StagedCopy): AsyncIterable<Uint8Array> {
  return reading?.read(copy) ?? readAlone(copy);
}

/** A file up to this size is held in memory whole while its sum is taken; a longer one is read once more for its content. */
const HELD_BYTES = 4 * 1024 * 1024;

/** Sums by file, kept as files that await delivery do not change. */
const sums = new WeakMap<StagedCopy, number>();

/** CRC-32 of a file, taken once. @throws GatewayError DELIVERY_FILE_CHANGED */
export async function crc32OfCopy(copy: StagedCopy): Promise<number> {
  return sums.get(copy) ?? (await sumWhile(readAlone(copy), copy, () => undefined));
}

/** A file as a zip takes it: readers that take entries as they come want the sum before the bytes. */
export async function zipContentOf(read: Read, copy: StagedCopy): Promise<ZipContent> {
  const known = sums.get(copy);
  if (known !== undefined) return { sum: known, pieces: checked(readCopy(read, copy), known) };
  if (copy.sizeBytes > HELD_BYTES) {
    const sum = await sumWhile(readCopy(read, copy), copy, () => undefined);
    return { sum, pieces: checked(readAlone(copy), sum) };
  }
  const pieces: Uint8Array[] = [];
  const sum = await sumWhile(readCopy(read, copy), copy, (piece) => void pieces.push(piece));
  return { sum, pieces };
}

/** Passes the bytes on, and fails at their end when they have another sum: a zip that tells wrong sums is not to be finished. */
async function* checked(content: AsyncIterable<Uint8Array>, expected: number): AsyncGenerator<Uint8Array> {
  let sum = 0;
  for await (const piece of content) {
    sum = crc32(piece, sum);
    yield piece;
  }
  if (sum !== expected) throw new GatewayError("DELIVERY_FILE_CHANGED", { what: "sum" });
}

async function sumWhile(
  content: AsyncIterable<Uint8Array>,
  copy: StagedCopy,
  take: (piece: Uint8Array) => void,
): Promise<number> {
  let sum = 0;
  for await (const piece of content) {
    sum = crc32(piece, sum);
    take(piece);
  }
  sums.set(copy, sum);
  return sum;
}
