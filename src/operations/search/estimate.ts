import { finishMs } from "../../archive/availability/finish.ts";
import { openingHoursOf, policyInForce } from "../../archive/availability/policy.ts";
import { archiveStateOf } from "../archives.ts";
import type { ArchiveFacts, OperationsContext } from "../context.ts";
import { isoTime } from "../describe.ts";
import {
  type CheckedWish,
  checkWish,
  MAXIMUM_QUESTIONS,
  MAXIMUM_STUDIES,
  MAXIMUM_UNSURE,
  QUESTION_TIMEOUT_MS,
} from "./ask-archive.ts";
import type { EstimatedQuestions, EstimatedRetrieval, SearchEstimate, SearchWish } from "./documents.ts";
import { archiveOf } from "./of-project.ts";
import { questionsAtMost, windowOf } from "./windows.ts";

/** See `Operations.estimateSearch`. */
export async function estimateSearch(context: OperationsContext, wish: SearchWish): Promise<SearchEstimate> {
  const facts = archiveOf(context, wish);
  return await estimate(context, facts, { wish, checked: checkWish(wish) });
}

/** By what is known here; the archive hears nothing of it. */
export async function estimate(
  context: OperationsContext,
  facts: ArchiveFacts,
  { wish, checked }: { readonly wish: SearchWish; readonly checked: CheckedWish },
): Promise<SearchEstimate> {
  const { store, clock } = context;
  const { availability, archive } = facts;
  const nowMs = clock.nowMs();
  const condition = await store.archiveCondition(wish.archive);
  const standing = archiveStateOf(availability, condition, nowMs);
  const questions = countQuestions(checked, nowMs);
  const secondsPerQuestion = secondsOfLate(context, wish.archive);
  const policy = policyInForce(availability, condition);
  const hours = openingHoursOf(policy);
  const { studiesPerMinute } = policy;
  const { maximumStudies } = checked;
  const startsAt = startOf(standing, nowMs);
  const workMs =
    studiesPerMinute === undefined || maximumStudies === undefined
      ? undefined
      : (Math.min(maximumStudies, MAXIMUM_STUDIES) * 60_000) / studiesPerMinute;
  const doneMs = workMs === undefined || startsAt === null ? undefined : finishMs(hours, Date.parse(startsAt), workMs);
  const retrieval: EstimatedRetrieval = {
    maximumStudies: Math.min(maximumStudies ?? MAXIMUM_STUDIES, MAXIMUM_STUDIES),
    studiesPerMinute: studiesPerMinute ?? null,
    bytesPerSecond: policy.bytesPerSecond ?? null,
    workSeconds: workMs === undefined ? null : Math.ceil(workMs / 1_000),
    doneAt: doneMs === undefined ? null : isoTime(doneMs),
  };
  return {
    ...{ project: wish.project, archive: wish.archive, queries: checked.queries.length, questions },
    ...{ associations: archive.associations, longestQuestionSeconds: QUESTION_TIMEOUT_MS / 1_000, secondsPerQuestion },
    leastSeconds: secondsPerQuestion === null ? null : Math.ceil(secondsPerQuestion * questions.least),
    ...{ state: standing.state, startsAt, closesAt: standing.closesAt ?? null, retrieval },
  };
}

/** A query is one question, unless its answer is cut or does not tell what was asked for. */
function countQuestions({ queries, questions }: CheckedWish, nowMs: number): EstimatedQuestions {
  const least = queries.length;
  let forDates = 0;
  let forSeries = 0;
  for (const [index, { from, to }] of queries.entries()) {
    const asked = questionsAtMost(windowOf(from, to, nowMs));
    forDates += asked - 1;
    if (questions[index]?.modalities !== undefined) forSeries += asked * MAXIMUM_UNSURE;
  }
  const limit = MAXIMUM_QUESTIONS - least;
  return {
    least,
    forDates: Math.min(forDates, limit),
    forSeries: Math.min(forSeries, limit),
    most: least + Math.min(forDates + forSeries, limit),
  };
}

function startOf({ state, until, opensAt }: ReturnType<typeof archiveStateOf>, nowMs: number): string | null {
  if (state === "open") return isoTime(nowMs);
  return { closed: opensAt, resting: until, paused: undefined }[state] ?? null;
}

/** By the searches of that archive which are still remembered; null: there are none. */
function secondsOfLate({ inquiries, actor }: OperationsContext, archive: string): number | null {
  let ms = 0;
  let questions = 0;
  for (const inquiry of inquiries.list(actor)) {
    if (inquiry.kind !== "search" || inquiry.archive !== archive) continue;
    if (inquiry.summary === null || inquiry.endedAt === null) continue;
    ms += Date.parse(inquiry.endedAt) - Date.parse(inquiry.startedAt);
    questions += inquiry.summary.questions;
  }
  return questions === 0 ? null : ms / questions / 1_000;
}
