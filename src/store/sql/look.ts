import { GatewayError } from "../../errors/gateway-error.ts";
import { JOB_STATES, type JobState } from "../job-states.ts";
import type {
  CohortStatus,
  DeliveryRecord,
  ExportRow,
  JobEvent,
  JobRecord,
  LedgerEntry,
  StudyClaim,
  StudyKey,
} from "../records.ts";
import { inTurn } from "./in-turn.ts";
import { keyOf } from "./names.ts";
import { deliveryRecord, jobEvent, jobRecord, ledgerEntry } from "./row-records.ts";
import type { Row, Session } from "./session.ts";

/** @throws GatewayError COHORT_NOT_FOUND */
export async function cohortRow(session: Session, cohort: string): Promise<Row> {
  const row = await session.get("cohortByName", { cohort });
  if (row === undefined) throw new GatewayError("COHORT_NOT_FOUND");
  return row;
}

/** @throws GatewayError COHORT_NOT_FOUND */
export async function cohortNumber(session: Session, cohort: string): Promise<number> {
  return Number((await cohortRow(session, cohort)).cohortNo);
}

/** @throws GatewayError JOB_NOT_FOUND */
export async function jobNumber(
  session: Session,
  id: string,
  by: "jobNumber" | "jobPlace" | "jobOfId" = "jobNumber",
): Promise<number> {
  const row = await session.get(by, { id });
  if (row === undefined) throw new GatewayError("JOB_NOT_FOUND");
  return Number(row.jobNo);
}

export async function cohortStatus(session: Session, cohort: string): Promise<CohortStatus> {
  const row = await cohortRow(session, cohort);
  const counts = await session.all("cohortCounts", { cohortNo: Number(row.cohortNo) });
  const states: Partial<Record<JobState, number>> = {};
  let total = 0;
  for (const { state, jobs } of counts) {
    if (Number(jobs) <= 0) continue;
    states[state as JobState] = Number(jobs);
    total += Number(jobs);
  }
  const done = Object.keys(states).every((state) => JOB_STATES[state as JobState].done);
  return { cohort, project: String(row.project), total, states, done };
}

export async function cohortColumns(session: Session, cohort: string): Promise<readonly string[]> {
  return JSON.parse(String((await cohortRow(session, cohort)).columns));
}

export async function exportRows(
  session: Session,
  cohort: string,
  page: { readonly afterRow: number; readonly limit: number },
): Promise<readonly ExportRow[]> {
  const rows = await session.all("exportRows", { cohortNo: await cohortNumber(session, cohort), ...page });
  return await inTurn(rows, async (row) => {
    const jobs = (await session.all("jobsOfRequest", { requestNo: Number(row.requestNo) })).map(jobRecord);
    const leftOut = await leftOutOf(session, jobs);
    return {
      rowNumber: Number(row.rowNumber),
      cells: JSON.parse(String(row.cells)),
      refusedCode: (row.refusedCode ?? undefined) as ExportRow["refusedCode"],
      jobs,
      ...(leftOut === undefined ? {} : { leftOut }),
    };
  });
}

async function leftOutOf(session: Session, jobs: readonly JobRecord[]): Promise<ExportRow["leftOut"]> {
  const some = jobs.filter(({ excluded }) => excluded > 0);
  if (some.length === 0) return undefined;
  const counted = await inTurn(some, async ({ id }) => {
    const counts: Record<string, number> = {};
    for (const { reason } of await session.all("reasonsOfJob", { jobNo: await jobNumber(session, id) }))
      counts[String(reason)] = (counts[String(reason)] ?? 0) + 1;
    return [id, counts] as const;
  });
  return Object.fromEntries(counted);
}

export async function job(session: Session, id: string): Promise<JobRecord> {
  const row = await session.get("jobById", { jobNo: await jobNumber(session, id) });
  if (row === undefined) throw new GatewayError("JOB_NOT_FOUND");
  return jobRecord(row);
}

export async function jobsOfKey(session: Session, project: string, key: StudyKey): Promise<readonly JobRecord[]> {
  const rows = await session.all("jobsOfKey", { project, key: keyOf(key) });
  const jobs = await inTurn(rows, ({ jobNo }) => session.all("jobById", { jobNo: Number(jobNo) }));
  return jobs.flat().map(jobRecord);
}

/** A study may be handed in again every night; the latest say what is wanted. */
const MAXIMUM_CLAIMS = 1_000;

/** See `Store.claimsOfJob`. */
export async function claimsOfJob(session: Session, id: string): Promise<readonly StudyClaim[]> {
  const rows = await session.all("claimsOfJob", { jobNo: await jobNumber(session, id), limit: MAXIMUM_CLAIMS });
  const later = rows.filter(({ answered }) => Number(answered) === 0);
  return (later.length > 0 ? later : rows).map(({ patientId, accessionNumber }) => ({
    patientId: patientId === null ? undefined : String(patientId),
    accessionNumber: accessionNumber === null ? undefined : String(accessionNumber),
  }));
}

export async function cohortsOf(session: Session, id: string): Promise<readonly string[]> {
  return (await session.all("cohortsOfJob", { jobNo: await jobNumber(session, id) })).map((row) => String(row.id));
}

export async function cohortsOfEach(session: Session, ids: readonly string[]): Promise<readonly (readonly string[])[]> {
  const cohortsOfJob = new Map<string, string[]>();
  const rows = await session.all("cohortsOfJobs", { ids: JSON.stringify([...new Set(ids)]) });
  for (const { job, cohort } of rows.toSorted((one, other) => Number(one.cohortNo) - Number(other.cohortNo))) {
    const known = cohortsOfJob.get(String(job)) ?? [];
    if (cohort !== null) known.push(String(cohort));
    cohortsOfJob.set(String(job), known);
  }
  // A job that another has taken over is found by a name of its own.
  return await inTurn(ids, (id) => cohortsOfJob.get(id) ?? cohortsOf(session, id));
}

export async function events(session: Session, id: string): Promise<readonly JobEvent[]> {
  return (await session.all("events", { jobNo: await jobNumber(session, id) })).map(jobEvent);
}

export async function ledger(session: Session, id: string): Promise<readonly LedgerEntry[]> {
  return (await session.all("ledger", { jobNo: await jobNumber(session, id) })).map(ledgerEntry);
}

export async function deliveries(session: Session, id: string): Promise<readonly DeliveryRecord[]> {
  return (await session.all("deliveries", { jobNo: await jobNumber(session, id) })).map(deliveryRecord);
}
