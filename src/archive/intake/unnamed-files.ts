import type { Clock } from "../../units/clock.ts";

/** What an interrupted commit still names is named by then. */
const DOUBTFUL_MS = 3_600_000;
/** More are left to the next start. */
const MAXIMUM_FILES = 50_000;

/** Kept files that the store failed to write down. It may have done so all the same: they are left alone until that is certain. */
export interface UnnamedFiles {
  add(file: string): void;
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
    async removeOld() {
      const beforeMs = clock.nowMs() - DOUBTFUL_MS;
      for (const [file, sinceMs] of waiting) {
        if (sinceMs > beforeMs) return;
        if (!(await names(file)).includes(file)) await remove(file);
        waiting.delete(file);
      }
    },
  };
}
