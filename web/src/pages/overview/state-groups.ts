import type { JobState } from "../../api/documents.ts";

/** States that say the same to who has a glance at them, and where their studies are shown. */
export const STATE_GROUPS: readonly {
  readonly title: string;
  readonly states: readonly JobState[];
  readonly to: string;
}[] = [
  { title: "waiting", states: ["queued", "waiting"], to: "/cohorts" },
  { title: "at work", states: ["running"], to: "/cohorts" },
  { title: "delivered", states: ["delivered"], to: "/cohorts" },
  { title: "excluded", states: ["excluded"], to: "/cohorts" },
  { title: "failed", states: ["failed"], to: "/failures" },
  { title: "not found", states: ["not-found"], to: "/failures" },
  { title: "held", states: ["held"], to: "/failures" },
  { title: "in quarantine", states: ["quarantined"], to: "/quarantine" },
  { title: "cancelled", states: ["cancelled"], to: "/cohorts" },
];
