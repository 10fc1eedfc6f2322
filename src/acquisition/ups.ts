import { ACQUISITION_STATES, type ScanTaskStatus, type UpsState } from "../store/acquisition-states.ts";
import type { Acquisition } from "../store/acquisitions.ts";

/** How a task's status reads as the state of a workitem. A template is none. */
export const UPS_OF_TASK = {
  NEW: "SCHEDULED",
  UPDATED: "SCHEDULED",
  STARTED: "IN PROGRESS",
  INPROGRESS: "IN PROGRESS",
  FINISHED: "COMPLETED",
  ERROR: "CANCELED",
} as const satisfies Record<ScanTaskStatus, UpsState>;

/** Failures of changing a workitem's state. PS3.4 CC.2.1.3, PS3.18 11.7.1. */
export const UPS_FAILURES = {
  alreadyInProgress: { status: 0xc302, httpStatus: 409 },
  wrongTransaction: { status: 0xc301, httpStatus: 400 },
  notYetInProgress: { status: 0xc310, httpStatus: 409 },
  noLongerUpdatable: { status: 0xc300, httpStatus: 409 },
  unknown: { status: 0xc307, httpStatus: 404 },
} as const;
export type UpsFailure = keyof typeof UPS_FAILURES;

/** Why an acquisition may not be changed by who presents this transaction UID; undefined: it may. PS3.4 CC.2.1.2. */
export function upsFailureOf(
  acquisition: Pick<Acquisition, "state" | "transactionUid"> | undefined,
  transactionUid: string,
): UpsFailure | undefined {
  if (acquisition === undefined) return "unknown";
  if (ACQUISITION_STATES[acquisition.state].next.length === 0) return "noLongerUpdatable";
  return acquisition.transactionUid === transactionUid ? undefined : "wrongTransaction";
}

/**
 * What a task may say next when somebody else than the ledger says it. Late reports of an attempt that ended change nothing; NEW, UPDATED and
 * STARTED open a new one.
 */
export const TASK_TRANSITIONS: Readonly<Record<ScanTaskStatus, ReadonlySet<ScanTaskStatus>>> = {
  NEW: new Set(["NEW", "UPDATED", "STARTED", "INPROGRESS", "FINISHED", "ERROR"]),
  UPDATED: new Set(["NEW", "UPDATED", "STARTED", "INPROGRESS", "FINISHED", "ERROR"]),
  STARTED: new Set(["NEW", "UPDATED", "STARTED", "INPROGRESS", "FINISHED", "ERROR"]),
  INPROGRESS: new Set(["INPROGRESS", "FINISHED", "ERROR"]),
  FINISHED: new Set(["NEW", "UPDATED", "STARTED", "FINISHED"]),
  ERROR: new Set(["NEW", "UPDATED", "STARTED", "ERROR"]),
};

/** May be claimed by a device that begins by itself. */
export const CLAIMABLE: ReadonlySet<ScanTaskStatus> = new Set(["NEW", "UPDATED", "STARTED"]);
