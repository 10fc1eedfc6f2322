import { createHash, randomUUID } from "node:crypto";
import type { ErrorCode } from "../../errors/registry.ts";
import type {
  ClaimedInboxMessage,
  InboxFilter,
  InboxLease,
  InboxMessage,
  InboxOutcome,
  NewInboxMessage,
} from "../inbox.ts";
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
  const token = randomUUID();
  const row = session.get("claimInboxMessage", { queue, token, leaseUntil: nowMs + leaseMs, nowMs });
  if (row === undefined) return undefined;
  const message = inboxMessage(row);
  return { lease: { messageId: message.id, token }, message };
}

export function renewInboxMessage(
  session: Session,
  { messageId: id, token }: InboxLease,
  leaseMs: number,
  nowMs: number,
  progress?: string,
): boolean {
  return session.run("renewInboxMessage", { id, token, leaseUntil: nowMs + leaseMs, progress }) === 1;
}

export function settleInboxMessage(
  session: Session,
  { messageId: id, token }: InboxLease,
  outcome: InboxOutcome,
  nowMs: number,
): boolean {
  const { state, progress, attempts } = outcome;
  const changed = session.run("settleInboxMessage", {
    id,
    token,
    state,
    progress,
    attempts,
    code: outcome.state === "done" ? undefined : outcome.code,
    dueAt: outcome.state === "waiting" ? outcome.dueAtMs : undefined,
    finishedAt: state === "waiting" ? undefined : nowMs,
  });
  return changed === 1;
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

export function listInboxMessages(session: Session, { queue, state, limit }: InboxFilter): readonly InboxMessage[] {
  return session.all("listInboxMessages", { queue, state, limit }).map(inboxMessage);
}

function inboxMessage(row: Row): InboxMessage {
  const optional = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  const time = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
  return {
    id: String(row.id),
    queue: String(row.queue),
    body: row.body instanceof Uint8Array ? row.body : new Uint8Array(),
    priority: Number(row.priority),
    state: row.state as InboxMessage["state"],
    code: optional(row.code) as ErrorCode | undefined,
    progress: optional(row.progress),
    attempts: Number(row.attempts),
    waitingUntilMs: time(row.waitingUntilMs),
    receivedAtMs: Number(row.receivedAtMs),
    finishedAtMs: time(row.finishedAtMs),
  };
}
