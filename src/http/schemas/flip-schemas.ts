import { z } from "zod";
import { code, count, pageOf, time } from "./fields.ts";

/** As the PACS gives them: who chooses needs to know them. */
export const flipCandidates = z.object({
  items: z.array(
    z.object({
      studyInstanceUid: z.string(),
      studyDate: z.string(),
      studyDescription: z.string(),
      modalitiesInStudy: z.array(z.string()),
      accessionNumber: z.string(),
    }),
  ),
});

const taskState = z.enum(["waiting", "running", "done", "failed", "cancelled"]);
const progress = {
  accessions: count.optional(),
  queuedNow: count.optional().meta({ description: "studies that XNAT put into its queue" }),
  present: count.optional().meta({ description: "studies that were there already, or on their way" }),
  problems: z
    .record(z.string(), count)
    .optional()
    .meta({ description: "why some were not asked for, with their number" }),
};

export const flipRetrieval = z.object({
  queued: z.boolean().meta({ description: "everything that could be asked for is in XNAT's queue, or further" }),
  task: z.string().meta({ description: "goes on by itself until it is done or failed" }),
  state: taskState,
  code: code.optional(),
  ...progress,
});

const accessions = z.array(z.string());
export const flipStatus = z.object({
  successful: accessions,
  failed: accessions,
  processing: accessions,
  queued: accessions,
  queueFailed: accessions,
});

const flipTask = z.object({
  id: z.string(),
  project: z.string(),
  kind: z.enum(["retrieve", "retry"]),
  state: taskState,
  code: code.optional(),
  attempts: count,
  waitingUntil: time.optional(),
  createdAt: time,
  finishedAt: time.optional(),
  queued: z.boolean().optional(),
  ...progress,
});
export const flipTaskPage = pageOf(flipTask);

export const flipCancelled = z.object({ cancelled: count });

/** The query of the project's cohort, as it is or as FLIP encodes it (base64url). */
export const flipQuery = z.strictObject({
  query: z.string().min(1).max(100_000),
});
export const flipQueryParameters = z.object({
  encoded_query: z
    .string()
    .min(1)
    .max(140_000)
    .regex(/^[A-Za-z0-9_-]+={0,2}$/, "must be base64url")
    .meta({ description: "the query of the project's cohort, as FLIP encodes it" }),
});
