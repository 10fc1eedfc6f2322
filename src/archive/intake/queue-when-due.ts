import { toGatewayError } from "../../errors/gateway-error.ts";
import type { IntakePatience, IntakeStore } from "../../store/intake.ts";
import type { Clock } from "../../units/clock.ts";
import type { Logger } from "../../units/logger.ts";

/** A store that does not answer is asked again after this. */
const STORE_PAUSE_MS = 2_000;

export interface DueQueue extends AsyncDisposable {
  /** Something is due at another time than before. */
  look(): void;
}

/** Makes jobs of studies to which nothing was added for long enough. It sleeps until the first of them is due, however many are open. */
export function queueWhenDue({
  store,
  patience,
  clock,
  logger,
}: {
  readonly store: Pick<IntakeStore, "nextIntakeDueAtMs" | "queueDueIntake">;
  readonly patience: IntakePatience;
  readonly clock: Clock;
  readonly logger: Logger;
}): DueQueue {
  const stop = new AbortController();
  let wakeAtMs: number | undefined;
  let woken = Promise.withResolvers<void>();

  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        woken = Promise.withResolvers();
        wakeAtMs = undefined;
        const queued = await store.queueDueIntake(patience, clock.nowMs());
        if (queued > 0) continue;
        wakeAtMs = await store.nextIntakeDueAtMs();
        await Promise.race([woken.promise, sleepUntil(wakeAtMs)]);
      } catch (thrown) {
        if (stop.signal.aborted) return;
        logger.error("studies that were sent to us could not be queued", { code: toGatewayError(thrown).code });
        await clock.sleep(STORE_PAUSE_MS, stop.signal).catch(() => undefined);
      }
    }
  };
  const sleepUntil = async (dueAtMs: number | undefined): Promise<void> => {
    if (dueAtMs === undefined) return await new Promise(() => {});
    await clock.sleep(Math.max(dueAtMs - clock.nowMs(), 0), stop.signal);
  };
  const running = loop();
  return {
    look() {
      // More of an open study is due later than what is slept for: only the first to be open wakes it.
      if (wakeAtMs === undefined) woken.resolve();
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      woken.resolve();
      await running;
    },
  };
}
