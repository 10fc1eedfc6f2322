import { randomBytes } from "node:crypto";
import { JOB_STATES, type JobState } from "../job-states.ts";
import type { NewCohort, NewRequest, SubmittedCohort } from "../records.ts";
import { parseList } from "./row-records.ts";
import type { Row, Session } from "./session.ts";

/** Finished without success: a new request starts them over. interfaces.md section 3. */
const STARTED_OVER: ReadonlySet<string> = new Set(["not-found", "failed", "cancelled"] satisfies JobState[]);

/** Unit separator: in no identifier, as control characters are refused. */
const SEPARATOR = "\x1f";

/** Crockford's base 32: no letter that is taken for another. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** Says nothing of what it names. */
export function newId(prefix: string, characters: number): string {
  const letters = Array.from(randomBytes(characters), (byte) => ALPHABET[byte & 31]);
  return `${prefix}-${letters.join("")}`;
}

export function uidKey(studyInstanceUid: string): string {
  return `uid:${studyInstanceUid}`;
}

function keyOf({ studyInstanceUid, patientId, accessionNumber }: NewRequest): string {
  if (studyInstanceUid !== undefined) return uidKey(studyInstanceUid);
  return `accession:${patientId ?? ""}${SEPARATOR}${accessionNumber ?? ""}`;
}

export function submitCohort(session: Session, cohort: NewCohort, nowMs: number): SubmittedCohort {
  const { project, columns, requests, refused } = cohort;
  const id = newId("cohort", 8);
  const rowCount = requests.length + refused.length;
  const inserted = session.get("insertCohort", {
    id,
    project,
    columns: JSON.stringify(columns),
    rowCount,
    accepted: requests.length,
    nowMs,
  });
  const cohortNo = Number(inserted?.cohortNo);
  for (const state of Object.keys(JOB_STATES)) {
    session.run("insertCohortCounter", { cohortNo, state });
    session.run("insertProjectCounter", { project, state });
  }
  for (const { rowNumber, code, cells } of refused) {
    insertRequest(session, cohortNo, { rowNumber, cells, refusedCode: code });
  }
  let joined = 0;
  for (const request of requests) {
    const requestNo = insertRequest(session, cohortNo, request);
    const known = session.all("jobsOfKey", { project, key: keyOf(request) });
    if (known.length > 0) joined += 1;
    const jobs =
      known.length > 0 ? known.map((row) => Number(row.jobNo)) : [insertJob(session, project, request, nowMs)];
    for (const jobNo of jobs) {
      if (known.length > 0) join(session, jobNo, request, nowMs);
      session.run("linkRequest", { requestNo, jobNo });
      session.run("linkCohort", { cohortNo, jobNo });
    }
  }
  session.run("setJoined", { cohortNo, joined });
  return { cohort: id, accepted: requests.length, joined };
}

type RequestRow = Partial<NewRequest> & Pick<NewRequest, "rowNumber" | "cells"> & { readonly refusedCode?: string };

function insertRequest(session: Session, cohortNo: number, row: RequestRow): number {
  const inserted = session.get("insertRequest", {
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

function listText(list: readonly string[] | undefined): string | undefined {
  return list === undefined ? undefined : JSON.stringify(list);
}

function insertJob(session: Session, project: string, request: NewRequest, nowMs: number): number {
  const { studyInstanceUid, patientId, accessionNumber, participantId, priority } = request;
  const inserted = session.get("insertJob", {
    id: newId("job", 12),
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
  session.run("insertKey", { project, key: keyOf(request), jobNo });
  return jobNo;
}

/** Another request for a study that is a job already. */
function join(session: Session, jobNo: number, request: NewRequest, nowMs: number): void {
  const job = session.get("jobByNumber", { jobNo });
  if (job === undefined) return;
  session.run("raisePriority", { jobNo, priority: request.priority });
  if (request.participantId !== undefined && request.participantId !== job.participantId) {
    session.run("insertEvent", { jobNo, nowMs, event: "participant-id-conflict", detail: "{}" });
  }
  const wasWidened = widen(session, jobNo, job, request.seriesInstanceUids);
  const isDoneWithLess = job.state === "delivered" && wasWidened;
  if (STARTED_OVER.has(String(job.state)) || isDoneWithLess) session.run("startOver", { jobNo });
}

/** The union of what was asked for; undefined is the whole study. */
function widen(session: Session, jobNo: number, job: Row, asked: readonly string[] | undefined): boolean {
  const held = parseList(job.seriesInstanceUids);
  if (held === undefined) return false;
  const union = asked === undefined ? undefined : [...new Set([...held, ...asked])];
  if (union?.length === held.length) return false;
  session.run("widenSeries", { jobNo, seriesInstanceUids: listText(union) });
  return true;
}

/** Requests of one job are handed to another that has their study already. */
export function takeOverRequests(session: Session, from: number, to: number): void {
  session.run("copyRequests", { from, to });
  session.run("copyCohorts", { from, to });
  const job = session.get("jobByNumber", { jobNo: to });
  if (STARTED_OVER.has(String(job?.state))) session.run("startOver", { jobNo: to });
}
