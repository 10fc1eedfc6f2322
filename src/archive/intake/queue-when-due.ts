import { toGatewayError } from "../../errors/gateway-error.ts";
import type { IntakePatience, IntakeStore, QuietStudy } from "../../store/intake.ts";
import type { Clock } from "../../units/clock.ts";
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
  const stop = new AbortController();
  const asking = new Map<string, Promise<void>>();
  let wakeAtMs: number | undefined;
  let woken = Promise.withResolvers<void>();

  const look = (): void => {
    // More of an open study is due a quiet time from now: what is slept for is mostly due before.
    if (wakeAtMs === undefined || wakeAtMs > clock.nowMs() + patience().quietMs) woken.resolve();
  };
  const told = (what: string, thrown: unknown): void => {
    if (!stop.signal.aborted) logger.error(what, { code: toGatewayError(thrown).code });
  };
  const ask = (study: QuietStudy): void => {
    if (asker === undefined || asking.has(study.id) || asking.size >= MAXIMUM_ASKED) return;
    const asked = asker
      .learn(study, stop.signal)
      .then((answer) => store.tellIntake(answer, patience(), clock.nowMs()))
      .catch((thrown: unknown) => told("what a study should hold that was sent to us could not be learnt", thrown))
      .finally(() => {
        asking.delete(study.id);
        look();
      });
    asking.set(study.id, asked);
  };
  const round = async (): Promise<void> => {
    woken = Promise.withResolvers();
    wakeAtMs = undefined;
    const { due, toAsk } = await store.queueDueIntake(patience(), clock.nowMs(), asker?.rules());
    for (const study of toAsk) ask(study);
    if (due > 0) return;
    wakeAtMs = await store.nextIntakeDueAtMs();
    const nap = new AbortController();
    await Promise.race([woken.promise, sleepUntil(wakeAtMs, nap.signal)]).finally(() => nap.abort());
  };
  const sleepUntil = async (dueAtMs: number | undefined, signal: AbortSignal): Promise<void> => {
    if (dueAtMs === undefined) return await new Promise(() => {});
    await clock.sleep(Math.max(dueAtMs - clock.nowMs(), 0), signal).catch(() => undefined);
  };
  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted)
      await round().catch(async (thrown: unknown) => {
        told("studies that were sent to us could not be queued", thrown);
        await clock.sleep(STORE_PAUSE_MS, stop.signal).catch(() => undefined);
      });
  };
  const running = loop();
  return {
    look,
    async [Symbol.asyncDispose]() {
      stop.abort();
      woken.resolve();
      await running;
      await Promise.all(asking.values());
    },
  };
}
