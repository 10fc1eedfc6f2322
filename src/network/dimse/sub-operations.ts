import type { CommandSet } from "./command-set.ts";
import type { SubOperationCounts } from "./service-types.ts";

/** What a peer says of its C-STORE sub-operations, answer by answer. PS3.4 C.4.2.1.6 to C.4.2.1.9. */
export interface SubOperationAccount {
  pending(answer: CommandSet): SubOperationCounts;
  final(answer: CommandSet): SubOperationCounts;
}

type Ended = "completed" | "failed" | "warning";

/**
 * Counts of what has ended never go back, whatever the peer says: some begin anew for each series. What no answer named stays undefined.
 * How many completed in all is known from the final answer only: a peer that leaves it out there may have sent more than it last said.
 */
export function createSubOperationAccount(): SubOperationAccount {
  const most: Partial<Record<Ended, number>> = {};
  const raise = (count: Ended, said: number | undefined): number | undefined => {
    if (said !== undefined) most[count] = Math.max(said, most[count] ?? 0);
    return most[count];
  };
  const raiseAll = (answer: CommandSet): SubOperationCounts => ({
    remaining: answer.numberOfRemainingSuboperations,
    completed: raise("completed", answer.numberOfCompletedSuboperations),
    failed: raise("failed", answer.numberOfFailedSuboperations),
    warning: raise("warning", answer.numberOfWarningSuboperations),
  });
  return {
    pending: raiseAll,
    final(answer) {
      const counts = raiseAll(answer);
      return answer.numberOfCompletedSuboperations === undefined ? { ...counts, completed: undefined } : counts;
    },
  };
}
