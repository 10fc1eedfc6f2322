import { checkKey, trimIdentifier } from "../cohort/identifiers.ts";
import { openWithdrawnKey, type WithdrawnKey } from "../deid/pseudonyms/withdrawn-key.ts";
import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import { PLACES_OVER, type WithdrawalWish as StoredWish, type WithdrawalRecord } from "../store/withdrawals.ts";
import type { OperationsContext } from "./context.ts";
import { sealerOf } from "./linkage.ts";
import { documentOf, withdrawalEvent } from "./withdrawal-document.ts";
import type { WithdrawalDocument, WithdrawalWish } from "./withdrawal-operations.ts";
import { removeCopy } from "./withdrawn-copy.ts";
import { askPlaces, awaitPlaces, settleOwnPlaces } from "./withdrawn-places.ts";

export type WithdrawalContext = Pick<
  OperationsContext,
  "actor" | "audit" | "clock" | "destinations" | "inspectors" | "projects" | "removals" | "store" | "withdrawn"
>;

/** Of one call; a longer list is handed in in parts. */
const MOST_PATIENTS = 10_000;
/** A worker that lost its job has noticed by then; a longer lease is nobody's. */
const LONGEST_QUIET_MS = 120_000;
const REASON_LIMIT = 200;
/** Jobs that ended because their patient is withdrawn. One that a withdrawal has taken in already has no patient id any more. */
const LATE = { state: "excluded", code: "PATIENT_WITHDRAWN", limit: 1_000 } as const;
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
  const { patientIds, isRehearsal = false, reason } = checked(wish);
  const linkDigestOf = await linkDigests(context, project);
  const key = await openWithdrawnKey(context.withdrawn.keyFile, { isRehearsal });
  const { soleNode } = context.withdrawn;
  const found: Found[] = [];
  const records: WithdrawalRecord[] = [];
  let withdrawnBefore = 0;
  for (const patientId of patientIds) {
    signal.throwIfAborted();
    const digest = key.digest(project, patientId);
    const isEverywhere = await isWithdrawnElsewhere(context, key, project, patientId);
    const linkDigest = linkDigestOf(patientId);
    const stored: StoredWish = { project, digest, keyId: key.id, patientId, linkDigest, soleNode, isEverywhere };
    const before = await context.store.withdrawal(project, digest);
    if (before !== undefined) withdrawnBefore += 1;
    if (isRehearsal) {
      const would = await context.store.findWithdrawable(stored);
      found.push({ ...would, state: isOver(before, would) ? "done" : "open" });
      continue;
    }
    const audit = withdrawalEvent(context.actor, "patient-withdrawn", { project, digest }, reason);
    const record = await context.store.withdrawPatient(stored, audit, context.clock.nowMs());
    records.push(await finish(context, record, signal, key));
  }
  found.push(...(await awaitPlaces(context, records, signal)));
  if (!isRehearsal) await context.store.emptyJournal();
  const unaskedHeld = await heldUnasked(context, patientIds);
  const nodes = await context.store.listNodes();
  return documentOf(project, isRehearsal, found, { nodes, unaskedHeld, withdrawnBefore });
}

/** Doing it again would find nothing to do. */
function isOver(
  before: WithdrawalRecord | undefined,
  { jobs, copies, places }: Pick<WithdrawalRecord, "jobs" | "copies" | "places">,
): boolean {
  const isGone = copies.every(({ state }) => state === "removed" || state === "absent");
  const isCleared = places.every(({ state }) => PLACES_OVER.has(state));
  return before?.state === "done" && isGone && isCleared && jobs.length === before.jobs.length;
}

type Found = Pick<WithdrawalRecord, "jobs" | "copies" | "places" | "state">;

/** No other project is left that could be given what is theirs. */
async function isWithdrawnElsewhere(
  { projects, store }: WithdrawalContext,
  key: WithdrawnKey,
  project: string,
  patientId: string,
): Promise<boolean> {
  for (const other of projects.keys()) {
    if (other === project) continue;
    const digest = key.digest(other, patientId);
    if (!(await store.isWithdrawn({ project: other, digest, keyId: key.id }))) return false;
  }
  return true;
}

async function heldUnasked({ store }: WithdrawalContext, patientIds: ReadonlySet<string>): Promise<number> {
  let held = 0;
  for (const patientId of patientIds) held += await store.heldIntakeOf(patientId);
  return held;
}

/**
 * Goes on with withdrawals that were cut short, or that failed for a reason which may have passed, and with those of patients of whom studies were found
 * since. Those that wait for a person alone are left.
 */
export async function resumeWithdrawals(context: WithdrawalContext, signal: AbortSignal): Promise<number> {
  const resumed = await goOn(context, signal);
  return (await takeUpLate(context, signal)) ? resumed + (await goOn(context, signal)) : resumed;
}

/**
 * A row may name a study alone, and only the archive tells that it is of somebody who was withdrawn: its job ends, and by then the store knows whose it
 * is. The withdrawal takes it in like those that were there before.
 */
