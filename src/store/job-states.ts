/** Where a job is. docs/ARCHITECTURE.md, "A job". */
export const STAGES = ["locating", "retrieving", "verifying", "deidentifying", "delivering", "confirming"] as const;
export type Stage = (typeof STAGES)[number];

/** What users see, and whether work on the job is over. docs/glossary.md. */
export const JOB_STATES = {
  queued: { done: false },
  waiting: { done: false },
  running: { done: false },
  held: { done: true },
  quarantined: { done: true },
  "not-found": { done: true },
  excluded: { done: true },
  cancelled: { done: true },
  failed: { done: true },
  delivered: { done: true },
} as const;
export type JobState = keyof typeof JOB_STATES;

/** What a person may have tried again. */
export const RETRYABLE_STATES: ReadonlySet<JobState> = new Set([
  "failed",
  "not-found",
  "held",
  "quarantined",
  "cancelled",
]);

/** From the worst to the best: a row that led to several jobs names the worst. */
export const STATES_WORST_FIRST: readonly JobState[] = [
  "failed",
  "quarantined",
  "held",
  "not-found",
  "cancelled",
  "waiting",
  "running",
  "queued",
  "excluded",
  "delivered",
];

export type Verdict = "complete" | "partial" | "unknown";
