import { GatewayError } from "../errors/gateway-error.ts";
import { abortAfter, neverAborted } from "../units/abort.ts";
import type { OperationsContext } from "./context.ts";
import { isoTime } from "./describe.ts";

/** A message that is tried out is waited for so long. */
const TEST_MS = 30_000;

/** What people can ask of the channels over which they are told what happens: part of `Operations`. */
export interface NotificationOperations {
  listChannels(): Promise<readonly ChannelDocument[]>;
  /** Sends a test message now. @throws GatewayError NOTIFICATION_CHANNEL_UNKNOWN, SMTP_…, HTTP_…, TIMED_OUT */
  testChannel(name: string, options?: ChannelTestOptions): Promise<ChannelTestDocument>;
}

export interface ChannelTestOptions {
  /** Nothing is sent. */
  readonly isRehearsal?: boolean;
  readonly signal?: AbortSignal;
}

export interface ChannelDocument {
  readonly name: string;
  readonly kind: "mail" | "webhook";
  readonly events: readonly string[];
  /** Null: every project. */
  readonly projects: readonly string[] | null;
  /** Notices that are to be told over it, those of the next digest among them. */
  readonly waiting: number;
  /** Since when the oldest of them waits. */
  readonly waitingSince?: string;
}

export interface ChannelTestDocument {
  readonly channel: string;
  readonly ok: true;
  readonly milliseconds: number;
}

export async function listChannels({ notifications, store }: OperationsContext): Promise<readonly ChannelDocument[]> {
  const queues = new Map((await store.noticeQueues()).map((queue) => [queue.channel, queue]));
  return [...notifications.values()].map(({ name, kind, events, projects }) => {
    const queue = queues.get(name);
    return {
      name,
      kind,
      events,
      projects: projects ?? null,
      waiting: queue?.waiting ?? 0,
      ...(queue === undefined ? {} : { waitingSince: isoTime(queue.oldestAtMs) }),
    };
  });
}

export async function testChannel(
  { notifications, audit, actor, clock }: OperationsContext,
  name: string,
  { isRehearsal = false, signal = neverAborted() }: ChannelTestOptions = {},
): Promise<ChannelTestDocument> {
  const facts = notifications.get(name);
  if (facts === undefined) throw new GatewayError("NOTIFICATION_CHANNEL_UNKNOWN");
  await audit.record({ event: "notification-tested", actor, outcome: "success", detail: { channel: name } });
  const startedAtMs = clock.nowMs();
  using limited = abortAfter(TEST_MS, signal);
  if (!isRehearsal) await facts.test(limited);
  return { channel: name, ok: true, milliseconds: clock.nowMs() - startedAtMs };
}
