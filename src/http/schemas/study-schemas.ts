import { z } from "zod";
import { code, count, countByName, detail, jobState, pageOf, remedy, stage, time } from "./fields.ts";

const priority = z.int().min(1).max(5).meta({ description: "1 to 5, 5 first" });

const event = z.object({ at: time, event: z.string(), detail });

const delivery = z.object({
  destination: z.string(),
  state: z.enum(["sending", "sent", "confirmed", "failed"]),
  instances: count,
  code: code.optional(),
  proof: z.string().optional().meta({ description: "what a confirmed delivery was read back by" }),
  at: time,
});

const instance = z.object({
  number: z.int().min(1).meta({ description: "names it to a release" }),
  series: z.int().min(1),
  state: z.enum(["passed", "rejected", "left out", "received", "missing", "delivered"]),
  code: z.string().optional(),
  reason: z.string().optional(),
  pseudoSopInstanceUid: z.string().optional(),
});

const release = z.object({
  at: time,
  by: z.string(),
  reason: z.string(),
  leftOut: count,
  allowedTags: z.array(z.string()),
});

export const stayedBehind = z.object({
  code: z.string(),
  reason: z.string(),
  tag: z.string().optional().meta({ description: "the place that the reason names" }),
  count,
  kinds: z
    .array(z.object({ sopClass: z.string(), modality: z.string(), count }))
    .optional()
    .meta({ description: "what they are; a word is empty where it is none of the standard's" }),
});

export const study = z.object({
  id: z.string(),
  project: z.string(),
  cohort: z.string().meta({ description: "the first cohort that holds it" }),
  cohorts: z.array(z.string()),
  state: jobState,
  stage,
  code: code.optional(),
  class: z.enum(["transient", "ambiguous", "permanent"]).optional(),
  message: z.string().optional(),
  remedy: remedy.optional(),
  priority,
  verdict: z.enum(["complete", "partial", "unknown"]).nullable(),
  expected: count.nullable(),
  received: count,
  excluded: count,
  delivered: count,
  attempts: count,
  waitingUntil: time.optional(),
  archive: z.string().optional(),
  pseudonym: z.string().nullable(),
  pseudoStudyInstanceUid: z.string().nullable(),
  finishedAt: time.optional(),
  events: z.array(event).meta({ description: "the timeline; empty in lists" }),
  deliveries: z.array(delivery).optional(),
  exclusions: countByName.optional().meta({ description: "why instances were left out, with their number" }),
  stayedBehind: z.array(stayedBehind).optional().meta({ description: "the same by what they are" }),
  instances: z.array(instance).optional().meta({ description: "while it is quarantined" }),
  release: release.optional(),
});
export const studyPage = pageOf(study);

export const ledger = z.object({
  items: z.array(
    z.object({
      series: z.int().min(1),
      expected: count,
      received: count,
      excluded: count,
      deidentified: count,
      delivered: count,
      exclusions: countByName,
    }),
  ),
});

export const identity = z.object({
  id: z.string(),
  studyInstanceUid: z.string().nullable(),
  accessionNumber: z.string().nullable(),
  patientId: z.string().nullable(),
});

const listedDelivery = z.object({ job: z.string(), project: z.string(), ...delivery.shape });
export const deliveryPage = pageOf(listedDelivery);

export const priorityWish = z.strictObject({ priority });
export const reprioritised = z.object({ changed: count });
export const retried = z.object({ retried: count });
export const cancelled = z.object({ cancelled: count });

export const releaseWish = z.strictObject({
  reason: z.string().min(1).max(200).meta({ description: "why, without anything that tells the patient" }),
  leaveOut: z
    .array(z.string().min(1).max(64))
    .max(10_000)
    .default([])
    .meta({ description: "numbers of instances, or their new SOP Instance UIDs" }),
  leaveOutRejected: z.boolean().default(false),
  allowTags: z.array(z.string().min(1).max(200)).max(50).default([]),
});

export const released = z.object({
  id: z.string(),
  released: z.literal(true),
  leftOut: count,
  allowedTags: z.array(z.string()),
});
