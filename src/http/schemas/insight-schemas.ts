import { z } from "zod";
import { isErrorCode } from "../../errors/registry.ts";
import { THROUGHPUT_SPANS } from "../../store/throughput.ts";
import { code, count, countByName, nameParameter, remedy, time } from "./fields.ts";
import { stayedBehind } from "./study-schemas.ts";

/** A code that there is. */
export const codeParameter = z
  .string()
  .max(64)
  .refine(isErrorCode, "must be a code of docs/errors.md")
  .meta({ description: "a code of docs/errors.md" });

export const throughputQuery = z.object({
  span: z.enum(THROUGHPUT_SPANS).default("hour").meta({ description: "the last 48 hours, or the last 60 days" }),
  project: nameParameter.optional(),
});

export const throughput = z.object({
  span: z.enum(THROUGHPUT_SPANS),
  buckets: z
    .array(z.object({ at: time, studies: count, instances: count, bytes: count }))
    .meta({ description: "one for each hour or day of UTC, the oldest first, also where nothing was delivered" }),
});

export const failureList = z.object({
  items: z.array(
    z.object({
      code,
      class: z.enum(["transient", "ambiguous", "permanent"]),
      message: z.string(),
      remedy,
      studies: count.meta({ description: "that wait for a person with it" }),
      waiting: count.meta({ description: "that will be tried again by themselves" }),
      states: countByName,
      projects: countByName,
    }),
  ),
});

export const deidReport = z.object({
  id: z.string(),
  at: time,
  outcome: z.enum(["delivered", "excluded", "quarantined"]),
  profile: z.object({ name: z.string(), version: z.int(), hash: z.string() }),
  keyId: z.string(),
  engine: z.string(),
  hasThumbnail: z.boolean(),
  counts: z.object({
    instances: count,
    deidentified: count,
    excluded: count,
    rejected: count,
    failed: count.optional().meta({ description: "of the rejected: originals that could not be read" }),
  }),
  actions: countByName.meta({ description: "how many elements were removed, replaced and so on" }),
  elements: z.array(z.object({ tag: z.string(), keyword: z.string(), actions: countByName })),
  unlisted: z
    .array(z.object({ tag: z.string(), keyword: z.string(), count }))
    .meta({ description: "removed because no table names them" }),
  private: countByName.meta({ description: "removed, by (gggg,xxee)" }),
  notes: countByName,
  options: z.array(z.string()).meta({ description: "codes of PS3.16 CID 7050 that the outputs claim" }),
  reviews: z.array(z.object({ tag: z.string(), review: z.string() })),
  reasons: z.array(stayedBehind).meta({ description: "why instances stayed behind" }),
  verification: z.object({ hits: count, bytes: count, identifiers: count }),
  release: z
    .object({
      leftOut: count,
      allowedTags: z.array(z.string()),
      accepted: z.array(z.object({ reason: z.string(), count })),
    })
    .optional(),
});
