import { z } from "zod";
import { code, count, jobState, pageOf, time } from "./fields.ts";

const finding = z.object({
  row: count.meta({ description: "rows below the heading count from 1" }),
  column: z.string(),
  code,
  message: z.string(),
});

const found = {
  project: z.string(),
  rows: count,
  accepted: count,
  refused: z.array(finding).meta({ description: "the first thousand findings; the export has every row" }),
  refusedFindings: count,
};

export const submitted = z.object({ cohort: z.string(), joined: count, ...found });
export const checked = z.object(found);

export const cohort = z.object({
  cohort: z.string(),
  project: z.string(),
  rows: count,
  accepted: count,
  joined: count,
  submittedAt: time,
  done: z.boolean(),
});
export const cohortPage = pageOf(cohort);

export const cohortStatus = z.object({
  cohort: z.string(),
  project: z.string(),
  total: count.meta({ description: "study jobs" }),
  states: z.partialRecord(jobState, count),
  done: z.boolean(),
});