async function takeUpLate(
  { store, clock, actor, withdrawn }: WithdrawalContext,
  signal: AbortSignal,
): Promise<boolean> {
  let isFound = false;
  let after: string | undefined;
  // Read at the first study that is late: without one, a key that is missing keeps nothing waiting.
  let key: Awaited<ReturnType<typeof openWithdrawnKey>> | undefined;
  do {
    signal.throwIfAborted();
    const jobs = await store.listJobs({ ...LATE, ...(after === undefined ? {} : { after }) });
    for (const { project, patientId } of jobs) {
      if (patientId === undefined) continue;
      key ??= await openWithdrawnKey(withdrawn.keyFile);
      const { id: keyId } = key;
      const digest = key.digest(project, patientId);
      // Its images may have named somebody else, who was.
      if (!(await store.isWithdrawn({ project, digest, keyId }))) continue;
      const wish = { project, digest, keyId, patientId, linkDigest: undefined, soleNode: withdrawn.soleNode };
      const audit = withdrawalEvent(actor, "patient-withdrawn", { project, digest });
      await store.withdrawPatient(wish, audit, clock.nowMs());
      isFound = true;
    }
    after = jobs.length < LATE.limit ? undefined : jobs.at(-1)?.id;
  } while (after !== undefined);
  return isFound;
}

async function goOn(context: WithdrawalContext, signal: AbortSignal): Promise<number> {
  let resumed = 0;
  for (const record of await context.store.openWithdrawals(MOST_PATIENTS)) {
    signal.throwIfAborted();
    if (!canGoOn(record)) continue;
    await finish(context, record, signal);
    resumed += 1;
  }
  if (resumed > 0) await context.store.emptyJournal();
  return resumed;
}

/** What waits for a person, or for another node, goes on without us; that of a study which is not forgotten yet does not. */
function canGoOn({ jobs, copies, places }: WithdrawalRecord): boolean {
  const isLate = jobs.some(({ studyInstanceUid }) => studyInstanceUid !== undefined);
  const isReady = copies.some(({ state }) => state === "waiting" || state === "failed");
  const isStopping = places.some(({ state }) => state === "stopping");
  const isOver = copies.every(({ state }) => state !== "person") && places.every(({ state }) => PLACES_OVER.has(state));
  return isReady || isStopping || isOver || isLate;
}

/** What was withdrawn in the store is taken back everywhere else; each step says what came of it before the next. */
async function finish(
  context: WithdrawalContext,
  record: WithdrawalRecord,
  signal: AbortSignal,
  key?: WithdrawnKey,
): Promise<WithdrawalRecord> {
  const { store, clock, withdrawn, actor } = context;
  const { number, project, digest, jobs } = record;
  const quietAtMs = Math.max(0, ...jobs.map((job) => job.quietAtMs));
  const restMs = Math.min(quietAtMs - clock.nowMs(), LONGEST_QUIET_MS);
  // A worker that has not noticed yet might send once more what is removed.
  if (restMs > 0) await clock.sleep(restMs, signal);
  await askPlaces(context, record, key);
  for (const { job, studyInstanceUid } of jobs) {
    const isNeeded = studyInstanceUid !== undefined && (await store.studyIsNeeded(studyInstanceUid));
    await withdrawn.removeLocalCopies({ job, studyInstanceUid: isNeeded ? undefined : studyInstanceUid });
  }
  await settleOwnPlaces(context, number);
  for (const copy of record.copies) {
    if (copy.state === "removed" || copy.state === "absent") continue;
    await store.settleCopy(copy.number, await removeCopy(context, project, copy, signal), clock.nowMs());
  }
  const audit = withdrawalEvent(actor, "patient-withdrawal-ended", { project, digest });
  await store.forgetWithdrawn(number, audit, clock.nowMs());
  return (await store.withdrawal(project, digest)) ?? record;
}

const NO_LINKAGE: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["LINKAGE_NOT_KEPT", "LINKAGE_DESTROYED"]);

/** By what a linkage knows patients; a project without one, or whose was destroyed, has the jobs of the store alone. */
async function linkDigests(
  context: WithdrawalContext,
  project: string,
): Promise<(patientId: string) => string | undefined> {
  try {
    const sealer = await sealerOf(context, project);
    return (patientId) => sealer.patientDigest(patientId);
  } catch (thrown) {
    if (NO_LINKAGE.has(toGatewayError(thrown).code)) return () => undefined;
    throw thrown;
  }
}

interface CheckedWish extends Pick<WithdrawalWish, "reason" | "isRehearsal"> {
  /** As archives have them: without blanks around them. */
  readonly patientIds: ReadonlySet<string>;
}

function checked({ patientIds: named, reason, isRehearsal }: WithdrawalWish): CheckedWish {
  const patientIds = named.map(trimIdentifier);
  if (patientIds.length === 0) throw invalid("no patient is named");
  if (patientIds.includes("")) throw invalid("a patient id is blank");
  if (patientIds.length > MOST_PATIENTS) throw invalid(`more than ${MOST_PATIENTS} patients are named at once`);
  const damage = patientIds.map((id) => checkKey("patient-id", id)).find((code) => code !== undefined);
  if (damage !== undefined) throw invalid(`what is named could not be a patient id: ${damage}`);
  const text = reason?.trim();
  const wish = { patientIds: new Set(patientIds), isRehearsal };
  if (text === undefined) return wish;
  if (text.length === 0 || text.length > REASON_LIMIT || !PLAIN_LINE.test(text))
    throw invalid(`the reason is to be one line of 1 to ${REASON_LIMIT} characters`);
  const folded = text.toLowerCase();
  if (UID_LIKE.test(text) || patientIds.some((id) => folded.includes(id.toLowerCase())))
    throw invalid("the reason holds an identifier");
  return { ...wish, reason: text };
}

function invalid(problem: string): GatewayError {
  return new GatewayError("WITHDRAWAL_INVALID", { problem });
}
