import type { AuditEvent } from "../../units/audit.ts";
import type { JobEvent } from "../records.ts";
import type { Store } from "../store.ts";
import { appendAudit } from "./audit.ts";
import { addEvent, startOver } from "./join.ts";
import { cohortNumber, jobNumber } from "./look.ts";
import type { Row, Session } from "./session.ts";

/** A dissolved id is not acted upon: who retries or cancels a study is to name the job that has it now. */
type Selection = Parameters<Store["retryJobs"]>[0];

/** See `Store.retryJobs`. A cohort's retry wants its jobs again, whatever was cancelled before. */
export function retryJobs(session: Session, selection: Selection, nowMs: number): number {
  const rows = retryable(session, selection);
  for (const { jobNo } of rows) startOver(session, Number(jobNo), "retried", nowMs);
  return rows.length;
}

function retryable(session: Session, selection: Selection): readonly Row[] {
  if ("job" in selection) return session.all("retryableJob", { jobNo: jobNumber(session, selection.job, "jobOfId") });
  const cohortNo = cohortNumber(session, selection.cohort);
  session.run("markCohortWanted", { cohortNo });
  return session.all("retryableOfCohort", { cohortNo });
}

/** See `Store.queueDelivered`. */
export function queueDelivered(
  session: Session,
  id: string,
  detail: JobEvent["detail"],
  audit: AuditEvent,
  nowMs: number,
): boolean {
  const jobNo = jobNumber(session, id, "jobOfId");
  if (session.get("deliveredJob", { jobNo }) === undefined) return false;
  startOver(session, jobNo, "checked", nowMs, detail);
  appendAudit(session, audit, nowMs);
  return true;
}

/** See `Store.setPriority`. */
export function setPriority(session: Session, selection: Selection, priority: number, nowMs: number): number {
  const rows = prioritisable(session, selection, priority);
  for (const row of rows) {
    const jobNo = Number(row.jobNo);
    session.run("setPriority", { jobNo, priority });
    const detail = { before: Number(row.priority), now: priority };
    addEvent(session, jobNo, { event: "priority changed", detail }, nowMs);
  }
  return rows.length;
}

function prioritisable(session: Session, selection: Selection, priority: number): readonly Row[] {
  if ("job" in selection) {
    return session.all("prioritisableJob", { jobNo: jobNumber(session, selection.job, "jobOfId"), priority });
  }
  return session.all("prioritisableOfCohort", { cohortNo: cohortNumber(session, selection.cohort), priority });
}

/** See `Store.cancelJobs`. A cancelled cohort holds its jobs no longer, so that the last cohort's cancel stops them. */
export function cancelJobs(session: Session, selection: Selection, nowMs: number): number {
  const rows = cancellable(session, selection, nowMs);
  for (const row of rows) {
    const jobNo = Number(row.jobNo);
    session.run("cancelJob", { jobNo, nowMs });
    session.run("endAttempt", { jobNo, nowMs, outcome: "cancelled", code: "CANCELLED" });
    addEvent(session, jobNo, { event: "cancelled", detail: {} }, nowMs);
  }
  return rows.length;
}

function cancellable(session: Session, selection: Selection, nowMs: number): readonly Row[] {
  if ("job" in selection) return session.all("cancellableJob", { jobNo: jobNumber(session, selection.job, "jobOfId") });
  const cohortNo = cohortNumber(session, selection.cohort);
  session.run("markCohortCancelled", { cohortNo, nowMs });
  return session.all("cancellableOfCohort", { cohortNo });
}
