import type { ClaimedNotices, KeptNotice, NoticeBatch, NoticeMark, NoticeQueue, NoticeStore } from "../notices.ts";
import { integer, recordReader, text } from "./columns.ts";
import { newNoticeId } from "./names.ts";
import type { Session } from "./session.ts";

/** How many a channel was not given; a mark as others are, that no looker has. */
const DROPPED = "dropped:";

const keptNotice = recordReader<KeptNotice & { readonly number: number }>({
  number: integer,
  id: text,
  channel: text,
  body: text,
});
const noticeMark = recordReader<{ readonly name: string; readonly value: string }>({ name: text, value: text });
const noticeQueue = recordReader<NoticeQueue>({ channel: text, waiting: integer, oldestAtMs: integer });

export function addNotices(
  session: Session,
  { notices, marks, maximumWaiting }: NoticeBatch,
  nowMs: number,
): ReadonlyMap<string, number> {
  const room = new Map<string, number>();
  const dropped = new Map<string, number>();
  for (const notice of notices) {
    const { channel } = notice;
    const left = room.get(channel) ?? maximumWaiting - waitingOf(session, channel, maximumWaiting);
    room.set(channel, left - 1);
    if (left > 0) session.run("insertNotice", { ...notice, id: newNoticeId(), nowMs });
    else {
      changeDropped(session, channel, 1);
      dropped.set(channel, (dropped.get(channel) ?? 0) + 1);
    }
  }
  for (const mark of marks) setMark(session, mark);
  return dropped;
}

function waitingOf(session: Session, channel: string, limit: number): number {
  return Number(session.get("waitingNotices", { channel, limit })?.waiting ?? 0);
}

function setMark(session: Session, { name, value }: NoticeMark): void {
  if (value === undefined) session.run("forgetNoticeMark", { name });
  else session.run("setNoticeMark", { name, value });
}

function droppedOf(session: Session, channel: string): number {
  return Number(session.get("noticeMark", { name: DROPPED + channel })?.value ?? 0);
}

function changeDropped(session: Session, channel: string, by: number): void {
  const dropped = droppedOf(session, channel) + by;
  setMark(session, { name: DROPPED + channel, value: dropped > 0 ? String(dropped) : undefined });
}

export function noticeMarks(session: Session): readonly NoticeMark[] {
  const marks = session.all("noticeMarks").map(noticeMark);
  return marks.filter(({ name }) => !name.startsWith(DROPPED));
}

export function claimNotices(
  session: Session,
  channel: string,
  { leaseMs, limit }: Parameters<NoticeStore["claimNotices"]>[1],
  nowMs: number,
): ClaimedNotices {
  const claimed = session.all("claimNotices", { channel, limit, leaseUntil: nowMs + leaseMs, nowMs }).map(keptNotice);
  const notices = claimed.sort((one, other) => one.number - other.number).map(({ number: _, ...notice }) => notice);
  return { notices, dropped: notices.length === 0 ? 0 : droppedOf(session, channel) };
}

export function forgetNotices(
  session: Session,
  channel: string,
  { ids, dropped }: Parameters<NoticeStore["forgetNotices"]>[1],
): void {
  for (const id of ids) session.run("forgetNotice", { id });
  if (dropped > 0) changeDropped(session, channel, -dropped);
}

export function postponeNotices(session: Session, ids: readonly string[], dueAtMs: number): void {
  for (const id of ids) session.run("postponeNotice", { id, dueAtMs });
}

export function releaseNotices(session: Session): number {
  return session.run("releaseNotices");
}

export function expireNotices(
  session: Session,
  { channels, createdAfterMs }: Parameters<NoticeStore["expireNotices"]>[0],
): number {
  let expired = session.run("forgetOldNotices", { beforeMs: createdAfterMs });
  for (const row of session.all("noticeChannels")) {
    const channel = String(row.channel);
    if (!channels.includes(channel)) expired += session.run("forgetNoticesOfChannel", { channel });
  }
  return expired;
}

export function noticeQueues(session: Session): readonly NoticeQueue[] {
  return session.all("noticeQueues").map(noticeQueue);
}
