import { expect, it } from "vitest";
import type { ErrorCode } from "../errors/registry.ts";
import { describeJob } from "../operations/describe.ts";
import type { JobState } from "../store/job-states.ts";
import { problemLinesOf } from "./state-words.ts";

function study(id: string, state: JobState, code: ErrorCode | undefined) {
  const unknown = {
    ...{ verdict: undefined, archive: undefined, expected: undefined, waitingUntilMs: undefined },
    ...{ seriesInstanceUids: undefined, participantId: undefined, finishedAtMs: undefined },
    ...{ pseudonym: undefined, pseudoStudyInstanceUid: undefined },
    ...{ studyInstanceUid: undefined, patientId: undefined, accessionNumber: undefined },
  };
  const counts = { priority: 3, received: 1, excluded: 0, delivered: 0, attempts: 4, createdAtMs: 0 };
  return describeJob({ id, project: "lung", stage: "delivering", state, code, ...unknown, ...counts }, [], []);
}

it("does not say of what has failed that it goes on by itself: of one code some may be at their end", () => {
  const lines = problemLinesOf([
    study("a", "waiting", "DESTINATION_FULL"),
    study("b", "failed", "DESTINATION_FULL"),
    study("c", "failed", "DESTINATION_FULL"),
    study("d", "delivered", undefined),
  ]);
  const remedy = "    What to do: Free space at the destination; delivery goes on by itself.";
  expect(lines).toEqual([
    "2 x DESTINATION_FULL: The destination has no room left.",
    `${remedy} What ended so has used up its tries: \`radferry study retry --code DESTINATION_FULL\` once the cause is gone.`,
    "1 x DESTINATION_FULL: The destination has no room left.",
    remedy,
  ]);
});

it("says of what only a person can mend nothing but that", () => {
  const [, remedy] = problemLinesOf([study("a", "not-found", "STUDY_NOT_FOUND")]);
  expect(remedy).not.toContain("tries");
});
