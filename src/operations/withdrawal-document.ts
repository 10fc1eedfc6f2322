import { COPY_STATES, type CopyState, type WithdrawalRecord, type WithdrawnCopy } from "../store/withdrawals.ts";
import type { LeftCopy, WithdrawalDocument } from "./withdrawal-operations.ts";

type Found = Pick<WithdrawalRecord, "jobs" | "copies" | "state">;

/** What came of the withdrawal of some patients from a project. */
export function documentOf(project: string, dryRun: boolean, found: readonly Found[]): WithdrawalDocument {
  const copies = found.flatMap((each) => each.copies);
  const byDestination = Map.groupBy(copies, ({ destination }) => destination);
  return {
    project,
    dryRun,
    patients: found.length,
    studies: found.reduce((sum, { jobs }) => sum + jobs.length, 0),
    done: found.filter(({ state }) => state === "done").length,
    destinations: [...byDestination]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, each]) => ({ name, copies: countsOf(each) })),
    left: copies.flatMap(leftOf),
  };
}

function countsOf(copies: readonly WithdrawnCopy[]): { readonly [S in CopyState]: number } {
  const counts = { waiting: 0, removed: 0, absent: 0, person: 0, failed: 0 } satisfies { [S in CopyState]: number };
  for (const state of COPY_STATES) counts[state] = copies.filter((copy) => copy.state === state).length;
  return counts;
}

function leftOf({ destination, pseudonym, pseudoStudyInstanceUid, state, code }: WithdrawnCopy): LeftCopy[] {
  if (state === "removed" || state === "absent") return [];
  return [{ destination, pseudonym, pseudoStudyInstanceUid, state, code: code ?? null }];
}
