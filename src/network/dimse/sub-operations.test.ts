import { expect, it } from "vitest";
import type { CommandSet } from "./command-set.ts";
import { createSubOperationAccount } from "./sub-operations.ts";

/** Remaining, completed, failed, warning, as an answer has them. */
function answer(...counts: readonly (number | undefined)[]): CommandSet {
  const [remaining, completed, failed, warning] = counts;
  return {
    ...(remaining !== undefined && { numberOfRemainingSuboperations: remaining }),
    ...(completed !== undefined && { numberOfCompletedSuboperations: completed }),
    ...(failed !== undefined && { numberOfFailedSuboperations: failed }),
    ...(warning !== undefined && { numberOfWarningSuboperations: warning }),
  };
}

function counts(remaining?: number, completed?: number, failed?: number, warning?: number) {
  return { remaining, completed, failed, warning };
}

it("takes counts as the peer says them", () => {
  const account = createSubOperationAccount();
  expect(account.pending(answer(2, 1, 0, 0))).toEqual(counts(2, 1, 0, 0));
  expect(account.final(answer(undefined, 2, 1, 0))).toEqual(counts(undefined, 2, 1, 0));
});

it("does not let what has ended go back", () => {
  const account = createSubOperationAccount();
  account.pending(answer(10, 5, 2, 1));
  expect(account.pending(answer(20, 1, 0, 0))).toEqual(counts(20, 5, 2, 1));
  expect(account.final(answer(undefined, 3, 0, 0))).toEqual(counts(undefined, 5, 2, 1));
});

it("leaves unknown what is absent: all of it, or how many completed in the end", () => {
  expect(createSubOperationAccount().final(answer())).toEqual(counts());
  const account = createSubOperationAccount();
  expect(account.pending(answer(undefined, 4, 1))).toEqual(counts(undefined, 4, 1));
  expect(account.pending(answer())).toEqual(counts(undefined, 4, 1));
  expect(account.final(answer())).toEqual(counts(undefined, undefined, 1));
});
