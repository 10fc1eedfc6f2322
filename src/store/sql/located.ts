import { GatewayError } from "../../errors/gateway-error.ts";
import type { JobChange, JobRecord, Lease, LocatedStudy } from "../records.ts";
import { inTurn } from "./in-turn.ts";
import { addEvent, joinJob, type Wish } from "./join.ts";
import { newJobId, uidKey } from "./names.ts";
import { jobRecord, parseList } from "./row-records.ts";
import type { Row, Session } from "./session.ts";
import { applyChange, leasedJob } from "./work.ts";

/** A study of the archive's answer and the job of the project that has it, if one does. */
interface Found {
  readonly study: LocatedStudy;
  readonly holder: number | undefined;
}

/** See `Store.located`. */
export async function located(
  session: Session,
  lease: Lease,
  archive: string,
  studies: readonly LocatedStudy[],
  nowMs: number,
  change: JobChange = {},
): Promise<JobRecord | "joined" | false> {
  const jobNo = await leasedJob(session, lease);
  const job = jobNo === undefined ? undefined : await session.get("jobByNumber", { jobNo });
  if (jobNo === undefined || job === undefined) return false;
  if (studies.length === 0) throw new GatewayError("INTERNAL", { what: "no study located" });

  const distinct = [...new Map(studies.map((study) => [study.studyInstanceUid, study])).values()];
  const found = await inTurn(distinct, async (study) => ({ study, holder: await holderOf(session, job, study) }));
  // A study this job already had stays its own: another of the same accession number does not replace it.
  const own = found.find(({ holder }) => holder === jobNo) ?? found.find(({ holder }) => holder === undefined);
  if (own !== undefined) {
    await session.run("locate", { jobNo, archive, ...own.study });
    await addKeys(session, job, jobNo, [uidKey(own.study.studyInstanceUid)]);
  }
  const others = await inTurn(
    found.filter((one) => one !== own),
    (one) => handOn(session, jobNo, job, archive, one, nowMs),
  );
  const [successor] = others;
  if (own !== undefined || successor === undefined) {
    await applyChange(session, jobNo, change, nowMs);
    return jobRecord((await session.get("jobById", { jobNo })) ?? {});
  }
  if ((await session.get("hasDelivered", { jobNo }))?.answer === 1) {
    for (const event of change.events ?? []) await addEvent(session, jobNo, event, nowMs);
    await endAsNotFound(session, jobNo, job, nowMs);
  } else await dissolve(session, jobNo, job, successor, nowMs);
  return "joined";
}

async function holderOf(
  session: Session,
  { project }: Row,
  { studyInstanceUid }: LocatedStudy,
): Promise<number | undefined> {
  const row = await session.get("jobOfStudy", { project: String(project), studyInstanceUid });
  return row === undefined ? undefined : Number(row.jobNo);
}

async function addKeys(session: Session, { project }: Row, jobNo: number, keys: readonly string[]): Promise<void> {
  for (const key of keys) await session.run("insertKey", { project: String(project), key, jobNo });
}

/** The job's rows and cohorts hold the job of this study too, and ask of it what they asked of the first. */
async function handOn(
  session: Session,
  jobNo: number,
  job: Row,
  archive: string,
  { study, holder }: Found,
  nowMs: number,
): Promise<number> {
  const target = holder ?? (await insertSibling(session, job, archive, study, nowMs));
  await session.run("copyRequests", { from: jobNo, to: target });
  await session.run("copyCohorts", { from: jobNo, to: target });
  const keys = (await session.all("keysOfJob", { jobNo })).map((row) => String(row.key));
  // Other studies' UIDs are not ways to this one.
  await addKeys(
    session,
    job,
    target,
    keys.filter((key) => !key.startsWith(uidKey(""))),
  );
  if (holder !== undefined) await joinJob(session, target, wishOf(job), nowMs);
  return target;
}

function wishOf(job: Row): Wish {
  return {
    patientId: undefined,
    accessionNumber: undefined,
    seriesInstanceUids: parseList(job.seriesInstanceUids),
    participantId: textOrUndefined(job.participantId),
    priority: Number(job.priority),
  };
}

/** A further study of the same rows: its archive is known, so it begins where instances are fetched. */
async function insertSibling(
  session: Session,
  job: Row,
  archive: string,
  study: LocatedStudy,
  nowMs: number,
): Promise<number> {
  const inserted = await session.get("insertJob", {
    id: newJobId(),
    project: String(job.project),
    studyInstanceUid: study.studyInstanceUid,
    patientId: study.patientId,
    accessionNumber: study.accessionNumber,
    seriesInstanceUids: textOrUndefined(job.seriesInstanceUids),
    participantId: textOrUndefined(job.participantId),
    priority: Number(job.priority),
    stage: "retrieving",
    archive,
    nowMs,
  });
  const jobNo = Number(inserted?.jobNo);
  await addKeys(session, job, jobNo, [uidKey(study.studyInstanceUid)]);
  await addEvent(session, jobNo, { event: "located", detail: { archive, with: String(job.id) } }, nowMs);
  return jobNo;
}

function textOrUndefined(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Its own study is gone from the archive, but something of it was delivered: that account is kept. */
async function endAsNotFound(session: Session, jobNo: number, { attempts }: Row, nowMs: number): Promise<void> {
  const outcome = { state: "not-found", code: "STUDY_NOT_FOUND" };
  await session.run("settle", { jobNo, ...outcome, dueAt: undefined, attempts: Number(attempts), finishedAt: nowMs });
  await session.run("endAttempt", { jobNo, nowMs, outcome: outcome.state, code: outcome.code });
  await addEvent(session, jobNo, { event: "rows handed on, account kept", detail: {} }, nowMs);
}

const PARTS_OF_A_JOB = [
  "unlinkRequests",
  "unlinkCohorts",
  "deleteKeys",
  "deleteEvents",
  "deleteAttempts",
  "deleteInstances",
  "deleteDeliveries",
  "deleteReleases",
  "deleteStudyReports",
  "deleteThumbnail",
] as const;

/** The job goes; who asks for it by its id is shown the one that took its place. */
async function dissolve(session: Session, jobNo: number, { id }: Row, successor: number, nowMs: number): Promise<void> {
  for (const part of PARTS_OF_A_JOB) await session.run(part, { jobNo });
  await session.run("forwardDissolved", { from: jobNo, to: successor });
  await session.run("deleteJob", { jobNo });
  await session.run("recordDissolved", { id: String(id), from: jobNo, to: successor });
  await addEvent(session, successor, { event: "took over the rows of a job", detail: { job: String(id) } }, nowMs);
}
