import { toGatewayError } from "../../errors/gateway-error.ts";
import type { ClaimedNotices, NoticeStore } from "../../store/notices.ts";
import { abortAfter } from "../../units/abort.ts";
import type { Clock } from "../../units/clock.ts";
import type { Logger } from "../../units/logger.ts";
import type { Metrics } from "../../units/metrics.ts";
import type { Channel } from "../../units/notifications.ts";
import { errorFields } from "../error-fields.ts";
import { composeMessage, type NumberedNotice } from "./compose-message.ts";
import { endOfInterval, noticeOf } from "./outbox.ts";
import type { Templates } from "./usual-templates.ts";

/** How often a channel's queue is looked at. */
const LOOK_MS = 1_000;
const SEND_MS = 60_000;
/** Longer than a message takes. */
const LEASE_MS = 300_000;
const MOST_AT_ONCE = 5_000;
/** Messages in an interval of digests; what comes then waits for the next. */
const MOST_MESSAGES = 20;
const FIRST_REST_MS = 5_000;
const LONGEST_REST_MS = 900_000;
const MOST_DOUBLINGS = 20;
/** The last try when the service stops. */
const FAREWELL_MS = 5_000;

export interface SendingChannel {
  readonly channel: Channel;
  readonly templates: Templates;
  readonly digestMs: number;
}

interface SenderParts {
  readonly store: Pick<NoticeStore, "claimNotices" | "forgetNotices" | "postponeNotices">;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Sends what is due over one channel, by itself: a channel that hangs holds nobody else. Disposing tries once more. */
export function startSender(sending: SendingChannel, parts: SenderParts): AsyncDisposable {
  const { clock, logger } = parts;
  const stop = new AbortController();
  const sender = createSender(sending, parts);
  const attempt = async (signal: AbortSignal): Promise<void> => {
    await sender.sendDue(signal).catch((thrown: unknown) => {
      logger.warn("notifications could not be looked at", errorFields(thrown));
    });
  };
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await attempt(stop.signal);
      await clock.sleep(LOOK_MS, stop.signal).catch(() => undefined);
    }
  };
  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      using limited = abortAfter(FAREWELL_MS);
      await attempt(limited);
    },
  };
}

/** One look at a channel's queue. */
export interface Sender {
  /** Sends what is due in one message. @throws GatewayError STORE_… */
  sendDue(signal: AbortSignal): Promise<void>;
}

export function createSender({ channel, templates, digestMs }: SendingChannel, parts: SenderParts): Sender {
  const { store, clock, metrics, logger } = parts;
  const { name } = channel;
  let failures = 0;
  let restUntilMs = 0;
  let interval = { endsAtMs: 0, messages: 0 };

  /** @returns whether one more may go out in this interval */
  const mayTell = (nowMs: number): boolean => {
    if (nowMs >= interval.endsAtMs) interval = { endsAtMs: endOfInterval(nowMs, digestMs), messages: 0 };
    return interval.messages < MOST_MESSAGES;
  };
  async function send({ notices: kept, dropped }: ClaimedNotices, signal: AbortSignal): Promise<void> {
    const ids = kept.map(({ id }) => id);
    const [first, ...others] = kept.flatMap(({ id, body }): readonly NumberedNotice[] => {
      const notice = noticeOf(body);
      return notice === undefined ? [] : [{ ...notice, id }];
    });
    if (first !== undefined) {
      const message = composeMessage(templates, [first, ...others], { dropped, nowMs: clock.nowMs() });
      using limited = abortAfter(SEND_MS, signal);
      await channel.send(message, limited);
    }
    await store.forgetNotices(name, { ids, dropped });
  }
  return {
    async sendDue(signal) {
      const nowMs = clock.nowMs();
      if (nowMs < restUntilMs) return;
      const claimed = await store.claimNotices(name, { leaseMs: LEASE_MS, limit: MOST_AT_ONCE }, nowMs);
      if (claimed.notices.length === 0) return;
      const ids = claimed.notices.map(({ id }) => id);
      if (!mayTell(nowMs)) return await store.postponeNotices(ids, interval.endsAtMs);
      try {
        await send(claimed, signal);
        failures = 0;
        interval.messages += 1;
        metrics.add("notifications_total", 1, { channel: name, outcome: "sent" });
      } catch (thrown) {
        const error = toGatewayError(thrown);
        // Who stops has not been refused: what was under way is sent with the last try.
        if (signal.aborted) return await store.postponeNotices(ids, nowMs);
        const restMs = Math.min(FIRST_REST_MS * 2 ** Math.min(failures, MOST_DOUBLINGS), LONGEST_REST_MS);
        const asked = typeof error.details.retryAfterMs === "number" ? error.details.retryAfterMs : 0;
        restUntilMs = clock.nowMs() + Math.max(restMs, Math.min(asked, LONGEST_REST_MS));
        failures += 1;
        await store.postponeNotices(ids, nowMs);
        metrics.add("notifications_total", 1, { channel: name, outcome: error.class });
        logger.warn("notification could not be sent", { channel: name, attempts: failures, ...errorFields(thrown) });
      }
    },
  };
}
