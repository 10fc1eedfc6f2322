import type { Clock } from "../../../units/clock.ts";
import type { ImagingQueue } from "./queues.ts";

/** So many may be taken at once after a rest, as in PIXL. */
const CAPACITY = 5;

/** A bucket of tokens for each queue, filled at one rate for both. Rate 0 is a pause. */
export interface TokenBuckets {
  /** Tokens a second. */
  readonly rate: number;
  /** @throws RangeError when it is negative or not a finite number */
  setRate(rate: number): void;
  /** Takes a token, waiting until there is one. Rejects with the signal's reason. */
  take(queue: ImagingQueue, signal: AbortSignal): Promise<void>;
  /** Called after each change of the rate. */
  onChange(listener: () => void): Disposable;
}

export function createTokenBuckets(clock: Clock, startRate = 0): TokenBuckets {
  let rate = startRate;
  const buckets = new Map<ImagingQueue, { tokens: number; filledAtMs: number }>();
  const listeners = new Set<() => void>();

  const bucketOf = (queue: ImagingQueue): { tokens: number; filledAtMs: number } => {
    const nowMs = clock.nowMs();
    const bucket = buckets.get(queue) ?? { tokens: CAPACITY, filledAtMs: nowMs };
    // A clock that was set back takes no token away.
    const passedMs = Math.max(nowMs - bucket.filledAtMs, 0);
    bucket.tokens = Math.min(CAPACITY, bucket.tokens + (passedMs * rate) / 1_000);
    bucket.filledAtMs = nowMs;
    buckets.set(queue, bucket);
    return bucket;
  };
  const onChange = (listener: () => void): Disposable => {
    listeners.add(listener);
    return { [Symbol.dispose]: () => void listeners.delete(listener) };
  };
  /** Until a token may have come, or the rate was changed. */
  const wait = async (missing: number, signal: AbortSignal): Promise<void> => {
    const changed = new AbortController();
    using _listening = onChange(() => changed.abort());
    const waking = AbortSignal.any([signal, changed.signal]);
    const waitMs = rate === 0 ? LONGEST_WAIT_MS : Math.min(Math.ceil((missing * 1_000) / rate), LONGEST_WAIT_MS);
    await clock.sleep(waitMs, waking).catch(() => undefined);
    signal.throwIfAborted();
  };

  return {
    get rate() {
      return rate;
    },
    setRate(next) {
      if (!(next >= 0 && next < Number.POSITIVE_INFINITY)) throw new RangeError("a rate is a number from 0");
      // What the old rate gave until now.
      for (const queue of buckets.keys()) bucketOf(queue);
      rate = next;
      for (const listener of [...listeners]) listener();
    },
    async take(queue, signal) {
      signal.throwIfAborted();
      for (;;) {
        const bucket = bucketOf(queue);
        if (rate > 0 && bucket.tokens >= 1) {
          bucket.tokens -= 1;
          return;
        }
        await wait(1 - bucket.tokens, signal);
      }
    },
    onChange,
  };
}

const LONGEST_WAIT_MS = 60_000;
