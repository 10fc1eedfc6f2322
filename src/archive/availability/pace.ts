import type { Clock } from "../../units/clock.ts";

/** Holds back who takes bytes faster than allowed. */
export interface Pace {
  /** Resolves when the bytes may count as taken; at once while there is no limit. */
  take(bytes: number, signal?: AbortSignal): Promise<void> | undefined;
  /** @param bytesPerSecond undefined: no limit */
  set(bytesPerSecond: number | undefined): void;
}

/** What may be taken at once after a rest. */
const BURST_MS = 100;

export function createPace(clock: Clock): Pace {
  let rate: number | undefined;
  let paidUntilMs = 0;
  let takenAtMs = 0;
  return {
    set(bytesPerSecond) {
      rate = bytesPerSecond;
    },
    take(bytes, signal) {
      if (rate === undefined) return undefined;
      const nowMs = clock.nowMs();
      // By as much as the clock was set back.
      if (nowMs < takenAtMs) paidUntilMs -= takenAtMs - nowMs;
      takenAtMs = nowMs;
      paidUntilMs = Math.max(paidUntilMs, nowMs - BURST_MS) + (bytes * 1_000) / rate;
      const waitMs = Math.ceil(paidUntilMs - nowMs);
      return waitMs <= 0 ? undefined : clock.sleep(waitMs, signal);
    },
  };
}
