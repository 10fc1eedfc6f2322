import { JOB_STATES } from "../job-states.ts";
import type { NewCohort, NewRequest, SubmittedCohort } from "../records.ts";
import { joinJob, listText } from "./join.ts";
import { keyOf, newCohortId, newJobId } from "./names.ts";
import type { Session } from "./session.ts";

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
  let joined = 0;
  for (const request of requests) {
    const requestNo = await insertRequest(session, cohortNo, request);
    const known = (await session.all("jobsOfKey", { project, key: keyOf(request) })).map((row) => Number(row.jobNo));
    const begun: number[] = [];
    for (const jobNo of known) if (await joinJob(session, jobNo, { ...request, startAtMs }, nowMs)) begun.push(jobNo);
    if (known.length > 0) joined += 1;
    else begun.push(await insertJob(session, project, request, nowMs));
    for (const jobNo of known.length > 0 ? known : begun) {
      await session.run("linkRequest", { requestNo, jobNo });
      await session.run("linkCohort", { cohortNo, jobNo });
    }
    if (startAtMs !== undefined && startAtMs > nowMs) {
      for (const jobNo of begun) await session.run("scheduleStart", { jobNo, startAtMs });
    }
  }
  await session.run("setJoined", { cohortNo, joined });
  return { cohort: id, accepted: requests.length, joined };
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
