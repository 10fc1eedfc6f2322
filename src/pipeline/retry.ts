import type { ErrorDetails } from "../errors/gateway-error.ts";
import type { Random } from "../units/random.ts";

/** The event of a job whose step failed and that waits for another try. */
export const TRIED_AGAIN = "will be tried again";

export interface RetryPolicy {
  /** Due tries before a transient failure becomes final. */
  readonly attempts: number;
  readonly firstDelayMs: number;
  readonly maximumDelayMs: number;
}

/**
 * How long to wait after the given number of failed tries: doubling, up to the maximum, the upper half of it by chance
 * so that jobs which failed together do not come back together.
 */
export function backOffMs(policy: RetryPolicy, failedTries: number, random: Random): number {
  const doublings = Math.min(Math.max(failedTries - 1, 0), 30);
  const fullMs = Math.min(policy.firstDelayMs * 2 ** doublings, policy.maximumDelayMs);
  return Math.round(fullMs / 2 + (random.next() * fullMs) / 2);
}

/** A peer that asks to be left alone for longer is not asked before. */
export function retryDelayMs(
  policy: RetryPolicy,
  failedTries: number,
  random: Random,
  { retryAfterMs }: ErrorDetails,
): number {
  const asked = typeof retryAfterMs === "number" ? retryAfterMs : 0;
  return Math.max(backOffMs(policy, failedTries, random), asked);
}
