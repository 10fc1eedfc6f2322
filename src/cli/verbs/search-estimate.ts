import type { ArchiveState } from "../../operations/documents.ts";
import type { SearchEstimate } from "../../operations/search/documents.ts";
import { counted } from "../counted.ts";
import { durationText } from "../duration.ts";

/** What people read of a search before the archive hears of it. */
export function* estimateLines(estimate: SearchEstimate): Generator<string> {
  const { archive, queries, questions, leastSeconds, associations, longestQuestionSeconds } = estimate;
  yield `to ask ${archive}: ${counted(questions.least, "question")} for ${counted(queries, "query")}, ${questions.most} at most`;
  if (questions.forDates > 0) yield `  up to ${questions.forDates} of them to divide dates, if it cuts its answers`;
  if (questions.forSeries > 0)
    yield `  up to ${questions.forSeries} of them for series, if it does not tell of which modality studies are`;
  const pace =
    leastSeconds === null ? "how fast it answers is not known yet" : `about ${durationText(leastSeconds)} as of late`;
  yield `  one question at a time, of ${associations} that it allows, each ${longestQuestionSeconds} s at most; ${pace}`;
  yield `  ${STATES[estimate.state](estimate)}`;
  yield `  ${retrievalLine(estimate)}`;
}

const STATES: Readonly<Record<ArchiveState, (estimate: SearchEstimate) => string>> = {
  open: ({ closesAt }) =>
    closesAt === null ? "it may be asked now" : `it may be asked now; what is not asked by ${closesAt} is left unasked`,
  closed: ({ startsAt }) => `its windows are closed: it can be asked from ${startsAt ?? "never"}`,
  resting: ({ startsAt }) => `it is left alone for a while: it can be asked from ${startsAt ?? "later"}`,
  paused: () => "it is paused, and cannot be asked",
};

function retrievalLine({ retrieval }: SearchEstimate): string {
  const { maximumStudies, studiesPerMinute, workSeconds, doneAt } = retrieval;
  if (studiesPerMinute === null) return "what is found is then retrieved without a limit of studies per minute";
  if (workSeconds === null)
    return `what is found is then retrieved at ${counted(studiesPerMinute, "study")} a minute at most`;
  const done = doneAt === null ? "" : `, done at ${doneAt} at the earliest`;
  return `to retrieve ${counted(maximumStudies, "study")} takes ${durationText(workSeconds)} at ${studiesPerMinute} a minute${done}`;
}
