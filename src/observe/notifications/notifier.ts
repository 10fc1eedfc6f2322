import type { ErrorCode } from "../../errors/registry.ts";
import { verifyAuditTrail } from "../../store/audit-chain.ts";
import type { Store } from "../../store/store.ts";
import type { Clock } from "../../units/clock.ts";
import type { Logger } from "../../units/logger.ts";
import type { Metrics } from "../../units/metrics.ts";
import type { NoticeEvent, Subscription } from "../../units/notifications.ts";
import { errorFields } from "../error-fields.ts";
import { createOutbox, type Tell } from "./outbox.ts";
import { type SendingChannel, startSender } from "./send-notices.ts";
import { watchJobs } from "./watch-jobs.ts";
import {
  type ArchiveWatch,
  markOf,
  type StagingWatch,
  watchArchives,
  watchIntake,
  watchStaging,
} from "./watch-site.ts";
import { watchStanding } from "./watch-standing.ts";

const LOOK_MS = 1_000;
/** What waits for a person may be counted less often: each count walks over all that waits. */
const SELDOM_MS = 60_000;
const DAY_MS = 86_400_000;
/** What could not be sent for so long nobody waits for any more. */
const KEPT_MS = 7 * DAY_MS;
const SERVICE = "service";
/** Marks of lookers that begin anew where nobody has wanted to know for a while. */
const OF_JOBS = /^(?:jobs$|cohort:)/;

export interface NotifierOptions
  extends Pick<ArchiveWatch, "archives">,
    Pick<StagingWatch, "freeBytes" | "reserveBytes"> {
  readonly channels: readonly (SendingChannel & { readonly subscription: Subscription })[];
  readonly store: Store;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly version: string;
  /** Which gateway this is. */
  readonly node: string;
  /** Where several gateways share the store: how one at a time does what is to be done once. */
  readonly alone?: { keep(what: string, start: () => Promise<AsyncDisposable>): Promise<AsyncDisposable> } | undefined;
}

/** Looks at what happens, keeps what channels are to be told, and sends it. None of it stands in the way of anybody's work. */
export async function startNotifier(options: NotifierOptions): Promise<AsyncDisposable> {
  const { channels, store, clock, logger, version, node, alone } = options;
  const deliveries = channels.map(({ subscription, digestMs }) => ({ ...subscription, digestMs }));
  const tell = createOutbox({ ...options, deliveries });
  const isWanted = (event: NoticeEvent): boolean => deliveries.some(({ events }) => events.includes(event));
  const gather = (): Promise<AsyncDisposable> => startGathering(options, { tell, isWanted });
  const owner = alone === undefined ? undefined : node;
  const service = markOf(SERVICE, owner);
  const marks = await keptMarks(store);
  const ended = marks.get(service);
  const facts = {
    node,
    version,
    ended: ended === undefined ? "none" : ended === "running" ? "unexpected" : "in order",
  };
  const started = { event: "service-started", atMs: clock.nowMs(), facts } as const;
  if (channels.length > 0) await tell([started], [{ name: service, value: "running" }]);

  const stop = new AbortController();
  const watching = watchOwn(options, { owner, tell, marks, stop: stop.signal });
  const gathering = alone === undefined ? await gather() : await alone.keep("notifications", gather);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await watching;
      const stopped = { event: "service-stopped", atMs: clock.nowMs(), facts: { node, version } } as const;
      if (channels.length > 0) {
        await tell([stopped], [{ name: service, value: "stopped" }]).catch((thrown: unknown) =>
          logger.warn("notifications could not be kept", errorFields(thrown)),
        );
      }
      await gathering[Symbol.asyncDispose]();
    },
  };
}

/** What happens to the whole site, and what is sent: one gateway at a time does it. */
async function startGathering(
  options: NotifierOptions,
  { tell, isWanted }: { readonly tell: Tell; readonly isWanted: Watching["isWanted"] },
): Promise<AsyncDisposable> {
  const marks = await keptMarks(options.store);
  await expire(options);
  await tidy(options, tell, { marks, isWanted });
  const stop = new AbortController();
  const watching = watch(options, { tell, marks, isWanted, stop: stop.signal });
  const senders = options.channels.map((channel) => startSender(channel, options));
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await watching;
      await Promise.all(senders.map((sender) => sender[Symbol.asyncDispose]()));
    },
  };
}

