import type { Clock } from "../../units/clock.ts";

/** What an interrupted commit still names is named by then. */
const DOUBTFUL_MS = 3_600_000;
/** More are left to the next start. */
const MAXIMUM_FILES = 50_000;

/** Kept files that the store failed to write down. It may have done so all the same: they are left alone until that is certain. */
export interface UnnamedFiles {
  add(file: string): void;
  /** Whether one that begins so is still left alone. */
  has(prefix: string): boolean;
  /** Removes those that have waited long enough and have no name by then. @throws what the store or the removal throws */
  removeOld(): Promise<void>;
}

interface UnnamedFilesOptions {
  readonly names: (file: string) => Promise<readonly string[]>;
  readonly remove: (file: string) => Promise<void>;
  readonly clock: Clock;
}

export function createUnnamedFiles({ names, remove, clock }: UnnamedFilesOptions): UnnamedFiles {
  /** Since when, oldest first. */
  const waiting = new Map<string, number>();
  return {
    add(file) {
      if (waiting.size < MAXIMUM_FILES) waiting.set(file, clock.nowMs());
    },
    has: (prefix) => waiting.keys().some((file) => file.startsWith(prefix)),
    async removeOld() {
      const beforeMs = clock.nowMs() - DOUBTFUL_MS;
      for (const [file, sinceMs] of waiting) {
        if (sinceMs > beforeMs) return;
        const isNamed = (await names(file)).includes(file);
        waiting.delete(file);
        try {
          if (!isNamed) await remove(file);
        } catch (thrown) {
          waiting.set(file, sinceMs);
          throw thrown;
        }
      }
    },
  };
}
