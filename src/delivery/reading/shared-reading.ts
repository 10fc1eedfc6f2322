import { createHash, type Hash } from "node:crypto";
import { type FileSource, fileSource } from "../../dicom/sources.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { type Clock, systemClock } from "../../units/clock.ts";
import { createSharedWindow, type Reader, type SharedWindow, type SharingLimits } from "./shared-window.ts";
import {
  CHUNK_BYTES,
  chunkCount,
  type OpenFile,
  openCopy,
  readAlone,
  readChunk,
  type StagedCopy,
} from "./staged-copy.ts";
import type { StudyReading } from "./study-reading.ts";

/** Some mebibytes for each study that is being delivered, whatever the size of its files. */
const LIMITS: SharingLimits = { windowBytes: 8 * CHUNK_BYTES, patienceMs: 2_000, heldUpMs: 10_000 };

export interface SharedReadingOptions {
  readonly limits?: Partial<SharingLimits>;
  readonly clock?: Clock;
  readonly open?: OpenFile;
}

/** The files of a study, each opened and read once for all destinations that are at it together. */
export interface SharedReading extends AsyncDisposable {
  /** For one destination, until its delivery has ended. All must join before the first of them reads. */
  join(): StudyReading;
}

interface SharedFile {
  readonly copy: StagedCopy;
  readonly order: number;
  hash: Hash | undefined;
  source: FileSource | undefined;
  /** Chunks that were read so far, once each and in order. */
  read: number;
  /** Of the next chunk, for all who want it. */
  underWay: { readonly index: number; readonly bytes: Promise<Uint8Array> } | undefined;
  /** At it now, by sharing or by themselves. */
  users: number;
  failure: GatewayError | undefined;
}

interface Sharing {
  readonly window: SharedWindow;
  readonly readers: Set<Reader>;
  readonly files: ReadonlyMap<string, SharedFile>;
  /** Those that somebody is at. */
  readonly active: Set<SharedFile>;
  readonly clock: Clock;
  readonly open: OpenFile;
}

/**
 * Each chunk is read once and kept until every destination in step has taken it, in a window of a few mebibytes. Who holds the others up for longer
 * than the limits say falls out of step: it takes what it finds in the window, and reads the rest by itself from where it is. The SHA-256 of a
 * file is compared once, before its last chunk is handed out.
 * @param copies in the order in which destinations take them
 */
export function createSharedReading(
  copies: readonly StagedCopy[],
  signal: AbortSignal,
  { limits = {}, clock = systemClock, open = fileSource }: SharedReadingOptions = {},
): SharedReading {
  const files = new Map(copies.map((copy, order) => [copy.path, sharedFile(copy, order)]));
  const window = createSharedWindow({ ...LIMITS, ...limits }, clock, signal);
  const sharing: Sharing = { window, readers: new Set(), files, active: new Set(), clock, open };
  return {
    join: () => join(sharing),
    async [Symbol.asyncDispose]() {
      window[Symbol.dispose]();
      for (const file of files.values()) await close(file);
    },
  };
}

function sharedFile(copy: StagedCopy, order: number): SharedFile {
  return {
    copy,
    order,
    hash: undefined,
    source: undefined,
    read: 0,
    underWay: undefined,
    users: 0,
    failure: undefined,
  };
}

function join(sharing: Sharing): StudyReading {
  const { window, readers, clock } = sharing;
  const nowMs = clock.nowMs();
  const reader: Reader = {
    ...{ expected: undefined, next: new Map(), isInStep: true },
    ...{ tookAtMs: nowMs, heldUpMs: 0, countedToMs: nowMs },
  };
  readers.add(reader);
  const isDone = (path: string): void => {
    reader.next.set(path, Number.POSITIVE_INFINITY);
    window.release(reader, path, () => true);
  };
  return {
    async *read(copy) {
      const file = sharing.files.get(copy.path);
      if (file === undefined || copy.sizeBytes === 0) return yield* readAlone(copy);
      file.users += 1;
      sharing.active.add(file);
      try {
        yield* chunksFor(sharing, reader, file);
      } finally {
        isDone(copy.path);
        file.users -= 1;
        if (file.users === 0) {
          sharing.active.delete(file);
          await close(file);
        }
      }
    },
    expects(copies) {
      const expected = new Set(copies.map(({ path }) => path));
      reader.expected = expected;
      for (const path of sharing.files.keys()) if (!expected.has(path)) window.release(reader, path, () => true);
    },
    leavesOut(copies) {
      for (const { path } of copies) isDone(path);
    },
    [Symbol.dispose]() {
      readers.delete(reader);
      window.fallOut(reader);
    },
  };
}

