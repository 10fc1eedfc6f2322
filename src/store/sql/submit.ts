import { JOB_STATES } from "../job-states.ts";
import type { NewCohort, NewRequest, SubmittedCohort } from "../records.ts";
import { joinJob, listText } from "./join.ts";
import { keyOf, newCohortId, newJobId } from "./names.ts";
import type { NewRows, Session } from "./session.ts";

/** See `Store.submitCohort`. */
export async function submitCohort(
  session: Session,
  cohort: NewCohort,
  nowMs: number,
  id = newCohortId(),
): Promise<SubmittedCohort> {
  const { project, columns, requests, refused, startAtMs } = cohort;
  const rowCount = requests.length + refused.length;
  const inserted = await session.get("insertCohort", {
    id,
    project,
    columns: JSON.stringify(columns),
    rowCount,
    accepted: requests.length,
    nowMs,
  });
  const cohortNo = Number(inserted?.cohortNo);
  for (const state of Object.keys(JOB_STATES)) {
    await session.run("insertCohortCounter", { cohortNo, state });
  }
  for (const { rowNumber, code, cells } of refused) {
    await insertRequest(session, cohortNo, { rowNumber, cells, refusedCode: code });
  }
  const batch = {
    cohortNo,
    project,
    nowMs,
    startAtMs: startAtMs !== undefined && startAtMs > nowMs ? startAtMs : undefined,
  };
  let joined = 0;
  for (let from = 0; from < requests.length; from += ROWS_TOGETHER) {
    const rows = requests.slice(from, from + ROWS_TOGETHER);
    const further = await insertNew(session, batch, rows);
    for (const request of further) if (await insertRow(session, batch, request, startAtMs)) joined += 1;
  }
  await session.run("setJoined", { cohortNo, joined });
  return { cohort: id, accepted: requests.length, joined };
}

/** Rows of one round trip, where there are any. */
const ROWS_TOGETHER = 1_000;

type Batch = Omit<NewRows, "requests">;

/** Inserts the rows that are the first of a key that no job has. Answers the others, in order. */
async function insertNew(session: Session, batch: Batch, rows: readonly NewRequest[]): Promise<readonly NewRequest[]> {
  if (session.insertTogether === undefined) return rows;
  const keys = JSON.stringify([...new Set(rows.map(keyOf))]);
  const known = new Set(
    (await session.all("knownKeys", { project: batch.project, keys })).map(({ key }) => String(key)),
  );
  const requests: NewRequest[] = [];
  const further: NewRequest[] = [];
  for (const row of rows) {
    const key = keyOf(row);
    (known.has(key) ? further : requests).push(row);
    known.add(key);
  }
  if (requests.length > 0) await session.insertTogether({ ...batch, requests });
  return further;
}

/** True: it joined jobs that are there. */
async function insertRow(
  session: Session,
  { cohortNo, project, nowMs, startAtMs: laterMs }: Batch,
  request: NewRequest,
  startAtMs: number | undefined,
): Promise<boolean> {
  const requestNo = await insertRequest(session, cohortNo, request);
  const known = (await session.all("jobsOfKey", { project, key: keyOf(request) })).map((row) => Number(row.jobNo));
  const begun: number[] = [];
  for (const jobNo of known) if (await joinJob(session, jobNo, { ...request, startAtMs }, nowMs)) begun.push(jobNo);
  if (known.length === 0) begun.push(await insertJob(session, project, request, nowMs));
  for (const jobNo of known.length > 0 ? known : begun) {
    await session.run("linkRequest", { requestNo, jobNo });
    await session.run("linkCohort", { cohortNo, jobNo });
  }
  if (laterMs !== undefined)
    for (const jobNo of begun) await session.run("scheduleStart", { jobNo, startAtMs: laterMs });
  return known.length > 0;
}

type RequestRow = Partial<NewRequest> & Pick<NewRequest, "rowNumber" | "cells"> & { readonly refusedCode?: string };

async function insertRequest(session: Session, cohortNo: number, row: RequestRow): Promise<number> {
  const inserted = await session.get("insertRequest", {
    cohortNo,
    rowNumber: row.rowNumber,
    studyInstanceUid: row.studyInstanceUid,
    patientId: row.patientId,
    accessionNumber: row.accessionNumber,
    seriesInstanceUids: listText(row.seriesInstanceUids),
    participantId: row.participantId,
    priority: row.priority,
    cells: JSON.stringify(row.cells),
    refusedCode: row.refusedCode,
  });
  return Number(inserted?.requestNo);
}

async function insertJob(session: Session, project: string, request: NewRequest, nowMs: number): Promise<number> {
  const { studyInstanceUid, patientId, accessionNumber, participantId, priority } = request;
  const inserted = await session.get("insertJob", {
    id: newJobId(),
    project,
    studyInstanceUid,
    patientId,
    accessionNumber,
    seriesInstanceUids: listText(request.seriesInstanceUids),
    participantId,
    priority,
    stage: "locating",
    archive: undefined,
    nowMs,
  });
  const jobNo = Number(inserted?.jobNo);
  await session.run("insertKey", { project, key: keyOf(request), jobNo });
  return jobNo;
}
