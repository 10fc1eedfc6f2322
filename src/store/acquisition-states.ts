/** The states of a Unified Procedure Step. PS3.4 CC.1.1, PS3.3 C.30.1 (Procedure Step State). */
export type UpsState = "SCHEDULED" | "IN PROGRESS" | "COMPLETED" | "CANCELED";

/** ScanHub's ItemStatus, of tasks. */
export const SCAN_TASK_STATUSES = ["NEW", "UPDATED", "STARTED", "FINISHED", "ERROR", "INPROGRESS"] as const;
export type ScanTaskStatus = (typeof SCAN_TASK_STATUSES)[number];

interface AcquisitionStateEntry {
  readonly ups: UpsState;
  /** What the task says meanwhile; undefined: what it said before. */
  readonly task: ScanTaskStatus | undefined;
  readonly next: readonly string[];
}

/**
 * One acquisition is one attempt at a task, as a workitem ends once and a task may be run again: its life begins when it is claimed.
 * `aborting`: what is half done is being taken back, after a crash too.
 */
export const ACQUISITION_STATES = {
  claimed: { ups: "IN PROGRESS", task: "STARTED", next: ["claimed", "started", "acquiring", "aborting"] },
  started: { ups: "IN PROGRESS", task: "STARTED", next: ["started", "acquiring", "aborting"] },
  acquiring: { ups: "IN PROGRESS", task: "INPROGRESS", next: ["acquiring", "completed", "aborting"] },
  aborting: { ups: "IN PROGRESS", task: undefined, next: ["canceled"] },
  completed: { ups: "COMPLETED", task: "FINISHED", next: [] },
  canceled: { ups: "CANCELED", task: "ERROR", next: [] },
} as const satisfies Record<string, AcquisitionStateEntry>;
export type AcquisitionState = keyof typeof ACQUISITION_STATES;

interface TransferStateEntry {
  /** Nothing is left to do. */
  readonly isFinal: boolean;
  readonly next: readonly string[];
}

/**
 * A file on its way from a device, in the order of its steps. `blank-pending`: a blank result is being asked for; `receiving`: it is there,
 * bytes come; `verified`: all of them are on disk and right; `committed`: under their final name; `published`: the result says so.
 * A whole file that cannot go on stays where it is and is tried again; `stuck`: not any more before the next start: kept, and for a person to look at.
 * `removed`: its time in the lake was over.
 */
export const TRANSFER_STATES = {
  "blank-pending": { isFinal: false, next: ["receiving", "aborting"] },
  receiving: { isFinal: false, next: ["verified", "aborting"] },
  verified: { isFinal: false, next: ["committed", "aborting", "stuck"] },
  committed: { isFinal: false, next: ["published", "stuck"] },
  published: { isFinal: true, next: ["removed"] },
  aborting: { isFinal: false, next: ["aborted"] },
  aborted: { isFinal: true, next: [] },
  stuck: { isFinal: true, next: ["verified", "committed"] },
  removed: { isFinal: true, next: [] },
} as const satisfies Record<string, TransferStateEntry>;
export type TransferState = keyof typeof TRANSFER_STATES;

/** The states that may come before one. */
export function statesBefore<S extends string>(
  table: Readonly<Record<S, { readonly next: readonly string[] }>>,
  state: S,
): readonly S[] {
  return Object.entries<{ readonly next: readonly string[] }>(table).flatMap(([name, { next }]) =>
    next.includes(state) ? [name as S] : [],
  );
}
