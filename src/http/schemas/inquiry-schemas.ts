import { z } from "zod";
import { CHECK_VERDICTS } from "../../operations/check/documents.ts";
import { PLAN_OUTCOMES } from "../../operations/plan/documents.ts";
import { code, count, countByName, nameParameter, pageOf, time } from "./fields.ts";

const maybe = count.nullable().meta({ description: "null: nobody says" });

const facts = {
  id: z.string(),
  project: z.string(),
  state: z.enum(["running", "done", "cancelled", "failed"]),
  code: code.nullable(),
  startedAt: time,
  endedAt: time.nullable(),
  progress: z.object({ done: count, total: count }),
};

const plannedArchive = z.object({
  name: z.string(),
  studies: count,
  instances: count,
  sizeBytes: count,
  paused: z.boolean(),
  isOpen: z.boolean(),
  nextOpening: time.nullable(),
  studiesPerMinute: z.number().nullable(),
  bytesPerSecond: z.number().nullable(),
  workSeconds: maybe,
  doneAt: time.nullable().meta({ description: "when all of it would be here if it began now; null: not to be told" }),
});

const planSummary = z.object({
  rows: count,
  outcomes: countByName,
  codes: countByName,
  studies: count.meta({ description: "that would be retrieved" }),
  series: count,
  instances: count,
  studiesWithoutCount: count,
  disk: z.object({
    sizeBytes: count,
    freeBytes: maybe,
    reserveBytes: count,
    fits: z.boolean().nullable(),
    basis: z.array(
      z.object({
        archive: z.string(),
        modality: z.string(),
        bytesPerInstance: count,
        measuredInstances: count.meta({ description: "0: an assumption" }),
      }),
    ),
  }),
  archives: z.array(plannedArchive),
});

export const plan = z.object({ kind: z.literal("plan"), ...facts, summary: planSummary.nullable() });

const checkSummary = z.object({
  studies: count,
  verdicts: countByName,
  later: count.meta({ description: "instances that the archive has and the ledger does not know" }),
  vanishedFromArchive: count,
  vanishedFromDestinations: count,
  differing: count,
  queued: count.meta({ description: "studies that were queued to mend the difference" }),
});
export const check = z.object({
  kind: z.literal("check"),
  ...facts,
  cohort: z.string(),
  summary: checkSummary.nullable(),
});

const date = z.string().regex(/^\d{8}$/, "must be YYYYMMDD");
export const searchQuery = z.strictObject({
  keys: z
    .array(z.string().min(1).max(400))
    .max(50)
    .default([])
    .meta({ description: "Keyword=value, as C-FIND matches them" }),
  from: date.optional(),
  to: date.optional(),
  modality: z.string().min(1).max(16).optional(),
  description: z.string().min(1).max(400).optional().meta({ description: "a text, or a pattern between slashes" }),
});
export const searchWish = z.strictObject({
  project: nameParameter,
  archive: nameParameter,
  queries: z.array(searchQuery).min(1).max(2_000),
  maximumStudies: z.int().min(1).max(500_000).optional(),
  yesAll: z.boolean().default(false).meta({ description: "a query may match everything; needs maximumStudies" }),
  archiveCap: z.int().min(1).optional().meta({ description: "how many answers the archive gives at most" }),
  countOnly: z.boolean().default(false),
});
const searchSummary = z.object({
  queries: count,
  studies: count,
  instances: count.meta({ description: "of the studies whose number of instances the archive tells" }),
  studiesWithoutCount: count,
  questions: count.meta({ description: "that the archive was asked" }),
  passedOver: count.meta({ description: "answers that were not asked for, or do not match a pattern" }),
  modalityUntold: count.meta({
    description: "studies kept though the archive does not say of which modality they are",
  }),
  cutDays: count.meta({ description: "days of which the archive may hold back studies" }),
  isComplete: z.boolean(),
  isKept: z.boolean(),
});
const seconds = z.number().min(0).nullable();
export const searchEstimate = z.object({
  project: z.string(),
  archive: z.string(),
  queries: count,
  questions: z.object({
    least: count.meta({ description: "one for each query" }),
    forDates: count.meta({ description: "so many more at most where the archive cuts its answers" }),
    forSeries: count.meta({ description: "so many more at most where it does not tell studies' modalities" }),
    most: count.meta({ description: "all of it together" }),
  }),
  associations: count.meta({ description: "that the archive allows at once; a search uses one" }),
  longestQuestionSeconds: z.number().meta({ description: "after so long a question is given up" }),
  secondsPerQuestion: seconds.meta({ description: "mean of the last hour's searches of the archive; null: none" }),
  leastSeconds: seconds.meta({ description: "what the least questions take at that; null: not known" }),
  state: z.enum(["open", "closed", "paused", "resting"]),
  startsAt: time.nullable().meta({ description: "the earliest; null: paused, or never by its windows" }),
  closesAt: time.nullable().meta({ description: "what is not asked by then is left unasked" }),
  retrieval: z
    .object({
      maximumStudies: count,
      studiesPerMinute: z.number().nullable(),
      bytesPerSecond: z.number().nullable(),
      workSeconds: seconds,
      doneAt: time.nullable(),
    })
    .meta({ description: "what follows if all that the search may find is submitted" }),
});
export const search = z.object({
  kind: z.literal("search"),
  ...facts,
  archive: z.string(),
  estimate: searchEstimate.meta({ description: "what was expected before anything was asked" }),
  summary: searchSummary.nullable(),
});
const searchedQuery = z.object({
  number: count,
  studies: count,
  questions: count,
  cutDays: count,
  code: code.nullable(),
});
export const inquiry = z.discriminatedUnion("kind", [plan, check, search]);
export const inquiryList = z.object({ items: z.array(inquiry) });

const plannedRow = z.object({
  number: count.meta({ description: "of the row; rows below the heading count from 1" }),
  outcome: z.enum(PLAN_OUTCOMES),
  code: code.nullable(),
  archive: z.string().nullable(),
  studies: count,
  series: maybe,
  instances: maybe,
  sizeBytes: maybe,
});

const checkedStudy = z.object({
  number: count,
  job: z.string(),
  state: z.string(),
  verdict: z.enum(CHECK_VERDICTS),
  archive: z.object({ name: z.string().nullable(), later: maybe, vanished: maybe, code: code.nullable() }),
  destinations: z.array(
    z.object({
      name: z.string(),
      proof: z.enum(["sha256", "uids"]).nullable(),
      expected: count,
      present: count,
      vanished: count,
      differing: count,
      code: code.nullable(),
    }),
  ),
  queued: z.boolean(),
});
export const inquiryItemPage = pageOf(z.union([plannedRow, checkedStudy, searchedQuery]));

/** Study after study; it names patients. */
export const foundStudyPage = pageOf(
  z.object({
    number: count.meta({ description: "of the row; rows count from 1" }),
    studyInstanceUid: z.string(),
    accessionNumber: z.string(),
    patientId: z.string(),
    studyDate: z.string(),
    modalities: z.string(),
    description: z.string(),
    instances: maybe,
  }),
);

const rowNumbers = z.array(z.int().min(1)).max(20_000);
export const foundChoice = z
  .union([z.strictObject({ only: rowNumbers }), z.strictObject({ without: rowNumbers })])
  .meta({ description: "rows by their numbers: only these, or all but these" });
