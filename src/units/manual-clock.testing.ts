import type { Clock } from "./clock.ts";

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

/** Time that stands still until a test moves it on. */
export interface ManualClock extends Clock {
  /** Sleepers whose time has not come. */
  readonly sleeping: number;
  /** Wakes who sleeps no longer than that, in their order, each with the time it asked for. */
  advance(durationMs: number): Promise<void>;
}

export function createManualClock(startMs = 0): ManualClock {
  let nowMs = startMs;
  const sleepers = new Set<Sleeper>();
  const earliest = (): Sleeper | undefined =>
    [...sleepers].reduce<Sleeper | undefined>(
      (best, each) => (best && best.atMs <= each.atMs ? best : each),
      undefined,
    );
  return {
    nowMs: () => nowMs,
    get sleeping() {
      return sleepers.size;
    },
    sleep(durationMs, signal) {
      signal?.throwIfAborted();
      return new Promise((resolve, reject) => {
        const sleeper = { atMs: nowMs + durationMs, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", () => {
          if (sleepers.delete(sleeper)) reject(signal.reason);
        });
      });
    },
    async advance(durationMs) {
      const endMs = nowMs + durationMs;
      await new Promise(setImmediate);
      for (let next = earliest(); next !== undefined && next.atMs <= endMs; next = earliest()) {
        sleepers.delete(next);
        nowMs = Math.max(nowMs, next.atMs);
        next.wake();
        // Who was woken may lie down again within the time.
        await new Promise(setImmediate);
      }
      nowMs = endMs;
    },
  };
}
