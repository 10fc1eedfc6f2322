import { z } from "zod";
import { type Route, route } from "../route.ts";
import { nameParameter } from "../schemas/fields.ts";
import { schemas } from "../schemas/schemas.ts";
import { withdrawalWish } from "../schemas/withdrawal-schemas.ts";

/** Patients who are taken out of a project. */
export const withdrawalRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/projects/{project}/withdrawals",
    tag: "Projects",
    summary:
      "Withdraw patients: remove every copy that was delivered, prove it by read-back, and tell where a person must act",
    operation: "withdrawPatients",
    params: z.object({ project: nameParameter }),
    body: withdrawalWish,
    answer: schemas.Withdrawal,
    errors: ["PROJECT_UNKNOWN", "WITHDRAWAL_INVALID", "LINKAGE_UNREADABLE"],
    handle: ({ path: { project }, body: { dryRun, ...wish } }, { operations }) =>
      operations.withdrawPatients(project, { ...wish, isRehearsal: dryRun }),
  }),
];
