import type { Clock } from "./clock.ts";

export interface DueLoop extends AsyncDisposable {
  /** Something may be due by then, at once by default; nothing happens when it would look before that anyway. */
  look(byMs?: number): void;
}

export interface DueWork {
  readonly clock: Clock;
  /** Does what is due; false: nothing was. */
  readonly doDue: (signal: AbortSignal) => Promise<boolean>;
  /** Undefined: nothing waits. */
  readonly nextDueAtMs: () => Promise<number | undefined>;
  /** It could not be asked for or done; it is tried again after a pause. */
  readonly onFailure: (thrown: unknown) => void;
  readonly pauseMs: number;
}

/** Does what is due until it is disposed. It sleeps until the next is due, however much waits, or until somebody has it look. */
export function startDueLoop({ clock, doDue, nextDueAtMs, onFailure, pauseMs }: DueWork): DueLoop {
  const stop = new AbortController();
  let wakeAtMs: number | undefined;
  let woken = Promise.withResolvers<void>();
  const sleepUntil = async (dueAtMs: number | undefined, signal: AbortSignal): Promise<void> => {
    if (dueAtMs === undefined) return await new Promise(() => {});
    await clock.sleep(Math.max(dueAtMs - clock.nowMs(), 0), signal).catch(() => undefined);
  };
  const round = async (): Promise<void> => {
    woken = Promise.withResolvers();
    wakeAtMs = undefined;
    if (await doDue(stop.signal)) return;
    wakeAtMs = await nextDueAtMs();
    const nap = new AbortController();
    await Promise.race([woken.promise, sleepUntil(wakeAtMs, nap.signal)]).finally(() => nap.abort());
  };
  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted)
      await round().catch(async (thrown: unknown) => {
        if (!stop.signal.aborted) onFailure(thrown);
        await clock.sleep(pauseMs, stop.signal).catch(() => undefined);
      });
  };
  const running = loop();
  return {
    look(byMs = Number.NEGATIVE_INFINITY) {
      if (wakeAtMs === undefined || wakeAtMs > byMs) woken.resolve();
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      woken.resolve();
      await running;
    },
  };
}
