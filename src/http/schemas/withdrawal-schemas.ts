import { z } from "zod";
import { COPY_STATES } from "../../store/withdrawals.ts";
import { code, count } from "./fields.ts";

/** In the body: addresses are logged on the way. */
export const withdrawalWish = z.strictObject({
  patientIds: z.array(z.string().min(1).max(64)).min(1).max(10_000),
  reason: z.string().max(200).optional().meta({ description: "one line without any identifier" }),
  dryRun: z.boolean().default(false).meta({ description: "only tell what would be done" }),
});

export const withdrawal = z.object({
  project: z.string(),
  dryRun: z.boolean(),
  patients: count,
  withdrawnBefore: count.meta({ description: "patients who were withdrawn from the project already" }),
  studies: count,
  done: count.meta({
    description:
      "patients of whom nothing is left anywhere; not those of whom something may lie on a gateway that was given up",
  }),
  waitingFor: z
    .array(z.object({ node: z.string(), patients: count, seenAt: z.string().nullable() }))
    .meta({ description: "gateways that have not removed yet what may lie on their disks" }),
  givenUp: z.array(z.object({ node: z.string(), patients: count })).meta({
    description: "gateways that an operator gave up: their disks were not cleared, and nobody waits for them",
  }),
  unaskedHeld: count.meta({ description: "studies that were sent unasked and are held for a person" }),
  destinations: z.array(z.object({ name: z.string(), copies: z.record(z.enum(COPY_STATES), count) })),
  left: z.array(
    z.object({
      destination: z.string(),
      pseudonym: z.string(),
      pseudoStudyInstanceUid: z.string(),
      state: z.enum(["person", "failed", "waiting"]),
      code: code.nullable(),
    }),
  ),
});
