import { z } from "zod";
import { PLAN_OUTCOMES } from "../../operations/plan/documents.ts";
import { code, count, countByName, pageOf, time } from "./fields.ts";

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
export const inquiry = plan;
export const inquiryList = z.object({ items: z.array(inquiry) });

export const plannedRow = z.object({
  number: count.meta({ description: "of the row; data rows count from 1" }),
  outcome: z.enum(PLAN_OUTCOMES),
  code: code.nullable(),
  archive: z.string().nullable(),
  studies: count,
  series: maybe,
  instances: maybe,
  sizeBytes: maybe,
});
export const inquiryItemPage = pageOf(plannedRow);