/** What is in the window from there, the rest from the disk. */
async function* chunksFor(sharing: Sharing, reader: Reader, file: SharedFile): AsyncGenerator<Uint8Array> {
  const { window, clock, open } = sharing;
  const { path } = file.copy;
  const count = chunkCount(file.copy);
  let own: FileSource | undefined;
  try {
    for (let index = 0; index < count; index += 1) {
      const shared = await sharedChunk(sharing, reader, file, index);
      if (shared === undefined) own ??= await openCopy(file.copy, open);
      const chunk = shared ?? (own && (await readChunk(own, index)));
      reader.next.set(path, index + 1);
      reader.tookAtMs = clock.nowMs();
      window.release(reader, path, (kept) => kept <= index);
      if (chunk !== undefined) yield chunk;
    }
  } finally {
    await own?.[Symbol.asyncDispose]();
  }
}

/** Undefined: it was read before, and is kept no more. */
async function sharedChunk(
  sharing: Sharing,
  reader: Reader,
  file: SharedFile,
  index: number,
): Promise<Uint8Array | undefined> {
  if (file.failure !== undefined) throw file.failure;
  const kept = sharing.window.get(file.copy.path, index);
  if (kept !== undefined || index < file.read) return kept;
  if (file.underWay?.index === index) return await file.underWay.bytes;
  const underWay = { index, bytes: readNext(sharing, reader, file) };
  file.underWay = underWay;
  try {
    return await underWay.bytes;
  } finally {
    // The chunk would live as long as the study otherwise.
    if (file.underWay === underWay) file.underWay = undefined;
  }
}

async function readNext(sharing: Sharing, reader: Reader, file: SharedFile): Promise<Uint8Array> {
  const { window, active } = sharing;
  const { copy, order, read: index } = file;
  const sizeBytes = Math.min(CHUNK_BYTES, copy.sizeBytes - index * CHUNK_BYTES);
  const isAwaited = [...awaiting(sharing, file, index)].some((other) => other !== reader);
  const isFirst = (): boolean => ![...active].some((other) => other.order < order);
  if (isAwaited) await window.takeRoom(reader, { order, sizeBytes, isFirst });
  try {
    const bytes = await readAndSum(sharing, file, index);
    file.read += 1;
    const awaitedBy = isAwaited ? awaiting(sharing, file, index) : new Set<Reader>();
    if (awaitedBy.size > 0) window.keep({ path: copy.path, order, index, bytes, awaitedBy });
    else if (isAwaited) window.giveBack(sizeBytes);
    return bytes;
  } catch (thrown) {
    if (isAwaited) window.giveBack(sizeBytes);
    file.failure = thrown instanceof GatewayError ? thrown : undefined;
    throw thrown;
  }
}

/** Those in step that have it before them. */
function awaiting({ readers }: Sharing, { copy: { path } }: SharedFile, index: number): Set<Reader> {
  const isBefore = ({ isInStep, expected, next }: Reader): boolean =>
    isInStep && (expected?.has(path) ?? true) && (next.get(path) ?? 0) <= index;
  return new Set([...readers].filter(isBefore));
}

async function readAndSum({ open }: Sharing, file: SharedFile, index: number): Promise<Uint8Array> {
  file.source ??= await openCopy(file.copy, open);
  const bytes = await readChunk(file.source, index);
  file.hash = (file.hash ?? createHash("sha256")).update(bytes);
  if (index + 1 < chunkCount(file.copy)) return bytes;
  const sum = file.hash.digest("hex");
  file.hash = undefined;
  await close(file);
  if (sum !== file.copy.sha256) throw new GatewayError("DELIVERY_FILE_CHANGED", { what: "sum" });
  return bytes;
}

async function close(file: SharedFile): Promise<void> {
  const { source } = file;
  file.source = undefined;
  await source?.[Symbol.asyncDispose]();
}
