import type { ErrorCode } from "../errors/registry.ts";
import type { JobState } from "./job-states.ts";

/** Jobs of a project in one state that have a code. */
export interface CodeCount {
  readonly project: string;
  readonly code: ErrorCode;
  readonly state: JobState;
  readonly jobs: number;
}

/** Jobs to be queued again: all of one code and state, or those of them that a project or a cohort has. */
export interface FailureSelection {
  readonly code: ErrorCode;
  readonly state: JobState;
  readonly project?: string;
  readonly cohort?: string;
}

export interface RetriedFailures {
  readonly retried: number;
  /** Where the next part goes on; undefined: this was the last one. */
  readonly last: string | undefined;
}

/** The part of the store that looks at jobs by what they ended or wait with. */
export interface FailureStore {
  /** From counters. */
  codeCounts(): Promise<readonly CodeCount[]>;
  /** Queues jobs again from the start, so many at a time that nothing else waits long. A state that cannot be retried has none. */
  retryFailures(
    selection: FailureSelection,
    page: { readonly after?: string; readonly limit: number },
    nowMs: number,
  ): Promise<RetriedFailures>;
}
