import type { Clock } from "../units/clock.ts";
import { createSemaphore } from "../units/semaphore.ts";
import { together } from "../units/together.ts";
import { sizeOf } from "../units/write-blocks.ts";
import { createPackFile, type PackFile, type PackSizes, type WriteBytes } from "./pack-file.ts";
import type { PackRange } from "./pack-ranges.ts";

/** Instances that are written together. */
const GROUP = 256;
/** What is smaller costs more to ask the disk and the store for than to write: it comes in larger groups. */
const SMALL_BYTES = 64 * 1024;
/** Names that take longer hold nothing up. */
const LONGEST_WAIT_MS = 10;

export interface PackWriterOptions {
  readonly folder: string;
  readonly sizes: PackSizes;
  readonly write: WriteBytes;
  readonly clock: Clock;
}

/** Adds to packs that none added to in an earlier life. */
export interface PackWriter extends AsyncDisposable {
  /** Resolves when it survives a power cut. @throws errors of the disk as they are, GatewayError STAGING_FULL */
  append(pieces: readonly Uint8Array[]): Promise<PackRange>;
  /** Whether the pack is still added to, or something in it is still being named. */
  isInUse(pack: string): boolean;
  /** What was appended has its name, or will have none. */
  settle(pack: string): void;
}

interface Written {
  readonly range: PackRange;
  readonly survives: Promise<void>;
}

/** What comes at the same moment is written together, and what was written by the same moment shares a sync. */
export function createPackWriter({ folder, sizes, write, clock }: PackWriterOptions): PackWriter {
  let current: PackFile | undefined;
  // A pack is written to, followed by the next and closed, one at a time.
  const turns = createSemaphore(1);
  const naming = createNaming();
  let isSmall = false;

  const packFor = async (sizeBytes: number): Promise<PackFile> => {
    if (current !== undefined && (current.isBroken() || !current.hasRoom(sizeBytes))) {
      const full = current;
      current = undefined;
      await closePack(full);
    }
    current ??= await createPackFile(folder, sizes, write);
    return current;
  };
  /** As soon as it is known: what failed is not to lie there until somebody adds something. */
  const leave = async (broken: PackFile): Promise<void> => {
    using _turn = await turns.acquire();
    if (current !== broken) return;
    current = undefined;
    await closePack(broken);
  };
  const writeGroup = async (group: readonly (readonly Uint8Array[])[]): Promise<readonly Written[]> => {
    using _turn = await turns.acquire();
    const addedBytes = group.reduce((sum, pieces) => sum + sizeOf(pieces), 0);
    isSmall = addedBytes < SMALL_BYTES * group.length;
    const pack = await packFor(addedBytes);
    const { ranges, survives } = await pack.append(group).catch((thrown: unknown) => {
      void leave(pack);
      throw thrown;
    });
    survives.catch(() => leave(pack));
    naming.begin(pack.id, group.length);
    return ranges.map((range) => ({ range, survives }));
  };
  // Small ones wait for the names of those before: what comes meanwhile goes with them.
  const writeTogether = together(writeGroup, GROUP, () => (isSmall ? naming.ended(clock) : undefined));

  return {
    async append(pieces) {
      const { range, survives } = await writeTogether(pieces);
      try {
        await survives;
        return range;
      } catch (thrown) {
        naming.end(range.pack);
        throw thrown;
      }
    },
    isInUse: (pack) => current?.id === pack || naming.has(pack),
    settle: naming.end,
    async [Symbol.asyncDispose]() {
      using _turn = await turns.acquire();
      const last = current;
      current = undefined;
      if (last !== undefined) await closePack(last);
    },
  };
}

/** Counts what is being named, by its pack. */
function createNaming() {
  const counts = new Map<string, number>();
  let all = 0;
  let nothing = Promise.withResolvers<void>();
  return {
    has: (pack: string): boolean => counts.has(pack),
    /** When nothing is being named, or soon. */
    async ended(clock: Clock): Promise<void> {
      if (all === 0) return;
      const over = new AbortController();
      await Promise.race([nothing.promise, clock.sleep(LONGEST_WAIT_MS, over.signal).catch(() => undefined)]);
      over.abort();
    },
    begin(pack: string, count: number): void {
      if (all === 0) nothing = Promise.withResolvers<void>();
      all += count;
      counts.set(pack, (counts.get(pack) ?? 0) + count);
    },
    end(pack: string): void {
      const left = (counts.get(pack) ?? 0) - 1;
      if (left > 0) counts.set(pack, left);
      else counts.delete(pack);
      all -= 1;
      if (all === 0) nothing.resolve();
    },
  };
}

/** As far as the disk lets us: what is not cut off or overwritten now is at the next start. */
async function closePack(pack: PackFile): Promise<void> {
  await pack.close().catch(() => undefined);
}
