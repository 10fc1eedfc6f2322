import { checkKey } from "../cohort/identifiers.ts";
import { openWithdrawnKey } from "../deid/pseudonyms/withdrawn-key.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { WithdrawalWish as StoredWish, WithdrawalRecord } from "../store/withdrawals.ts";
import type { AuditEvent } from "../units/audit.ts";
import type { OperationsContext } from "./context.ts";
import { sealerOf } from "./linkage.ts";
import { documentOf } from "./withdrawal-document.ts";
import type { WithdrawalDocument, WithdrawalWish } from "./withdrawal-operations.ts";
import { removeCopy } from "./withdrawn-copy.ts";

export type WithdrawalContext = Pick<
  OperationsContext,
  "actor" | "audit" | "clock" | "destinations" | "inspectors" | "projects" | "removals" | "store" | "withdrawn"
>;

/** Of one call; a longer list is handed in in parts. */
const MOST_PATIENTS = 10_000;
/** A worker that lost its job has noticed by then; a longer lease is nobody's. */
const LONGEST_QUIET_MS = 120_000;
/** So much of a digest names a patient in the audit trail. */
const REFERENCE_LENGTH = 16;
const REASON_LIMIT = 200;
const PLAIN_LINE = /^[^\p{Cc}]+$/u;
/** PS3.5 9: components with dots between them. */
const UID_LIKE = /\d+(?:\.\d+){3,}/;

/** See `WithdrawalOperations.withdrawPatients`. */
export async function withdrawPatients(
  context: WithdrawalContext,
  project: string,
  wish: WithdrawalWish,
  signal: AbortSignal,
): Promise<WithdrawalDocument> {
  if (!context.projects.has(project)) throw new GatewayError("PROJECT_UNKNOWN", { project });
  const { isRehearsal = false, reason } = checked(wish);
  const linkDigestOf = await linkDigests(context, project);
  const key = await openWithdrawnKey(context.withdrawn.keyFile, { isRehearsal });
  const found: Pick<WithdrawalRecord, "jobs" | "copies" | "state">[] = [];
  for (const patientId of new Set(wish.patientIds)) {
    signal.throwIfAborted();
    const digest = key.digest(project, patientId);
    const stored: StoredWish = { project, digest, keyId: key.id, patientId, linkDigest: linkDigestOf(patientId) };
    if (isRehearsal) {
      found.push({ ...(await context.store.findWithdrawable(stored)), state: "open" });
      continue;
    }
    const audit = eventOf(context, "patient-withdrawn", { project, digest }, reason);
    const record = await context.store.withdrawPatient(stored, audit, context.clock.nowMs());
    found.push(await finish(context, record, signal));
  }
  if (!isRehearsal) await context.store.emptyJournal();
  return documentOf(project, isRehearsal, found);
}

/** Goes on with withdrawals that were cut short, or that failed for a reason which may have passed. Those that wait for a person alone are left. */
export async function resumeWithdrawals(context: WithdrawalContext, signal: AbortSignal): Promise<number> {
  let resumed = 0;
  for (const record of await context.store.openWithdrawals(MOST_PATIENTS)) {
    signal.throwIfAborted();
    const isUnfinished = record.copies.every(({ state }) => state !== "person");
    const canGoOn = record.copies.some(({ state }) => state === "waiting" || state === "failed");
    if (!isUnfinished && !canGoOn) continue;
    await finish(context, record, signal);
    resumed += 1;
  }
  if (resumed > 0) await context.store.emptyJournal();
  return resumed;
}

/** What was withdrawn in the store is taken back everywhere else; each step says what came of it before the next. */
async function finish(
  context: WithdrawalContext,
  record: WithdrawalRecord,
  signal: AbortSignal,
): Promise<WithdrawalRecord> {
  const { store, clock, withdrawn } = context;
  const { number, project, digest, jobs } = record;
  const quietAtMs = Math.max(0, ...jobs.map((job) => job.quietAtMs));
  const restMs = Math.min(quietAtMs - clock.nowMs(), LONGEST_QUIET_MS);
  // A worker that has not noticed yet might send once more what is removed.
  if (restMs > 0) await clock.sleep(restMs, signal);
  for (const { job, studyInstanceUid } of jobs) {
    const isNeeded = studyInstanceUid !== undefined && (await store.studyIsNeeded(studyInstanceUid));
    await withdrawn.removeLocalCopies({ job, studyInstanceUid: isNeeded ? undefined : studyInstanceUid });
  }
  for (const copy of record.copies) {
    if (copy.state === "removed" || copy.state === "absent") continue;
    await store.settleCopy(copy.number, await removeCopy(context, project, copy, signal), clock.nowMs());
  }
  const audit = eventOf(context, "patient-withdrawal-ended", { project, digest });
  await store.forgetWithdrawn(number, audit, clock.nowMs());
  return (await store.withdrawal(project, digest)) ?? record;
}

function eventOf(
  { actor }: WithdrawalContext,
  event: "patient-withdrawn" | "patient-withdrawal-ended",
  { project, digest }: Pick<WithdrawalRecord, "project" | "digest">,
  reason?: string,
): AuditEvent {
  const detail = { reference: digest.slice(0, REFERENCE_LENGTH), ...(reason === undefined ? {} : { reason }) };
  return { event, actor, outcome: "success", project, detail };
}

/** By what a linkage knows patients; a project without one, or whose was destroyed, has the jobs of the store alone. */
async function linkDigests(
  context: WithdrawalContext,
  project: string,
): Promise<(patientId: string) => string | undefined> {
  try {
    const sealer = await sealerOf(context, project);
    return (patientId) => sealer.patientDigest(patientId);
  } catch (thrown) {
    const isNone = thrown instanceof GatewayError && /^LINKAGE_(?:NOT_KEPT|DESTROYED)$/.test(thrown.code);
    if (isNone) return () => undefined;
    throw thrown;
  }
}

function checked({ patientIds, reason, isRehearsal }: WithdrawalWish): Pick<WithdrawalWish, "reason" | "isRehearsal"> {
  if (patientIds.length === 0) throw invalid("no patient is named");
  if (patientIds.length > MOST_PATIENTS) throw invalid(`more than ${MOST_PATIENTS} patients are named at once`);
  const damage = patientIds.map((id) => checkKey("patient-id", id)).find((code) => code !== undefined);
  if (damage !== undefined) throw invalid(`what is named could not be a patient id: ${damage}`);
  const text = reason?.trim();
  if (text === undefined) return { isRehearsal };
  if (text.length === 0 || text.length > REASON_LIMIT || !PLAIN_LINE.test(text))
    throw invalid(`the reason is to be one line of 1 to ${REASON_LIMIT} characters`);
  const folded = text.toLowerCase();
  if (UID_LIKE.test(text) || patientIds.some((id) => folded.includes(id.toLowerCase())))
    throw invalid("the reason holds an identifier");
  return { reason: text, isRehearsal };
}

function invalid(problem: string): GatewayError {
  return new GatewayError("WITHDRAWAL_INVALID", { problem });
}
