import type { Violation } from "../network/upper-layer/violations.ts";
import type { Logger } from "../units/logger.ts";

/** How often peers broke the protocol, by what they did; each breach was logged when it happened. */
export interface ViolationCounts {
  note(violation: Violation): void;
  /** A line for each kind, the sum of a run. */
  log(logger: Logger): void;
}

export function createViolationCounts(): ViolationCounts {
  const counts = new Map<Violation, number>();
  return {
    note(violation) {
      counts.set(violation, (counts.get(violation) ?? 0) + 1);
    },
    log(logger) {
      for (const [violation, count] of [...counts].sort())
        logger.info("how often peers broke the protocol", { violation, count });
    },
  };
}
