import { toGatewayError } from "../../../errors/gateway-error.ts";
import type { InboxStore } from "../../../store/inbox.ts";
import type { Clock } from "../../../units/clock.ts";
import type { Logger } from "../../../units/logger.ts";
import { IMAGING_QUEUES } from "../intake/queues.ts";
import { type FinishedMessages, forgetWithdrawn, type WithdrawnPatients } from "./forget-withdrawn.ts";

const DAY_MS = 86_400_000;
/** Finished messages hold identifiers: they are kept as long as somebody may ask what became of one. */
const KEEP = { ageMs: 30 * DAY_MS, number: 100_000 } as const;
const EVERY_MS = 3_600_000;
/** Batches of a sweep; the rest is left to the next one. */
const MAXIMUM_BATCHES = 1_000;

export interface ForgetOptions {
  readonly store: Pick<InboxStore, "forgetInboxMessages"> & FinishedMessages;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly withdrawn?: WithdrawnPatients | undefined;
}

/** Deletes finished messages that are too old or too many, and those of patients who were withdrawn, now and every hour. */
export function forgetFinished({ store, clock, logger, withdrawn }: ForgetOptions): AsyncDisposable {
  const stop = new AbortController();
  const sweep = async (queue: string): Promise<void> => {
    const retention = { queue, finishedBeforeMs: clock.nowMs() - KEEP.ageMs, maximumKept: KEEP.number };
    for (let batch = 0; batch < MAXIMUM_BATCHES && !stop.signal.aborted; batch += 1) {
      if ((await store.forgetInboxMessages(retention)) === 0) return;
    }
  };
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        for (const queue of IMAGING_QUEUES) await sweep(queue);
        if (withdrawn !== undefined) await forgetWithdrawn(store, withdrawn, stop.signal);
      } catch (thrown) {
        logger.error("finished messages could not be forgotten", { code: toGatewayError(thrown).code });
      }
      await clock.sleep(EVERY_MS, stop.signal).catch(() => undefined);
    }
  };
  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}
