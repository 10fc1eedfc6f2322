import type { z } from "zod";
import type { schemas } from "../../../src/http/schemas/schemas.ts";

/** What the API answers, by the schemas that it answers with. */
export type ApiDocument<Name extends keyof typeof schemas> = z.infer<(typeof schemas)[Name]>;

export type Archive = ApiDocument<"Archive">;
export type Cohort = ApiDocument<"Cohort">;
export type CohortCheck = ApiDocument<"CohortCheck">;
export type CohortStatus = ApiDocument<"CohortStatus">;
export type Overview = ApiDocument<"Overview">;
export type Project = ApiDocument<"Project">;
export type Study = ApiDocument<"Study">;
export type JobState = Study["state"];

/** Part of a list; `next` is the cursor of what comes after it. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}
