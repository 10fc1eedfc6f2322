import type { JobState, Stage } from "./job-states.ts";
import type { DeliveryRecord, JobRecord } from "./records.ts";

/** Jobs of a project in one stage and state. */
export interface JobCount {
  readonly project: string;
  readonly stage: Stage;
  readonly state: JobState;
  readonly jobs: number;
}

/**
 * A job as it is now, and the number of its last change of state or stage: numbers only grow, and each job has its last one alone. One that came
 * back to where it was, such as by failing twice, may be told for each time.
 */
export interface JobChanged {
  readonly number: number;
  readonly job: JobRecord;
}

/** So far back from the last change they are kept. */
export const CHANGES_KEPT = 100_000;

/** Changes after a number, in order. */
export interface JobChanges {
  readonly changes: readonly JobChanged[];
  /** Number of the last change there was; 0 before the first one. */
  readonly last: number;
}

export interface DeliveryFilter {
  readonly state?: DeliveryRecord["state"];
  /** Of these alone; absent: of all. */
  readonly projects?: readonly string[];
  /** Paging by key: job and destination that the last page ended with. */
  readonly after?: { readonly job: string; readonly destination: string };
  readonly limit: number;
}

export interface ListedDelivery extends DeliveryRecord {
  readonly job: string;
  readonly project: string;
}

export interface WorkerRecord {
  readonly name: string;
  /** Jobs it took so far. */
  readonly claims: number;
  readonly lastClaimAtMs: number;
}

/** The part of the store that looks at everything at once; none of it walks over the jobs. */
export interface OverviewStore {
  jobCounts(): Promise<readonly JobCount[]>;
  /** When the oldest job was made that is queued or waits, of these projects or of all; undefined when none is. */
  oldestWaitingAtMs(projects?: readonly string[]): Promise<number | undefined>;
  jobChanges(page: { readonly after: number; readonly limit: number }): Promise<JobChanges>;
  listDeliveries(filter: DeliveryFilter): Promise<readonly ListedDelivery[]>;
  listWorkers(): Promise<readonly WorkerRecord[]>;
}
