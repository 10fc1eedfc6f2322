import { toGatewayError } from "../../errors/gateway-error.ts";
import type { IntakePatience, IntakeStore, QuietStudy } from "../../store/intake.ts";
import type { Clock } from "../../units/clock.ts";
import { startDueLoop } from "../../units/due-loop.ts";
import type { Logger } from "../../units/logger.ts";
import type { Asker } from "./ask-archives.ts";

/** A store that does not answer is asked again after this. */
const STORE_PAUSE_MS = 2_000;
/** Studies that archives are asked of at a time; the others are due again later. */
const MAXIMUM_ASKED = 1_000;

export interface DueQueue extends AsyncDisposable {
  /** Something may be due at another time than before. */
  look(): void;
}

export interface QueueOptions {
  readonly store: Pick<IntakeStore, "nextIntakeDueAtMs" | "queueDueIntake" | "tellIntake">;
  readonly patience: () => IntakePatience;
  /** Asks archives first where a rule names one; absent: none is asked. */
  readonly asker?: Asker;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Makes jobs of studies to which nothing was added for long enough. It sleeps until the first of them is due, however many are open. */
export function queueWhenDue({ store, patience, asker, clock, logger }: QueueOptions): DueQueue {
  const asking = new Map<string, Promise<void>>();
  // More of an open study is due a quiet time from now: what is slept for is mostly due before.
  const look = (): void => loop.look(clock.nowMs() + patience().quietMs);
  const told = (what: string, thrown: unknown): void => logger.error(what, { code: toGatewayError(thrown).code });
  const ask = (study: QuietStudy, signal: AbortSignal): void => {
    if (asker === undefined || asking.has(study.id) || asking.size >= MAXIMUM_ASKED) return;
    const asked = asker
      .learn(study, signal)
      .then((answer) => store.tellIntake(answer, patience(), clock.nowMs()))
      .catch((thrown: unknown) => {
        if (!signal.aborted) told("what a study should hold that was sent to us could not be learnt", thrown);
      })
      .finally(() => {
        asking.delete(study.id);
        look();
      });
    asking.set(study.id, asked);
  };
  const loop = startDueLoop({
    clock,
    pauseMs: STORE_PAUSE_MS,
    async doDue(signal) {
      const { due, toAsk } = await store.queueDueIntake(patience(), clock.nowMs(), asker?.rules());
      for (const study of toAsk) ask(study, signal);
      return due > 0;
    },
    nextDueAtMs: () => store.nextIntakeDueAtMs(),
    onFailure: (thrown) => told("studies that were sent to us could not be queued", thrown),
  });
  return {
    look,
    async [Symbol.asyncDispose]() {
      await loop[Symbol.asyncDispose]();
      await Promise.all(asking.values());
    },
  };
}
