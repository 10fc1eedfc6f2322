import { z } from "zod";
import type { NewNotice, NoticeMark, NoticeStore } from "../../store/notices.ts";
import type { Clock } from "../../units/clock.ts";
import type { Logger } from "../../units/logger.ts";
import type { Metrics } from "../../units/metrics.ts";
import { isFor, NOTICE_EVENT_NAMES, NOTICE_EVENTS, type Notice, type Subscription } from "../../units/notifications.ts";

/** A channel whose other side is away for days holds no more. */
const MOST_WAITING = 5_000;

/** What a channel is for, and how often it is told of what can wait. */
export interface Delivery extends Subscription {
  readonly digestMs: number;
}

const body = z.object({
  event: z.enum(NOTICE_EVENT_NAMES),
  atMs: z.number(),
  project: z.string().optional(),
  facts: z.record(z.string(), z.union([z.string(), z.number()])),
});

interface OutboxParts {
  readonly store: Pick<NoticeStore, "addNotices">;
  readonly deliveries: readonly Delivery[];
  readonly clock: Pick<Clock, "nowMs">;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Writes notices for every channel that wants them, and marks, in one transaction. */
export type Tell = (notices: readonly Notice[], marks: readonly NoticeMark[]) => Promise<void>;

export function createOutbox({ store, deliveries, clock, metrics, logger }: OutboxParts): Tell {
  return async (told, marks) => {
    const nowMs = clock.nowMs();
    const notices = deliveries.flatMap((delivery) =>
      told.filter((notice) => isFor(delivery, notice)).map((notice) => rowOf(delivery, notice, nowMs)),
    );
    if (notices.length === 0 && marks.length === 0) return;
    const dropped = await store.addNotices({ notices, marks, maximumWaiting: MOST_WAITING }, nowMs);
    for (const [channel, count] of dropped) {
      logger.warn("notifications dropped", { channel, count });
      metrics.add("notifications_total", count, { channel, outcome: "dropped" });
    }
  };
}

function rowOf({ channel, digestMs }: Delivery, notice: Notice, nowMs: number): NewNotice {
  const canWait = NOTICE_EVENTS[notice.event].urgency === "digest";
  return { channel, body: JSON.stringify(notice), dueAtMs: canWait ? endOfInterval(nowMs, digestMs) : nowMs };
}

/** Digests of one channel go at the same times, so that all that came since the last one is in the next. */
export function endOfInterval(nowMs: number, intervalMs: number): number {
  return (Math.floor(nowMs / intervalMs) + 1) * intervalMs;
}

/** Undefined: another version wrote it, and it means nothing any more. */
export function noticeOf(text: string): Notice | undefined {
  const { success, data } = body.safeParse(JSON.parse(text));
  if (!success) return undefined;
  const { project, ...rest } = data;
  return { ...rest, ...(project === undefined ? {} : { project }) };
}
