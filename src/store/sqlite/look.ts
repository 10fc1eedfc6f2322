import { GatewayError } from "../../errors/gateway-error.ts";
import { JOB_STATES, type JobState } from "../job-states.ts";
import type {
  CohortStatus,
  DeliveryRecord,
  ExportRow,
  JobEvent,
  JobRecord,
  LedgerEntry,
  StudyKey,
} from "../records.ts";
import { keyOf } from "./names.ts";
import { deliveryRecord, jobEvent, jobRecord, ledgerEntry } from "./row-records.ts";
import type { Row, Session } from "./session.ts";

/** @throws GatewayError COHORT_NOT_FOUND */
export function cohortRow(session: Session, cohort: string): Row {
  const row = session.get("cohortByName", { cohort });
  if (row === undefined) throw new GatewayError("COHORT_NOT_FOUND");
  return row;
}

/** @throws GatewayError COHORT_NOT_FOUND */
export function cohortNumber(session: Session, cohort: string): number {
  return Number(cohortRow(session, cohort).cohortNo);
}

/** @throws GatewayError JOB_NOT_FOUND */
export function jobNumber(
  session: Session,
  id: string,
  by: "jobNumber" | "jobPlace" | "jobOfId" = "jobNumber",
): number {
  const row = session.get(by, { id });
  if (row === undefined) throw new GatewayError("JOB_NOT_FOUND");
  return Number(row.jobNo);
}

export function cohortStatus(session: Session, cohort: string): CohortStatus {
  const row = cohortRow(session, cohort);
  const counts = session.all("cohortCounts", { cohortNo: Number(row.cohortNo) });
  const states: Partial<Record<JobState, number>> = {};
  let total = 0;
  for (const { state, jobs } of counts) {
    states[state as JobState] = Number(jobs);
    total += Number(jobs);
  }
  const done = Object.keys(states).every((state) => JOB_STATES[state as JobState].done);
  return { cohort, project: String(row.project), total, states, done };
}

export function cohortColumns(session: Session, cohort: string): readonly string[] {
  return JSON.parse(String(cohortRow(session, cohort).columns));
}

export function exportRows(
  session: Session,
  cohort: string,
  page: { readonly afterRow: number; readonly limit: number },
): readonly ExportRow[] {
  const rows = session.all("exportRows", { cohortNo: cohortNumber(session, cohort), ...page });
  return rows.map((row) => {
    const jobs = session.all("jobsOfRequest", { requestNo: Number(row.requestNo) }).map(jobRecord);
    const leftOut = leftOutOf(session, jobs);
    return {
      rowNumber: Number(row.rowNumber),
      cells: JSON.parse(String(row.cells)),
      refusedCode: (row.refusedCode ?? undefined) as ExportRow["refusedCode"],
      jobs,
      ...(leftOut === undefined ? {} : { leftOut }),
    };
  });
}

function leftOutOf(session: Session, jobs: readonly JobRecord[]): ExportRow["leftOut"] {
  const some = jobs.filter(({ excluded }) => excluded > 0);
  if (some.length === 0) return undefined;
  return Object.fromEntries(
    some.map(({ id }) => {
      const counts: Record<string, number> = {};
      for (const { reason } of session.all("reasonsOfJob", { jobNo: jobNumber(session, id) }))
        counts[String(reason)] = (counts[String(reason)] ?? 0) + 1;
      return [id, counts];
    }),
  );
}

export function job(session: Session, id: string): JobRecord {
  const row = session.get("jobById", { jobNo: jobNumber(session, id) });
  if (row === undefined) throw new GatewayError("JOB_NOT_FOUND");
  return jobRecord(row);
}

export function jobsOfKey(session: Session, project: string, key: StudyKey): readonly JobRecord[] {
  return session
    .all("jobsOfKey", { project, key: keyOf(key) })
    .flatMap(({ jobNo }) => session.all("jobById", { jobNo: Number(jobNo) }))
    .map(jobRecord);
}

export function cohortsOf(session: Session, id: string): readonly string[] {
  return session.all("cohortsOfJob", { jobNo: jobNumber(session, id) }).map((row) => String(row.id));
}

export function cohortsOfEach(session: Session, ids: readonly string[]): readonly (readonly string[])[] {
  return ids.map((id) => cohortsOf(session, id));
}

export function events(session: Session, id: string): readonly JobEvent[] {
  return session.all("events", { jobNo: jobNumber(session, id) }).map(jobEvent);
}

export function ledger(session: Session, id: string): readonly LedgerEntry[] {
  return session.all("ledger", { jobNo: jobNumber(session, id) }).map(ledgerEntry);
}

export function deliveries(session: Session, id: string): readonly DeliveryRecord[] {
  return session.all("deliveries", { jobNo: jobNumber(session, id) }).map(deliveryRecord);
}
