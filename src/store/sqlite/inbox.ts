import { createHash } from "node:crypto";
import type {
  ClaimedInboxMessage,
  InboxFilter,
  InboxLease,
  InboxMessage,
  InboxOutcome,
  InboxRetention,
  NewInboxMessage,
} from "../inbox.ts";
import { claimLeased, leasedFacts, renewLeased, settleLeased } from "./leased-work.ts";
import { newInboxId } from "./names.ts";
import type { Row, Session } from "./session.ts";

/** Later than every lease. */
const EVER = Number.MAX_SAFE_INTEGER;

export function addInboxMessage(
  session: Session,
  { queue, body, priority }: NewInboxMessage,
  nowMs: number,
): { readonly id: string; readonly isJoined: boolean } {
  const digest = createHash("sha256").update(body).digest("hex");
  const joined = session.get("joinInboxMessage", { queue, digest, priority });
  if (joined !== undefined) return { id: String(joined.id), isJoined: true };
  const id = newInboxId();
  session.run("insertInboxMessage", { id, queue, digest, body, priority, nowMs });
  return { id, isJoined: false };
}

export function claimInboxMessage(
  session: Session,
  queue: string,
  leaseMs: number,
  nowMs: number,
): ClaimedInboxMessage | undefined {
  session.run("wakeAbandonedInboxMessages", { until: nowMs, nowMs });
  const claimed = claimLeased(session, "claimInboxMessage", { queue }, { leaseMs, nowMs });
  if (claimed === undefined) return undefined;
  const message = inboxMessage(claimed.row);
  return { lease: { messageId: message.id, token: claimed.token }, message };
}

export function renewInboxMessage(
  session: Session,
  { messageId: id, token }: InboxLease,
  leaseMs: number,
  nowMs: number,
  progress?: string,
): boolean {
  return renewLeased(session, "renewInboxMessage", { id, token }, { leaseMs, nowMs }, progress);
}

export function settleInboxMessage(
  session: Session,
  { messageId: id, token }: InboxLease,
  outcome: InboxOutcome,
  nowMs: number,
): boolean {
  return settleLeased(session, "settleInboxMessage", { id, token }, outcome, nowMs);
}

export function releaseInboxMessages(session: Session, nowMs: number): number {
  return session.run("wakeAbandonedInboxMessages", { until: EVER, nowMs });
}

export function unfinishedInboxMessages(session: Session, queue: string): number {
  return Number(session.get("unfinishedInboxMessages", { queue })?.count ?? 0);
}

export function nextInboxDueAtMs(session: Session, queue: string): number | undefined {
  const dueAtMs = session.get("nextInboxDue", { queue })?.dueAtMs;
  return typeof dueAtMs === "number" ? dueAtMs : undefined;
}

export function forgetInboxMessages(session: Session, retention: InboxRetention): number {
  let forgotten = 0;
  for (const state of ["done", "failed"]) forgotten += session.run("forgetInboxMessages", { ...retention, state });
  return forgotten;
}

export function listInboxMessages(session: Session, { queue, state, limit }: InboxFilter): readonly InboxMessage[] {
  return session.all("listInboxMessages", { queue, state, limit }).map(inboxMessage);
}

function inboxMessage(row: Row): InboxMessage {
  return {
    id: String(row.id),
    queue: String(row.queue),
    body: row.body instanceof Uint8Array ? row.body : new Uint8Array(),
    priority: Number(row.priority),
    state: row.state as InboxMessage["state"],
    receivedAtMs: Number(row.receivedAtMs),
    ...leasedFacts(row),
  };
}
