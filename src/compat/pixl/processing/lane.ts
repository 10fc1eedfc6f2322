import { toGatewayError } from "../../../errors/gateway-error.ts";
import type { ClaimedInboxMessage, InboxStore } from "../../../store/inbox.ts";
import { createSemaphore } from "../../../units/semaphore.ts";
import type { ImagingQueue } from "../intake/queues.ts";
import type { TokenBuckets } from "../intake/token-buckets.ts";
import { LEASE_MS, type WorkOptions, workOff } from "./work-off.ts";

export interface LaneOptions extends WorkOptions {
  readonly store: InboxStore;
  readonly buckets: Pick<TokenBuckets, "rate" | "take">;
  readonly onSettled: (queue: ImagingQueue) => void;
}

/** Works off the stored messages of one queue. */
export interface Lane {
  /** Something may be due. */
  wake(): void;
  /** Messages that are worked on. */
  running(): number;
  /** It ended though nobody told it to. */
  isDead(): boolean;
  /** Claims nothing more; what runs may come to its end within the time, then it is given back. */
  drain(graceMs: number): Promise<void>;
}

/** A store that does not answer is asked again after this. */
const STORE_PAUSE_MS = 1_000;

export function startLane(queue: ImagingQueue, options: LaneOptions): Lane {
  const { clock, logger, settings } = options.processing;
  const places = createSemaphore(settings.maximumInFlight);
  const idle = new AbortController();
  const stop = new AbortController();
  const running = new Set<Promise<void>>();
  const claims = createClaims(queue, options);
  let isDead = false;

  const begin = (claimed: ClaimedInboxMessage, place: Disposable): void => {
    const work = workOff(queue, claimed, options, stop.signal)
      .catch((thrown: unknown) => {
        const { code } = toGatewayError(thrown);
        logger.error("message could not be settled", { queue, job: claimed.message.id, code });
      })
      .finally(() => {
        place[Symbol.dispose]();
        running.delete(work);
        claims.wake();
        options.onSettled(queue);
      });
    running.add(work);
  };
  const run = async (): Promise<void> => {
    while (!idle.signal.aborted) {
      using place = new DisposableStack();
      try {
        place.use(await places.acquire(idle.signal));
        begin(await claims.next(idle.signal), place.move());
      } catch (thrown) {
        if (idle.signal.aborted) return;
        logger.error("messages could not be claimed", { queue, code: toGatewayError(thrown).code });
        await clock.sleep(STORE_PAUSE_MS, idle.signal).catch(() => undefined);
      }
    }
  };
  const ended = run().catch(() => {
    isDead = true;
  });
  return {
    wake: claims.wake,
    running: () => running.size,
    isDead: () => isDead,
    async drain(graceMs) {
      idle.abort();
      await ended;
      const over = new AbortController();
      const grace = clock.sleep(graceMs, over.signal).then(() => stop.abort(), noLongerNeeded);
      await Promise.all(running);
      over.abort();
      await grace;
    },
  };
}

function noLongerNeeded(): void {}

interface Claims {
  /** The next message, as soon as one is due and there is a token for it. Rejects with the signal's reason. */
  next(signal: AbortSignal): Promise<ClaimedInboxMessage>;
  wake(): void;
}

/** Waiting messages are looked for again after so long, whoever forgot to wake. */
const LOOK_AGAIN_MS = 5_000;

function createClaims(queue: ImagingQueue, { store, buckets, processing }: LaneOptions): Claims {
  const { clock } = processing;
  let bell = new AbortController();
  let hasToken = false;
  const waitMs = async (): Promise<number> => {
    const dueAtMs = (await store.nextInboxDueAtMs(queue)) ?? Number.POSITIVE_INFINITY;
    return Math.min(Math.max(dueAtMs - clock.nowMs(), 0), LOOK_AGAIN_MS);
  };
  return {
    wake: () => bell.abort(),
    async next(signal) {
      for (;;) {
        signal.throwIfAborted();
        bell = new AbortController();
        const restMs = await waitMs();
        if (restMs > 0) {
          await clock.sleep(restMs, AbortSignal.any([signal, bell.signal])).catch(() => undefined);
          continue;
        }
        // A token that found nothing to do is kept, but not over a pause.
        if (!hasToken || buckets.rate === 0) await buckets.take(queue, signal);
        hasToken = true;
        const claimed = await store.claimInboxMessage(queue, LEASE_MS, clock.nowMs());
        if (claimed === undefined) continue;
        hasToken = false;
        return claimed;
      }
    },
  };
}
