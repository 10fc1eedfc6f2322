import { randomUUID } from "node:crypto";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { BackupFacts } from "../backup.ts";
import { JOB_STATES } from "../job-states.ts";
import type { JobChanges } from "../overview.ts";
import type { ClaimedJob, Lease } from "../records.ts";
import { type MethodName, methods } from "../sql/methods.ts";
import { jobRecord } from "../sql/row-records.ts";
import { endAttempts } from "../sql/work.ts";
import type { Store } from "../store.ts";
import type { PostgresSession } from "./session.ts";

type Answered = (session: PostgresSession, ...args: never) => unknown;

/** Wakes of a thousand jobs each before a claim takes what there is. */
const MAXIMUM_WAKES = 10;

/** One worker's claim. */
export interface ClaimAsked {
  readonly worker: string;
  readonly leaseMs: number;
  readonly nowMs: number;
}

/** One end of a job with nothing else to write. */
export interface SettleAsked {
  readonly lease: Lease;
  readonly outcome: Parameters<Store["settle"]>[1];
  readonly nowMs: number;
}

/** Of a worker's name; nobody's where it tells of none. */
function nodeOf(worker: string): string {
  return worker.slice(0, Math.max(worker.indexOf("/"), 0));
}

/**
 * Answers the first of the claims, one at least: those of one node and one length of lease. Nothing when something is due to be woken first.
 * @param asked of one at least
 */
export async function claimAtOnce(
  session: PostgresSession,
  asked: readonly ClaimAsked[],
  isWoken = false,
): Promise<readonly (ClaimedJob | undefined)[] | undefined> {
  const node = nodeOf(asked[0]?.worker ?? "");
  const leaseMs = asked[0]?.leaseMs ?? 0;
  const end = asked.findIndex((each) => nodeOf(each.worker) !== node || each.leaseMs !== leaseMs);
  const together = end === -1 ? asked : asked.slice(0, end);
  const tokens: readonly string[] = together.map(() => randomUUID());
  const nowMs = Math.max(...together.map((each) => each.nowMs));
  const rows = await session.all("claimTogether", {
    workers: JSON.stringify(together.map(({ worker }) => worker)),
    tokens: JSON.stringify(tokens),
    wanted: together.length,
    leaseUntil: nowMs + leaseMs,
    nowMs,
    node,
    isWoken,
  });
  if (rows[0]?.isDue === 1) return undefined;
  const claimed = rows.flatMap((row): ClaimedJob[] =>
    typeof row.id === "string"
      ? [{ lease: { jobId: row.id, token: String(row.lease_token) }, job: jobRecord(row) }]
      : [],
  );
  // Who asked first gets the most urgent; nothing is left for any of them when nothing was found.
  claimed.sort((one, other) => tokens.indexOf(one.lease.token) - tokens.indexOf(other.lease.token));
  return claimed.length === 0 ? together.map(() => undefined) : claimed;
}

/** Within a transaction: wakes what is due first. */
export async function claimAfterWaking(
  session: PostgresSession,
  asked: readonly ClaimAsked[],
): Promise<readonly (ClaimedJob | undefined)[]> {
  const nowMs = Math.max(...asked.map((each) => each.nowMs));
  for (let wakes = 1; ; wakes += 1) {
    await session.run("wakeWaiting", { nowMs });
    await endAttempts(session, await session.all("wakeAbandoned", { nowMs }), "lease ended", nowMs);
    const answers = await claimAtOnce(session, asked, wakes === MAXIMUM_WAKES);
    if (answers !== undefined) return answers;
  }
}

/** See `Store.claim`. */
async function claim(
  session: PostgresSession,
  worker: string,
  leaseMs: number,
  nowMs: number,
): Promise<ClaimedJob | undefined> {
  return (await claimAfterWaking(session, [{ worker, leaseMs, nowMs }]))[0];
}

/** See `Store.settleAndClaim`: within one transaction. */
async function settleAndClaim(
  session: PostgresSession,
  ...[lease, outcome, { worker, leaseMs }, nowMs]: Parameters<Store["settleAndClaim"]>
): ReturnType<Store["settleAndClaim"]> {
  const isSettled = await methods.settle(session, lease, outcome, nowMs);
  return { isSettled, claimed: await claim(session, worker, leaseMs, nowMs) };
}

/** There is nothing to write but the job's end, and nothing to look at before. */
export function isEndAlone({ change, audit, heldBackBy }: SettleAsked["outcome"]): boolean {
  return change === undefined && audit === undefined && heldBackBy === undefined;
}

/** Whether each was ended: of the others the lease is gone, or there is more to do. */
export async function settleAtOnce(
  session: PostgresSession,
  asked: readonly SettleAsked[],
): Promise<readonly boolean[]> {
  const outcomes = asked.map(({ lease, outcome, nowMs }) => ({
    id: lease.jobId,
    token: lease.token,
    state: outcome.state,
    code: outcome.code,
    due_at: outcome.state === "waiting" ? (outcome.dueAtMs ?? nowMs) : undefined,
    attempts: outcome.attempts,
    finished_at: JOB_STATES[outcome.state].done ? nowMs : undefined,
  }));
  const nowMs = Math.max(...asked.map((each) => each.nowMs));
  const rows = await session.all("settleTogether", { outcomes: JSON.stringify(outcomes), nowMs });
  const ended = new Set(rows.map(({ token }) => String(token)));
  return asked.map(({ lease }) => ended.has(lease.token));
}

/** See `Store.jobChanges`. What is not committed yet is not stepped over: see COUNTER_TRIGGERS. */
async function jobChanges(
  session: PostgresSession,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<JobChanges> {
  const given = Number((await session.get("lastChange"))?.changeNo ?? 0);
  const counting = (await session.get("lowestCounting"))?.changeNo;
  const last = typeof counting === "number" ? Math.min(given, counting) : given;
  const rows = await session.all("jobChanges", { after, last, limit });
  return { changes: rows.map(({ changeNo, ...row }) => ({ number: Number(changeNo), job: jobRecord(row) })), last };
}

/** The server has tools that copy a database while others write. @throws GatewayError STORE_BACKUP_ELSEWHERE */
function backUp(_session: PostgresSession, _path: string): Promise<BackupFacts> {
  return Promise.reject(new GatewayError("STORE_BACKUP_ELSEWHERE", { tool: "pg_dump" }));
}

/** The write-ahead log is the server's; nothing of it is beside this store. */
async function emptyJournal(): Promise<boolean> {
  return true;
}

const ownMethods = { claim, settleAndClaim, jobChanges, backUp, emptyJournal } satisfies Partial<
  Record<MethodName, Answered>
>;

/** Every method of the store over one session. */
export const postgresMethods = { ...methods, ...ownMethods } satisfies { readonly [N in MethodName]: Answered };