async function keptMarks(store: Store): Promise<Map<string, string>> {
  const marks = new Map<string, string>();
  for (const { name, value } of await store.noticeMarks()) if (value !== undefined) marks.set(name, value);
  return marks;
}

interface Watching {
  readonly marks: Map<string, string>;
  readonly isWanted: (event: NoticeEvent) => boolean;
}

/** What a process that died held is due again; what nobody is told of is forgotten. */
async function tidy({ channels, store }: NotifierOptions, tell: Tell, { marks, isWanted }: Watching) {
  await store.releaseNotices();
  const isWatched = isWanted("cohort-done") || isWanted("study-failed") || isWanted("study-quarantined");
  const stale = [...marks.keys()].filter((name) => (OF_JOBS.test(name) ? !isWatched : channels.length === 0));
  await tell(
    [],
    stale.map((name) => ({ name, value: undefined })),
  );
  for (const name of stale) marks.delete(name);
}

/** This gateway's own disk, until it is stopped. */
async function watchOwn(
  options: NotifierOptions,
  { owner, tell, marks, stop }: Pick<StagingWatch, "owner" | "tell" | "marks"> & { readonly stop: AbortSignal },
): Promise<void> {
  const { clock, logger, channels } = options;
  if (channels.length === 0) return;
  while (!stop.aborted) {
    await watchStaging({ ...options, owner, tell, marks }).catch((thrown: unknown) => {
      if (!stop.aborted) logger.warn("notifications could not be gathered", errorFields(thrown));
    });
    await clock.sleep(LOOK_MS, stop).catch(() => undefined);
  }
}

/** Until it is stopped. What fails is looked at again. */
async function watch(
  options: NotifierOptions,
  { tell, marks, isWanted, stop }: Watching & { readonly tell: Tell; readonly stop: AbortSignal },
): Promise<void> {
  const { store, clock, logger, channels } = options;
  if (channels.length === 0) return;
  const parts = { ...options, tell, marks, isWanted, conditionOf: (name: string) => store.archiveCondition(name) };
  const isJobWanted = isWanted("cohort-done") || isWanted("study-failed") || isWanted("study-quarantined");
  let nextSeldomMs = clock.nowMs();
  let nextDailyMs = clock.nowMs();
  while (!stop.aborted) {
    try {
      if (isJobWanted) await watchJobs(parts);
      await watchArchives(parts);
      await watchStanding(parts);
      if (clock.nowMs() >= nextSeldomMs) {
        nextSeldomMs = clock.nowMs() + SELDOM_MS;
        if (isWanted("intake-held")) await watchIntake(parts);
      }
      if (clock.nowMs() >= nextDailyMs) {
        nextDailyMs = clock.nowMs() + DAY_MS;
        if (isWanted("audit-trail-broken")) await verifyTrail(options, tell, stop);
        await expire(options);
      }
    } catch (thrown) {
      if (!stop.aborted) logger.warn("notifications could not be gathered", errorFields(thrown));
    }
    await clock.sleep(LOOK_MS, stop).catch(() => undefined);
  }
}

async function expire({ channels, store, clock, logger }: NotifierOptions): Promise<void> {
  const keep = { channels: channels.map(({ channel }) => channel.name), createdAfterMs: clock.nowMs() - KEPT_MS };
  const expired = await store.expireNotices(keep);
  if (expired > 0) logger.warn("notifications given up", { count: expired });
}

async function verifyTrail({ store, clock }: NotifierOptions, tell: Tell, stop: AbortSignal): Promise<void> {
  const heads = await store.auditHeads();
  const page = async (after: number, limit: number) => {
    stop.throwIfAborted();
    return await store.auditRecords({ after, limit });
  };
  const { count, findings } = await verifyAuditTrail(page, heads, () => store.auditHeads());
  if (findings.length === 0) return;
  const code: ErrorCode = "AUDIT_TRAIL_BROKEN";
  const facts = { records: count, findings: findings.length, code };
  await tell([{ event: "audit-trail-broken", atMs: clock.nowMs(), facts }], []);
}
