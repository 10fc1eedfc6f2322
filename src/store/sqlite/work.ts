import { randomUUID } from "node:crypto";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { ClaimedJob, DeliveryRecord, JobChange, Lease, LedgerChange, LocatedStudy } from "../records.ts";
import type { Store } from "../store.ts";
import { jobRecord } from "./row-records.ts";
import type { Row, Session } from "./session.ts";
import { newId, takeOverRequests, uidKey } from "./submit.ts";

/** States in which a job whose series list grew under way is not done after all. */
const DONE_WITH_LESS: ReadonlySet<string> = new Set([
  "delivered",
  "excluded",
  "held",
  "quarantined",
  "not-found",
  "failed",
]);

export function claim(session: Session, worker: string, leaseMs: number, nowMs: number): ClaimedJob | undefined {
  session.run("wakeWaiting", { nowMs });
  session.run("wakeAbandoned", { nowMs });
  const token = randomUUID();
  const row = session.get("claim", { token, leaseUntil: nowMs + leaseMs });
  if (row === undefined) return undefined;
  session.run("recordAttempt", { jobNo: Number(row.jobNo), token, worker, nowMs });
  session.run("recordWorker", { worker, nowMs });
  const job = jobRecord(row);
  return { lease: { jobId: job.id, token }, job };
}

export function nextDueAtMs(session: Session): number | undefined {
  const at = session.get("nextDue")?.at;
  return typeof at === "number" ? at : undefined;
}

export function renew(session: Session, { jobId, token }: Lease, leaseMs: number, nowMs: number): boolean {
  return session.run("renew", { id: jobId, token, leaseUntil: nowMs + leaseMs }) === 1;
}

/** The job's number while the lease is its own. */
function leasedJob(session: Session, { jobId, token }: Lease): number | undefined {
  const row = session.get("leased", { id: jobId, token });
  return row === undefined ? undefined : Number(row.jobNo);
}

export function change(session: Session, lease: Lease, changed: JobChange, nowMs: number): boolean {
  const jobNo = leasedJob(session, lease);
  if (jobNo === undefined) return false;
  applyChange(session, jobNo, changed, nowMs);
  return true;
}

function applyChange(session: Session, jobNo: number, changed: JobChange, nowMs: number): void {
  for (const line of changed.ledger ?? []) applyLedger(session, jobNo, line, nowMs);
  session.run("changeJob", {
    jobNo,
    stage: changed.stage,
    setArchive: changed.archive !== undefined,
    archive: changed.archive,
    setVerdict: changed.verdict !== undefined,
    verdict: changed.verdict,
    setExpected: changed.expected !== undefined,
    expected: changed.expected,
    setCode: changed.code !== undefined,
    code: changed.code,
    pseudonym: changed.pseudonym,
    pseudoStudyInstanceUid: changed.pseudoStudyInstanceUid,
  });
  for (const { event, detail } of changed.events ?? []) {
    session.run("insertEvent", { jobNo, nowMs, event, detail: JSON.stringify(detail) });
  }
}

const LEDGER_STATEMENTS = {
  expected: "ledgerExpected",
  received: "ledgerReceived",
  excluded: "ledgerExcluded",
  deidentified: "ledgerDeidentified",
  delivered: "ledgerDelivered",
} as const satisfies { readonly [K in LedgerChange["kind"]]: string };

function applyLedger(session: Session, jobNo: number, { kind, ...facts }: LedgerChange, nowMs: number): void {
  session.run(LEDGER_STATEMENTS[kind], { ...facts, jobNo, nowMs });
}

/** See `Store.located`. */
export function located(
  session: Session,
  lease: Lease,
  archive: string,
  studies: readonly LocatedStudy[],
  nowMs: number,
): "continue" | "joined" | false {
  const jobNo = leasedJob(session, lease);
  const job = jobNo === undefined ? undefined : session.get("jobByNumber", { jobNo });
  if (jobNo === undefined || job === undefined) return false;
  const project = String(job.project);
  const keys = session.all("keysOfJob", { jobNo }).map((row) => String(row.key));
  const holders = studies.map((study) => ({ study, holder: holderOf(session, project, study) }));
  const own = holders.find(({ holder }) => holder === undefined || holder === jobNo)?.study;

  const targets: number[] = [];
  for (const { study, holder } of holders) {
    if (study === own) {
      session.run("locate", { jobNo, archive, ...study });
      session.run("insertKey", { project, key: uidKey(study.studyInstanceUid), jobNo });
    } else {
      const target = holder ?? insertSibling(session, job, archive, study, nowMs);
      takeOverRequests(session, jobNo, target);
      for (const key of keys) session.run("insertKey", { project, key, jobNo: target });
      targets.push(target);
    }
  }
  if (own !== undefined) return "continue";
  dissolve(session, jobNo, String(job.id), targets[0]);
  return "joined";
}

function holderOf(session: Session, project: string, { studyInstanceUid }: LocatedStudy): number | undefined {
  const row = session.get("jobOfStudy", { project, studyInstanceUid });
  return row === undefined ? undefined : Number(row.jobNo);
}

/** A further study of the same rows: its archive is known, so it begins where instances are fetched. */
function insertSibling(session: Session, job: Row, archive: string, study: LocatedStudy, nowMs: number): number {
  const inserted = session.get("insertJob", {
    id: newId("job", 12),
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
  session.run("insertKey", { project: String(job.project), key: uidKey(study.studyInstanceUid), jobNo });
  return jobNo;
}

function textOrUndefined(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The job goes; who asks for it by its id is shown the one that took its place. */
function dissolve(session: Session, jobNo: number, id: string, successor: number | undefined): void {
  for (const name of [
    "unlinkRequests",
    "unlinkCohorts",
    "deleteKeys",
    "deleteEvents",
    "deleteAttempts",
    "deleteInstances",
    "deleteDeliveries",
  ] as const) {
    session.run(name, { jobNo });
  }
  session.run("deleteJob", { jobNo });
  if (successor === undefined) throw new GatewayError("INTERNAL", { what: "no study located" });
  session.run("recordDissolved", { id, jobNo: successor });
}

export function recordDelivery(
  session: Session,
  lease: Lease,
  delivery: Omit<DeliveryRecord, "changedAtMs">,
  nowMs: number,
): boolean {
  const jobNo = leasedJob(session, lease);
  if (jobNo === undefined) return false;
  session.run("recordDelivery", { ...delivery, jobNo, nowMs });
  return true;
}

export function settle(
  session: Session,
  lease: Lease,
  outcome: Parameters<Store["settle"]>[1],
  nowMs: number,
): boolean {
  const jobNo = leasedJob(session, lease);
  const job = jobNo === undefined ? undefined : session.get("jobByNumber", { jobNo });
  if (jobNo === undefined || job === undefined) return false;
  const { state, code, dueAtMs, attempts } = outcome;
  applyChange(session, jobNo, outcome.change ?? {}, nowMs);
  const isDone = state !== "queued" && state !== "waiting";
  session.run("settle", { jobNo, state, code, dueAt: dueAtMs, attempts, finishedAt: isDone ? nowMs : undefined });
  session.run("endAttempt", { jobNo, token: lease.token, nowMs, outcome: state, code });
  // Series were added while it ran: what it did was less than is now asked for.
  if (job.widened === 1 && (DONE_WITH_LESS.has(state) || state === "waiting")) session.run("startOver", { jobNo });
  return true;
}
