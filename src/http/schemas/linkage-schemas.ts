import { z } from "zod";
import { count, time } from "./fields.ts";

const link = z.object({
  pseudonym: z.string(),
  pseudoStudyInstanceUid: z.string(),
  patientId: z.string().meta({ description: "empty: the archive did not tell" }),
  studyInstanceUid: z.string(),
  accessionNumber: z.string(),
  study: z.string().meta({ description: "the study job" }),
  at: time,
});

export const links = z.object({ project: z.string(), items: z.array(link) });

/** In the body: addresses are logged on the way. */
export const linkageWish = z.union([
  z.strictObject({ pseudonym: z.string().min(1).max(64) }),
  z.strictObject({ patientId: z.string().min(1).max(64) }),
]);

export const destroyWish = z.strictObject({
  dryRun: z.boolean().default(false).meta({ description: "only tell how many there are" }),
});

export const linkageDestroyed = z.object({
  project: z.string(),
  destroyed: z.boolean(),
  links: count,
  digest: z.string().optional().meta({ description: "SHA-256 over what was destroyed" }),
  at: time.optional(),
  journalEmptied: z.boolean().optional(),
});
