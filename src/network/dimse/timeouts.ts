import { LONGEST_TIMER_MS } from "../../units/clock.ts";
import type { DimseTimeouts } from "./service-types.ts";

const DEFAULT_TIMEOUTS: DimseTimeouts = { connectTimeoutMs: 10_000, artimTimeoutMs: 10_000, idleTimeoutMs: 120_000 };

/** What we tell peers to send at most in one P-DATA-TF; larger ones gain nothing, as data is passed on as it arrives. */
export const DEFAULT_MAXIMUM_PDU_LENGTH = 131_072;

export function completeTimeouts(timeouts: Partial<DimseTimeouts> | undefined): DimseTimeouts {
  const { connectTimeoutMs, artimTimeoutMs, idleTimeoutMs } = { ...DEFAULT_TIMEOUTS, ...timeouts };
  return {
    connectTimeoutMs: Math.min(connectTimeoutMs, LONGEST_TIMER_MS),
    artimTimeoutMs: Math.min(artimTimeoutMs, LONGEST_TIMER_MS),
    idleTimeoutMs: Math.min(idleTimeoutMs, LONGEST_TIMER_MS),
  };
}
