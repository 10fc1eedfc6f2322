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
export async function retryJobs(session: Session, selection: Selection, nowMs: number): Promise<number> {
  const rows = await retryable(session, selection);
  for (const { jobNo } of rows) await startOver(session, Number(jobNo), "retried", nowMs);
  return rows.length;
}

async function retryable(session: Session, selection: Selection): Promise<readonly Row[]> {
  if ("job" in selection)
    return await session.all("retryableJob", { jobNo: await jobNumber(session, selection.job, "jobOfId") });
  const cohortNo = await cohortNumber(session, selection.cohort);
  await session.run("markCohortWanted", { cohortNo });
  return await session.all("retryableOfCohort", { cohortNo });
}

/** See `Store.queueDelivered`. */
export async function queueDelivered(
  session: Session,
  id: string,
  detail: JobEvent["detail"],
  audit: AuditEvent,
  nowMs: number,
): Promise<boolean> {
  const jobNo = await jobNumber(session, id, "jobOfId");
  if ((await session.get("deliveredJob", { jobNo })) === undefined) return false;
  await startOver(session, jobNo, "checked", nowMs, detail);
  await appendAudit(session, audit, nowMs);
  return true;
}

/** See `Store.setPriority`. */
export async function setPriority(
  session: Session,
  selection: Selection,
  priority: number,
  nowMs: number,
): Promise<number> {
  const rows = await prioritisable(session, selection, priority);
  for (const row of rows) {
    const jobNo = Number(row.jobNo);
    await session.run("setPriority", { jobNo, priority });
    const detail = { before: Number(row.priority), now: priority };
    await addEvent(session, jobNo, { event: "priority changed", detail }, nowMs);
  }
  return rows.length;
}

async function prioritisable(session: Session, selection: Selection, priority: number): Promise<readonly Row[]> {
  if ("job" in selection) {
    return await session.all("prioritisableJob", {
      jobNo: await jobNumber(session, selection.job, "jobOfId"),
      priority,
    });
  }
  return await session.all("prioritisableOfCohort", {
    cohortNo: await cohortNumber(session, selection.cohort),
    priority,
  });
}

/** See `Store.cancelJobs`. A cancelled cohort holds its jobs no longer, so that the last cohort's cancel stops them. */
export async function cancelJobs(session: Session, selection: Selection, nowMs: number): Promise<number> {
  const rows = await cancellable(session, selection, nowMs);
  for (const row of rows) {
    const jobNo = Number(row.jobNo);
    await session.run("cancelJob", { jobNo, nowMs });
    await session.run("endAttempt", { jobNo, nowMs, outcome: "cancelled", code: "CANCELLED" });
    await addEvent(session, jobNo, { event: "cancelled", detail: {} }, nowMs);
  }
  return rows.length;
}

async function cancellable(session: Session, selection: Selection, nowMs: number): Promise<readonly Row[]> {
  if ("job" in selection)
    return await session.all("cancellableJob", { jobNo: await jobNumber(session, selection.job, "jobOfId") });
  const cohortNo = await cohortNumber(session, selection.cohort);
  await session.run("markCohortCancelled", { cohortNo, nowMs });
  return await session.all("cancellableOfCohort", { cohortNo });
}
