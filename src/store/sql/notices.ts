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

export async function addNotices(
  session: Session,
  { notices, marks, maximumWaiting }: NoticeBatch,
  nowMs: number,
): Promise<ReadonlyMap<string, number>> {
  const room = new Map<string, number>();
  const dropped = new Map<string, number>();
  for (const notice of notices) {
    const { channel } = notice;
    const left = room.get(channel) ?? maximumWaiting - (await waitingOf(session, channel, maximumWaiting));
    room.set(channel, left - 1);
    if (left > 0) await session.run("insertNotice", { ...notice, id: newNoticeId(), nowMs });
    else {
      await changeDropped(session, channel, 1);
      dropped.set(channel, (dropped.get(channel) ?? 0) + 1);
    }
  }
  for (const mark of marks) await setMark(session, mark);
  return dropped;
}

async function waitingOf(session: Session, channel: string, limit: number): Promise<number> {
  return Number((await session.get("waitingNotices", { channel, limit }))?.waiting ?? 0);
}

async function setMark(session: Session, { name, value }: NoticeMark): Promise<void> {
  if (value === undefined) await session.run("forgetNoticeMark", { name });
  else await session.run("setNoticeMark", { name, value });
}

async function droppedOf(session: Session, channel: string): Promise<number> {
  return Number((await session.get("noticeMark", { name: DROPPED + channel }))?.value ?? 0);
}

async function changeDropped(session: Session, channel: string, by: number): Promise<void> {
  const dropped = (await droppedOf(session, channel)) + by;
  await setMark(session, { name: DROPPED + channel, value: dropped > 0 ? String(dropped) : undefined });
}

export async function noticeMarks(session: Session): Promise<readonly NoticeMark[]> {
  const marks = (await session.all("noticeMarks")).map(noticeMark);
  return marks.filter(({ name }) => !name.startsWith(DROPPED));
}

export async function claimNotices(
  session: Session,
  channel: string,
  { leaseMs, limit }: Parameters<NoticeStore["claimNotices"]>[1],
  nowMs: number,
): Promise<ClaimedNotices> {
  const claimed = (await session.all("claimNotices", { channel, limit, leaseUntil: nowMs + leaseMs, nowMs })).map(
    keptNotice,
  );
  const notices = claimed.sort((one, other) => one.number - other.number).map(({ number: _, ...notice }) => notice);
  return { notices, dropped: notices.length === 0 ? 0 : await droppedOf(session, channel) };
}

export async function forgetNotices(
  session: Session,
  channel: string,
  { ids, dropped }: Parameters<NoticeStore["forgetNotices"]>[1],
): Promise<void> {
  for (const id of ids) await session.run("forgetNotice", { id });
  if (dropped > 0) await changeDropped(session, channel, -dropped);
}

export async function postponeNotices(session: Session, ids: readonly string[], dueAtMs: number): Promise<void> {
  for (const id of ids) await session.run("postponeNotice", { id, dueAtMs });
}

export async function releaseNotices(session: Session): Promise<number> {
  return await session.run("releaseNotices");
}

export async function expireNotices(
  session: Session,
  { channels, createdAfterMs }: Parameters<NoticeStore["expireNotices"]>[0],
): Promise<number> {
  let expired = await session.run("forgetOldNotices", { beforeMs: createdAfterMs });
  for (const row of await session.all("noticeChannels")) {
    const channel = String(row.channel);
    if (!channels.includes(channel)) expired += await session.run("forgetNoticesOfChannel", { channel });
  }
  return expired;
}

export async function noticeQueues(session: Session): Promise<readonly NoticeQueue[]> {
  return (await session.all("noticeQueues")).map(noticeQueue);
}
