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

/** The answer that was given already. */
type Done<T> = { readonly answer: T } | undefined;

/** Wakes of a thousand jobs each before a claim takes what there is. */
const MAXIMUM_WAKES = 10;

/** Answers nothing when something is due to be woken first. */
async function claimAtOnce(
  session: PostgresSession,
  worker: string,
  leaseMs: number,
  nowMs: number,
  isWoken = false,
): Promise<Done<ClaimedJob | undefined>> {
  const token = randomUUID();
  const row = await session.get("claimAtOnce", { worker, token, leaseUntil: nowMs + leaseMs, nowMs, isWoken });
  if (row?.isDue === 1) return undefined;
  if (typeof row?.id !== "string") return { answer: undefined };
  return { answer: { lease: { jobId: row.id, token }, job: jobRecord(row) } };
}

/** See `Store.claim`. */
async function claim(
  session: PostgresSession,
  worker: string,
  leaseMs: number,
  nowMs: number,
): Promise<ClaimedJob | undefined> {
  for (let wakes = 1; ; wakes += 1) {
    await session.run("wakeWaiting", { nowMs });
    await endAttempts(session, await session.all("wakeAbandoned", { nowMs }), "lease ended", nowMs);
    const done = await claimAtOnce(session, worker, leaseMs, nowMs, wakes === MAXIMUM_WAKES);
    if (done !== undefined) return done.answer;
  }
}

/** Answers nothing when there is more to write than the job's end, or its lease is gone. */
async function settleAtOnce(
  session: PostgresSession,
  { jobId: id, token }: Lease,
  outcome: Parameters<Store["settle"]>[1],
  nowMs: number,
): Promise<Done<boolean>> {
  const { state, code, dueAtMs, attempts, change, audit } = outcome;
  if (change !== undefined || audit !== undefined) return undefined;
  const dueAt = state === "waiting" ? (dueAtMs ?? nowMs) : undefined;
  const finishedAt = JOB_STATES[state].done ? nowMs : undefined;
  const row = await session.get("settleAtOnce", { id, token, state, code, dueAt, attempts, finishedAt, nowMs });
  return row === undefined ? undefined : { answer: true };
}

/** What is mostly one statement, and a transaction by itself; where that answers nothing the method is asked within one. */
export const atOnce: {
  readonly [N in MethodName]?: (session: PostgresSession, ...args: Parameters<Store[N]>) => unknown;
} = {
  claim: (session, worker, leaseMs, nowMs) => claimAtOnce(session, worker, leaseMs, nowMs),
  settle: settleAtOnce,
  renew: async (session, ...args) => ({ answer: await methods.renew(session, ...args) }),
};

/** See `Store.jobChanges`. What is not committed yet is not stepped over: see COUNTER_TRIGGERS. */
async function jobChanges(
  session: PostgresSession,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<JobChanges> {
  const given = Number((await session.get("lastChange"))?.changeNo ?? 0);
  const counting = (await session.get("lowestCounting"))?.changeNo;
  const last = typeof counting === "number" ? Math.min(given, counting) : given;
  const rows = await session.all("changesUpTo", { after, last, limit });
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

const ownMethods = { claim, jobChanges, backUp, emptyJournal } satisfies Partial<Record<MethodName, Answered>>;

/** Every method of the store over one session. */
export const postgresMethods = { ...methods, ...ownMethods } satisfies { readonly [N in MethodName]: Answered };
