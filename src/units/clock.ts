import { setTimeout as delay } from "node:timers/promises";

/** Node's timers take no more: a longer one would fire at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Time as a parameter: tests inject their own. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  nowMs(): number;
  /** Rejects with the signal's reason when it is aborted first. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: async (durationMs, signal) => {
    const options = signal === undefined ? {} : { signal };
    let leftMs = durationMs;
    for (; leftMs > LONGEST_TIMER_MS; leftMs -= LONGEST_TIMER_MS) await delay(LONGEST_TIMER_MS, undefined, options);
    await delay(leftMs, undefined, options);
  },
};
