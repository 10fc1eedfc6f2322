import { createHash } from "node:crypto";
import type {
  ClaimedInboxMessage,
  FinishedInboxMessage,
  FinishedInboxPage,
  InboxFilter,
  InboxLease,
  InboxMessage,
  InboxOutcome,
  InboxRetention,
  NewInboxMessage,
} from "../inbox.ts";
import { claimLeased, leasedFacts, renewLeased, settleLeased, tokensOf } from "./leased-work.ts";
import { newInboxId } from "./names.ts";
import type { Row, Session } from "./session.ts";

/** Later than every lease. */
const EVER = Number.MAX_SAFE_INTEGER;

export async function addInboxMessage(
  session: Session,
  { queue, body, priority }: NewInboxMessage,
  nowMs: number,
): Promise<{ readonly id: string; readonly isJoined: boolean }> {
  const digest = createHash("sha256").update(body).digest("hex");
  const joined = await session.get("joinInboxMessage", { queue, digest, priority });
  if (joined !== undefined) return { id: String(joined.id), isJoined: true };
  const id = newInboxId();
  await session.run("insertInboxMessage", { id, queue, digest, body, priority, nowMs });
  return { id, isJoined: false };
}

export async function claimInboxMessage(
  session: Session,
  queue: string,
  leaseMs: number,
  nowMs: number,
  node?: string,
): Promise<ClaimedInboxMessage | undefined> {
  await session.run("wakeAbandonedInboxMessages", { until: nowMs, nowMs });
  const claimed = await claimLeased(session, "claimInboxMessage", { queue }, { leaseMs, nowMs, node });
  if (claimed === undefined) return undefined;
  const message = inboxMessage(claimed.row);
  return { lease: { messageId: message.id, token: claimed.token }, message };
}

export async function renewInboxMessage(
  session: Session,
  { messageId: id, token }: InboxLease,
  leaseMs: number,
  nowMs: number,
  progress?: string,
): Promise<boolean> {
  return await renewLeased(session, "renewInboxMessage", { id, token }, { leaseMs, nowMs }, progress);
}

export async function settleInboxMessage(
  session: Session,
  { messageId: id, token }: InboxLease,
  outcome: InboxOutcome,
  nowMs: number,
): Promise<boolean> {
  return await settleLeased(session, "settleInboxMessage", { id, token }, outcome, nowMs);
}

export async function releaseInboxMessages(session: Session, nowMs: number, node?: string): Promise<number> {
  const all = { until: EVER, nowMs };
  if (node !== undefined) return await session.run("releaseInboxMessagesOf", { ...all, holder: tokensOf(node) });
  return await session.run("wakeAbandonedInboxMessages", all);
}

export async function unfinishedInboxMessages(session: Session, queue: string): Promise<number> {
  return Number((await session.get("unfinishedInboxMessages", { queue }))?.count ?? 0);
}

export async function nextInboxDueAtMs(session: Session, queue: string): Promise<number | undefined> {
  const dueAtMs = (await session.get("nextInboxDue", { queue }))?.dueAtMs;
  return typeof dueAtMs === "number" ? dueAtMs : undefined;
}

export async function forgetInboxMessages(session: Session, retention: InboxRetention): Promise<number> {
  let forgotten = 0;
  for (const state of ["done", "failed"])
    forgotten += await session.run("forgetInboxMessages", { ...retention, state });
  return forgotten;
}

export async function finishedInboxMessages(
  session: Session,
  page: FinishedInboxPage,
): Promise<readonly FinishedInboxMessage[]> {
  const rows = await session.all("finishedInboxMessages", { ...page });
  return rows.map((row) => ({ number: Number(row.number), body: bodyOf(row) }));
}

export async function removeInboxMessages(session: Session, numbers: readonly number[]): Promise<void> {
  for (const number of numbers) await session.run("removeInboxMessage", { number });
}

export async function listInboxMessages(
  session: Session,
  { queue, state, limit }: InboxFilter,
): Promise<readonly InboxMessage[]> {
  return (await session.all("listInboxMessages", { queue, state, limit })).map(inboxMessage);
}

function inboxMessage(row: Row): InboxMessage {
  return {
    id: String(row.id),
    queue: String(row.queue),
    body: bodyOf(row),
    priority: Number(row.priority),
    state: row.state as InboxMessage["state"],
    receivedAtMs: Number(row.receivedAtMs),
    ...leasedFacts(row),
  };
}

function bodyOf({ body }: Row): Uint8Array {
  return body instanceof Uint8Array ? body : new Uint8Array();
}
