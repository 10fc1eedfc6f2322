import { randomUUID } from "node:crypto";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { BackupFacts } from "../backup.ts";
import { JOB_STATES } from "../job-states.ts";
import type { JobChanges } from "../overview.ts";
import type { ClaimedJob, Lease } from "../records.ts";
import { type MethodName, methods } from "../sql/methods.ts";
import { jobRecord } from "../sql/row-records.ts";
import { endAttempts, settle as settleInSteps } from "../sql/work.ts";
import type { Store } from "../store.ts";
import type { PostgresSession } from "./session.ts";

type Answered = (session: PostgresSession, ...args: never) => unknown;

/** Wakes of a thousand jobs each before a claim takes what there is. */
const MAXIMUM_WAKES = 10;

/** See `Store.claim`. One round trip, unless something is due to be woken first. */
async function claim(
  session: PostgresSession,
  worker: string,
  leaseMs: number,
  nowMs: number,
): Promise<ClaimedJob | undefined> {
  const token = randomUUID();
  for (let wakes = 0; ; wakes += 1) {
    const isWoken = wakes === MAXIMUM_WAKES;
    const row = await session.get("claimAtOnce", { worker, token, leaseUntil: nowMs + leaseMs, nowMs, isWoken });
    if (row?.isDue !== 1)
      return row === undefined || row.id === null
        ? undefined
        : { lease: { jobId: String(row.id), token }, job: jobRecord(row) };
    await session.run("wakeWaiting", { nowMs });
    await endAttempts(session, await session.all("wakeAbandoned", { nowMs }), "lease ended", nowMs);
  }
}

/** See `Store.settle`. One round trip when nothing else is written with it. */
async function settle(
  session: PostgresSession,
  lease: Lease,
  outcome: Parameters<Store["settle"]>[1],
  nowMs: number,
): Promise<boolean> {
  const { state, code, dueAtMs, attempts, change, audit } = outcome;
  if (change === undefined && audit === undefined) {
    const { jobId: id, token } = lease;
    const dueAt = state === "waiting" ? (dueAtMs ?? nowMs) : undefined;
    const finishedAt = JOB_STATES[state].done ? nowMs : undefined;
    const settled = await session.get("settleAtOnce", { id, token, state, code, dueAt, attempts, finishedAt, nowMs });
    if (settled !== undefined) return true;
  }
  return await settleInSteps(session, lease, outcome, nowMs);
}

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

const ownMethods = { claim, settle, jobChanges, backUp, emptyJournal } satisfies Partial<Record<MethodName, Answered>>;

/** Every method of the store over one session. */
export const postgresMethods = { ...methods, ...ownMethods } satisfies { readonly [N in MethodName]: Answered };
