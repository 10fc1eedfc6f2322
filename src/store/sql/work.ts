import { randomUUID } from "node:crypto";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { AuditEvent } from "../../units/audit.ts";
import { JOB_STATES, type JobState } from "../job-states.ts";
import type { ClaimedJob, DeliveryRecord, JobChange, JobEvent, Lease, LedgerChange } from "../records.ts";
import type { Store } from "../store.ts";
import { isOver } from "./archives.ts";
import { appendAudit } from "./audit.ts";
import { addEvent, startOver } from "./join.ts";
import { keepLink } from "./linkage.ts";
import { jobRecord } from "./row-records.ts";
import type { Row, Session } from "./session.ts";
import { keepReports } from "./study-reports.ts";
import { countDelivered } from "./throughput.ts";
import { keepThumbnail } from "./thumbnails.ts";

/** A job that ends in one of these states starts over if more series were asked for meanwhile. One that is held or quarantined waits for a person. */
const DONE_WITH_LESS: ReadonlySet<string> = new Set(["delivered", "excluded", "not-found"] satisfies JobState[]);

/** Within one transaction jobs that are due are looked for once in this time: its claims come closer together, unless their callers' clocks differ. */
const WAKE_AGAIN_MS = 1_000;

/** See `Store.claim`. */
export async function claim(
  session: Session,
  worker: string,
  leaseMs: number,
  nowMs: number,
): Promise<ClaimedJob | undefined> {
  await wakeDue(session, nowMs);
  const token = randomUUID();
  const urgent = await session.get("mostUrgent");
  if (urgent === undefined) return undefined;
  const [priority, lastProject] = [Number(urgent.priority), String(urgent.lastProject ?? "")];
  const row = await session.get("claim", { token, leaseUntil: nowMs + leaseMs, priority, lastProject });
  if (row === undefined) return undefined;
  if (row.project !== lastProject) await session.run("recordTurn", { priority, project: String(row.project) });
  await session.run("recordAttempt", { jobNo: Number(row.jobNo), token, worker, nowMs });
  await session.run("recordWorker", { worker, nowMs });
  const job = jobRecord(row);
  return { lease: { jobId: job.id, token }, job };
}

/** Once for all claims that share a transaction: what becomes due meanwhile is claimed in the next one. */
async function wakeDue(session: Session, nowMs: number): Promise<void> {
  if (session.wokenUntilMs !== undefined && nowMs - session.wokenUntilMs < WAKE_AGAIN_MS) return;
  session.wokenUntilMs = nowMs;
  await session.run("wakeWaiting", { nowMs });
  await endAttempts(session, await session.all("wakeAbandoned", { nowMs }), "lease ended", nowMs);
}

/** Ends the attempts of workers that died, in their place. @returns how many */
export async function endAttempts(
  session: Session,
  rows: readonly Row[],
  outcome: string,
  nowMs: number,
): Promise<number> {
  for (const { jobNo } of rows) await session.run("endAttempt", { jobNo: Number(jobNo), nowMs, outcome });
  return rows.length;
}

export async function releaseLeases(session: Session, nowMs: number, node?: string): Promise<number> {
  if (node !== undefined) {
    const rows = await session.all("releaseLeasesOf", { workers: `${node}/`, node });
    await session.run("wakeHeldBy", { node });
    return await endAttempts(session, rows, "lease given back", nowMs);
  }
  if ((await session.run("releaseProbes", { nowMs })) > 0) await session.run("wakeResting", { nowMs });
  return await endAttempts(session, await session.all("releaseLeases"), "lease given back", nowMs);
}

export async function nextDueAtMs(session: Session): Promise<number | undefined> {
  const at = (await session.get("nextDue"))?.at;
  return typeof at === "number" ? at : undefined;
}

export async function renew(
  session: Session,
  { jobId, token }: Lease,
  leaseMs: number,
  nowMs: number,
): Promise<boolean> {
  return (await session.run("renew", { id: jobId, token, leaseUntil: nowMs + leaseMs })) === 1;
}

/** The job's number while the lease is its own. */
export async function leasedJob(session: Session, { jobId, token }: Lease): Promise<number | undefined> {
  const row = await session.get("leased", { id: jobId, token });
  return row === undefined ? undefined : Number(row.jobNo);
}

export async function change(session: Session, lease: Lease, changed: JobChange, nowMs: number): Promise<boolean> {
  const jobNo = await leasedJob(session, lease);
  if (jobNo === undefined) return false;
  await applyChange(session, jobNo, changed, nowMs);
  return true;
}

