import { open, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "../errors/gateway-error.ts";
import type { Clock } from "../units/clock.ts";
import { concurrently } from "../units/concurrently.ts";
import { makeFolders } from "../units/make-folders.ts";
import { together } from "../units/together.ts";
import { type PackSizes, type WriteBytes, writeHere } from "./pack-file.ts";
import { nameOfRange, overwriteRanges, type PackRange, rangeOfName, settlePack } from "./pack-ranges.ts";
import { createPackWriter } from "./pack-writer.ts";
import type { Removal } from "./removal.ts";
import { rethrowStaging } from "./staging-error.ts";

/** Lists of instances that are removed at a time. */
const GROUP = 256;
/** Instances that are moved out of a pack side by side. */
const MOVED_AT_ONCE = 16;

/** What knows the names of what is packed. */
export interface PackNames {
  /** Those that begin so. Of a pack without any, nothing is kept. */
  beginning(prefix: string): Promise<readonly string[]>;
  /** False when nobody named it so any more. */
  change(from: string, to: string): Promise<boolean>;
  /** Whether a name that begins so may yet be written down by who was asked and did not answer: as long as that may be, its pack stays. */
  isInDoubt(prefix: string): boolean;
}

const USUAL_SIZES: PackSizes = { packBytes: 64 << 20, extentBytes: 4 << 20 };

export interface PackOptions {
  readonly folder: string;
  readonly names: PackNames;
  readonly remove: Removal["remove"];
  readonly sizes?: PackSizes | undefined;
  readonly clock: Clock;
  /** A thread's, where there is one. */
  readonly write?: WriteBytes | undefined;
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

/** @throws GatewayError STAGING_FULL, STAGING_UNAVAILABLE, as every method does */
export async function openPacks(options: PackOptions): Promise<Packs> {
  const { folder, names, remove, clock, sizes = USUAL_SIZES, write = writeHere } = options;
  const pathOf = (pack: string): string => join(folder, pack);
  const namesIn = (pack: string): Promise<readonly string[]> => names.beginning(`${pack}/`);
  await makeFolders(folder, { mode: 0o700 }).catch(rethrowStaging);
  for (const pack of await readdir(folder).catch(rethrowStaging))
    await settlePack(pathOf(pack), await namesIn(pack), remove).catch(rethrowStaging);
  const writer = createPackWriter({ folder, sizes, write, clock });

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
