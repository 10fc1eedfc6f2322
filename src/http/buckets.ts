import type { Clock } from "../units/clock.ts";

/** Tokens in a bucket for each name, of which so many come back in a second. */
export interface Buckets {
  /** Milliseconds until there is one again; 0 when one was taken. */
  take(name: string): number;
  /** Whether nothing was taken of it lately. */
  isFull(name: string): boolean;
}

interface Level {
  readonly tokens: number;
  readonly atMs: number;
}

/** So many names are remembered; the one that was used longest ago is forgotten first. */
const NAMES = 10_000;

export function createBuckets(
  clock: Pick<Clock, "nowMs">,
  { perSecond, burst }: { readonly perSecond: number; readonly burst: number },
): Buckets {
  const levels = new Map<string, Level>();
  const levelOf = (name: string): number => {
    const level = levels.get(name);
    if (level === undefined) return burst;
    return Math.min(burst, level.tokens + (Math.max(0, clock.nowMs() - level.atMs) / 1_000) * perSecond);
  };
  return {
    isFull: (name) => levelOf(name) >= burst,
    take(name) {
      const level = levelOf(name);
      const isThere = level >= 1;
      levels.delete(name);
      levels.set(name, { tokens: isThere ? level - 1 : level, atMs: clock.nowMs() });
      for (const oldest of levels.keys()) {
        if (levels.size <= NAMES) break;
        levels.delete(oldest);
      }
      return isThere ? 0 : Math.ceil(((1 - level) / perSecond) * 1_000);
    },
  };
}
