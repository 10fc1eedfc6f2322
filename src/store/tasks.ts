import type { ErrorCode } from "../errors/registry.ts";
import type { LeasedOutcome } from "./leased-work.ts";

/** Work of a face that outlives the request which asked for it, such as a retrieval that XNAT is to do. */
export interface TaskRecord {
  /** Says nothing of what the task is about. */
  readonly id: string;
  /** Which face's work it is, and which: `flip-retrieve`. */
  readonly kind: string;
  /** What it is about, such as a project of the face; several tasks may be about one. */
  readonly subject: string;
  /** JSON of the face's own; it may hold identifiers. */
  readonly body: string;
  readonly state: "waiting" | "running" | "done" | "failed" | "cancelled";
  readonly code: ErrorCode | undefined;
  /** JSON of the face's own: what was reached so far; counts and codes only. */
  readonly progress: string | undefined;
  /** Due tries so far; a crash does not count. */
  readonly attempts: number;
  readonly waitingUntilMs: number | undefined;
  readonly createdAtMs: number;
  readonly finishedAtMs: number | undefined;
}

export type NewTask = Pick<TaskRecord, "kind" | "subject" | "body">;

/** Writes hold only while the token is the task's. */
export interface TaskLease {
  readonly taskId: string;
  readonly token: string;
}

export interface ClaimedTask {
  readonly lease: TaskLease;
  readonly task: TaskRecord;
}

/** What is done has left its result in `progress`. */
export type TaskOutcome =
  | Exclude<LeasedOutcome, { readonly state: "done" }>
  | { readonly state: "done"; readonly progress: string; readonly attempts: number };

export interface TaskFilter {
  readonly kind: string;
  /** Absent: whatever they are about. */
  readonly subject?: string;
  /** Paging by key: the id the last page ended with. */
  readonly after?: string;
  readonly limit: number;
}

/** The part of the store that keeps tasks. */
export interface TaskStore {
  /** One that waits for its turn with the same content is joined: its id is answered. */
  addTask(task: NewTask, nowMs: number): Promise<string>;
  /** Takes the task that is due longest, of one of the kinds; tasks whose lease ended are due again. One task of a subject runs at a time. */
  claimTask(kind: string, leaseMs: number, nowMs: number, node?: string): Promise<ClaimedTask | undefined>;
  /** False when the lease is no longer the task's: the worker stops. */
  renewTask(lease: TaskLease, leaseMs: number, nowMs: number, progress?: string): Promise<boolean>;
  settleTask(lease: TaskLease, outcome: TaskOutcome, nowMs: number): Promise<boolean>;
  /** Cancels what is not done about a subject; a running worker learns it by `renewTask`. Returns how many. */
  cancelTasks(selection: { readonly kind: string; readonly subject: string }, nowMs: number): Promise<number>;
  /** At start: leases of workers that died with this home are given back. */
  releaseTasks(kind: string, nowMs: number, node?: string): Promise<number>;
  /** The newest first. @throws GatewayError JOB_NOT_FOUND when there is no task to go on after */
  listTasks(filter: TaskFilter): Promise<readonly TaskRecord[]>;
}