export async function applyChange(session: Session, jobNo: number, changed: JobChange, nowMs: number): Promise<void> {
  for (const line of changed.ledger ?? []) await applyLedger(session, jobNo, line, nowMs);
  await session.run("changeJob", {
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
  await keepReports(session, jobNo, changed, nowMs);
  if (changed.deliveredNow !== undefined) await countDelivered(session, jobNo, changed.deliveredNow, nowMs);
  if (changed.thumbnail !== undefined) await keepThumbnail(session, jobNo, changed.thumbnail);
  if (changed.link !== undefined) await keepLink(session, jobNo, changed.link, nowMs);
  for (const event of changed.events ?? []) await addEvent(session, jobNo, event, nowMs);
}

const LEDGER_STATEMENTS = {
  expected: "ledgerExpected",
  received: "ledgerReceived",
  excluded: "ledgerExcluded",
  deidentified: "ledgerDeidentified",
  delivered: "ledgerDelivered",
} as const satisfies { readonly [K in LedgerChange["kind"]]: string };

/** Nothing can be said of an instance that was neither expected nor received: an account with a hole is an error. */
const NEEDS_LINE: ReadonlySet<LedgerChange["kind"]> = new Set(["excluded", "deidentified", "delivered"]);

async function applyLedger(
  session: Session,
  jobNo: number,
  { kind, ...facts }: LedgerChange,
  nowMs: number,
): Promise<void> {
  const changed = await session.run(LEDGER_STATEMENTS[kind], { ...facts, jobNo, nowMs });
  if (changed === 0 && NEEDS_LINE.has(kind)) throw new GatewayError("INTERNAL", { what: "unknown instance", kind });
}

export async function recordDelivery(
  session: Session,
  lease: Lease,
  delivery: Omit<DeliveryRecord, "changedAtMs">,
  nowMs: number,
  audit?: AuditEvent,
  event?: Omit<JobEvent, "atMs">,
): Promise<boolean> {
  const jobNo = await leasedJob(session, lease);
  if (jobNo === undefined) return false;
  await session.run("recordDelivery", { proof: undefined, ...delivery, jobNo, nowMs });
  if (event !== undefined) await addEvent(session, jobNo, event, nowMs);
  if (audit !== undefined) await appendAudit(session, audit, nowMs);
  return true;
}

export async function settle(
  session: Session,
  lease: Lease,
  outcome: Parameters<Store["settle"]>[1],
  nowMs: number,
): Promise<boolean> {
  const { jobId: id, token } = lease;
  const job = await session.get("leased", { id, token });
  if (job === undefined) return false;
  const jobNo = Number(job.jobNo);
  const { state, code, attempts } = outcome;
  if (outcome.change !== undefined) await applyChange(session, jobNo, outcome.change, nowMs);
  const isDone = JOB_STATES[state].done;
  const dueAt = state === "waiting" ? await dueAtOf(session, outcome, nowMs) : undefined;
  await session.run("settle", { jobNo, state, code, dueAt, attempts, finishedAt: isDone ? nowMs : undefined });
  await session.run("endAttempt", { jobNo, nowMs, outcome: state, code });
  if (outcome.audit !== undefined) await appendAudit(session, outcome.audit, nowMs);
  // What it did was less than is now asked for.
  if (job.widened === 1 && DONE_WITH_LESS.has(state)) await startOver(session, jobNo, "for more series", nowMs);
  return true;
}

/** Without a time a waiting job would never be woken. */
async function dueAtOf(
  session: Session,
  { code, dueAtMs, heldBackBy }: Parameters<Store["settle"]>[1],
  nowMs: number,
): Promise<number> {
  const isInVain = code !== undefined && heldBackBy !== undefined && (await isOver(session, heldBackBy, code));
  return isInVain ? nowMs : (dueAtMs ?? nowMs);
}

/** See `Store.settleAndClaim`. */
export async function settleAndClaim(
  session: Session,
  lease: Lease,
  outcome: Parameters<Store["settle"]>[1],
  next: { readonly worker: string; readonly leaseMs: number },
  nowMs: number,
): Promise<{ readonly isSettled: boolean; readonly claimed: ClaimedJob | undefined }> {
  const isSettled = await settle(session, lease, outcome, nowMs);
  return { isSettled, claimed: await claim(session, next.worker, next.leaseMs, nowMs) };
}
