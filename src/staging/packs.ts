import { randomBytes } from "node:crypto";
import { type FileHandle, open, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "../errors/gateway-error.ts";
import { concurrently } from "../units/concurrently.ts";
import { syncFolder } from "../units/durable-files.ts";
import { makeFolders } from "../units/make-folders.ts";
import { together } from "../units/together.ts";
import { inBlocks, sizeOf } from "../units/write-blocks.ts";
import { nameOfRange, overwrite, overwriteRanges, type PackRange, rangeOfName, settlePack } from "./pack-ranges.ts";
import type { Removal } from "./removal.ts";
import { rethrowStaging } from "./staging-error.ts";

/** No write touches a block in which something acknowledged is: one that is torn harms nothing else. */
const BLOCK_BYTES = 4_096;
/** A pack is grown ahead where that is of use to more additions than these. */
const FEW_ADDITIONS = 8;
/** Instances that share one sync, and lists of them that are removed at a time. */
const GROUP = 256;
/** Instances that are moved out of a pack side by side. */
const MOVED_AT_ONCE = 16;

export interface PackSizes {
  /** A pack that has so much is followed by the next. */
  readonly packBytes: number;
  /** Packs grow by zeros of this length: to sync what is written into them changes no length, and is several times faster. */
  readonly extentBytes: number;
}

const USUAL_SIZES: PackSizes = { packBytes: 64 << 20, extentBytes: 4 << 20 };

/** What knows the names of what is packed. */
export interface PackNames {
  /** Those that begin so. Of a pack without any, nothing is kept. */
  beginning(prefix: string): Promise<readonly string[]>;
  /** False when nobody named it so any more. */
  change(from: string, to: string): Promise<boolean>;
  /** Whether a name that begins so may yet be written down by who was asked and did not answer: as long as that may be, its pack stays. */
  isInDoubt(prefix: string): boolean;
}

export interface PackOptions {
  readonly folder: string;
  readonly names: PackNames;
  readonly remove: Removal["remove"];
  readonly sizes?: PackSizes | undefined;
}

/** Many small instances in few files. What is added at the same moment is made durable by one sync. */
export interface Packs extends AsyncDisposable {
  /** Adds the bytes, and has them named once they survive a power cut. What is not named by the next start is overwritten then. */
  add<T>(pieces: readonly Uint8Array[], name: (name: string) => Promise<T>): Promise<T>;
  /** Into a file that is not there yet, for its owner alone. */
  copy(name: string, path: string): Promise<void>;
  /** What nobody names any more: it is overwritten, or goes with the whole pack. */
  remove(names: readonly string[]): Promise<void>;
}

/** One that is being added to. */
interface OpenPack {
  readonly id: string;
  readonly file: FileHandle;
  endBytes: number;
  allocatedBytes: number;
}

/** Adds to packs that none added to in an earlier life. */
interface Writer extends AsyncDisposable {
  append(pieces: readonly Uint8Array[]): Promise<PackRange>;
  /** Whether the pack is still added to, or something in it is still being named. */
  isInUse(pack: string): boolean;
  /** What was appended has its name, or will have none. */
  settle(pack: string): void;
}

/** @throws GatewayError STAGING_FULL, STAGING_UNAVAILABLE, as every method does */
export async function openPacks({ folder, names, remove, sizes = USUAL_SIZES }: PackOptions): Promise<Packs> {
  const pathOf = (pack: string): string => join(folder, pack);
  const namesIn = (pack: string): Promise<readonly string[]> => names.beginning(`${pack}/`);
  await makeFolders(folder, { mode: 0o700 }).catch(rethrowStaging);
  for (const pack of await readdir(folder).catch(rethrowStaging))
    await settlePack(pathOf(pack), await namesIn(pack), remove).catch(rethrowStaging);
  const writer = createWriter(folder, sizes);

  const add: Packs["add"] = async (pieces, name) => {
    const range = await writer.append(pieces).catch(rethrowStaging);
    try {
      return await name(nameOfRange(range));
    } finally {
      writer.settle(range.pack);
    }
  };
  const read = async ({ pack, offset, length }: PackRange): Promise<Buffer> => {
    await using file = await open(pathOf(pack), "r");
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await file.read(bytes, 0, length, offset);
    if (bytesRead !== length) throw new GatewayError("STAGING_UNAVAILABLE", { what: "a pack that was cut short" });
    return bytes;
  };
  /** Little that stays would keep a large file. */
  const empty = async (pack: string, staying: readonly string[]): Promise<void> => {
    await concurrently(staying, MOVED_AT_ONCE, async (name) => {
      await add([await read(rangeOfName(name))], async (to) => {
        if (await names.change(name, to)) return;
        const range = rangeOfName(to);
        await overwriteRanges(pathOf(range.pack), [range]);
      });
    });
    await remove(pathOf(pack));
  };
  const removeFrom = async (pack: string, ranges: readonly PackRange[]): Promise<void> => {
    if (writer.isInUse(pack) || names.isInDoubt(`${pack}/`)) {
      await overwriteRanges(pathOf(pack), ranges);
      return;
    }
    const gone = new Set(ranges.map(nameOfRange));
    const staying = (await namesIn(pack)).filter((name) => !gone.has(name));
    if (staying.length === 0) return await remove(pathOf(pack));
    const sizeBytes = await overwriteRanges(pathOf(pack), ranges);
    const stayingBytes = staying.reduce((sum, name) => sum + rangeOfName(name).length, 0);
    if (stayingBytes * 2 < sizeBytes) await empty(pack, staying);
  };
  // One after the other: what one finds in a pack, no other takes away.
  const removal = together<readonly string[], void>(async (lists) => {
    const byPack = Map.groupBy(lists.flat().map(rangeOfName), ({ pack }) => pack);
    for (const [pack, ranges] of byPack) await removeFrom(pack, ranges).catch(rethrowStaging);
    return lists.map(() => undefined);
  }, GROUP);

  return {
    add,
    async copy(name, path) {
      const bytes = await read(rangeOfName(name)).catch(rethrowStaging);
      await writeFile(path, bytes, { flag: "wx", mode: 0o600 }).catch(rethrowStaging);
    },
    remove: removal,
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  };
}

function createWriter(folder: string, { packBytes, extentBytes }: PackSizes): Writer {
  let current: OpenPack | undefined;
  const naming = new Map<string, number>();
  const count = (pack: string, change: number): void => {
    const left = (naming.get(pack) ?? 0) + change;
    if (left > 0) naming.set(pack, left);
    else naming.delete(pack);
  };

  const packFor = async (sizeBytes: number): Promise<OpenPack> => {
    if (current !== undefined && current.endBytes > 0 && current.endBytes + sizeBytes > packBytes) {
      const full = current;
      current = undefined;
      await full.file.truncate(full.endBytes).finally(() => full.file.close());
    }
    if (current !== undefined) return current;
    const id = `pack-${randomBytes(8).toString("hex")}`;
    const file = await open(join(folder, id), "wx", 0o600);
    await syncFolder(folder);
    current = { id, file, endBytes: 0, allocatedBytes: 0 };
    return current;
  };
  /** After a failed sync nobody knows what is on disk: nothing is added to this pack again, and what failed is overwritten as far as the disk lets us. */
  const giveUp = async ({ id, file, endBytes }: OpenPack): Promise<void> => {
    current = undefined;
    try {
      await overwrite(file, endBytes, (await file.stat()).size);
      await file.truncate(endBytes);
    } finally {
      await file.close();
      if (endBytes === 0) await rm(join(folder, id), { force: true });
    }
  };
  const append = together<readonly Uint8Array[], PackRange>(async (group) => {
    const lengths = group.map(sizeOf);
    const addedBytes = lengths.reduce((sum, length) => sum + length, 0);
    const pack = await packFor(addedBytes);
    try {
      const { id } = pack;
      let offset = await writeDurably(pack, group.flat(), addedBytes, extentBytes);
      count(id, group.length);
      return lengths.map((length) => {
        const range = { pack: id, offset, length };
        offset += length;
        return range;
      });
    } catch (thrown) {
      await giveUp(pack).catch(() => undefined);
      throw thrown;
    }
  }, GROUP);

  return {
    append,
    isInUse: (pack) => current?.id === pack || naming.has(pack),
    settle: (pack) => count(pack, -1),
    async [Symbol.asyncDispose]() {
      // What it was grown by goes at the next start.
      await current?.file.close();
    },
  };
}

/** Behind what the pack has; answers where. */
async function writeDurably(
  pack: OpenPack,
  pieces: readonly Uint8Array[],
  addedBytes: number,
  extentBytes: number,
): Promise<number> {
  const { file, endBytes, allocatedBytes } = pack;
  const nextBytes = Math.ceil((endBytes + addedBytes) / BLOCK_BYTES) * BLOCK_BYTES;
  // What is as large as the zeros themselves takes longer to write twice than its length takes to sync.
  const spareBytes = addedBytes * FEW_ADDITIONS < extentBytes ? extentBytes : 0;
  const grownBytes = nextBytes > allocatedBytes ? nextBytes + spareBytes : allocatedBytes;
  const zeroBytes = grownBytes > allocatedBytes ? grownBytes - endBytes - addedBytes : 0;
  let offset = endBytes;
  for (const block of inBlocks([...pieces, Buffer.alloc(zeroBytes)])) {
    const { bytesWritten } = await file.writev(block, offset);
    if (bytesWritten !== sizeOf(block)) throw new GatewayError("STAGING_FULL");
    offset += bytesWritten;
  }
  await file.datasync();
  pack.endBytes = nextBytes;
  pack.allocatedBytes = grownBytes;
  return endBytes;
}
