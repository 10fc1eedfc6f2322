import { GatewayError } from "../../errors/gateway-error.ts";
import type { Clock } from "../../units/clock.ts";

/** How often the watch looks. */
const LOOK_MS = 1_000;

export interface SilenceWatch extends AsyncDisposable {
  /** Aborted with TIMED_OUT at a limit, or with the outer signal. */
  readonly signal: AbortSignal;
}

/** The longest time that a retrieval may go without either; each with its moment of last having it. */
export interface Patience {
  /** A sign of life: an answer, or bytes. */
  readonly silence: { readonly limitMs: number; readonly lastMs: () => number };
  /** Anything that brings it nearer to its end: an answer with other counts, or bytes. */
  readonly standstill: { readonly limitMs: number; readonly lastMs: () => number };
  /** An instance of its own: an archive may forget one retrieval while it is at work on others. */
  readonly neglect: { readonly limitMs: number; readonly lastMs: () => number };
}

/**
 * Many archives answer a C-MOVE once, at its end, while their instances come over other associations: silence on the one that asked
 * proves nothing. A retrieval is dead only when nothing moves anywhere. One that is answered again and again, and gets nowhere, has longer:
 * the archive may be fetching from tape. One that others are served before has the longest, and not for ever either.
 */
export function watchSilence(clock: Clock, patience: Patience, outer: AbortSignal): SilenceWatch {
  const silent = new AbortController();
  const done = new AbortController();
  const startedAtMs = clock.nowMs();
  const stop = AbortSignal.any([outer, done.signal]);
  const loop = async (): Promise<void> => {
    while (!stop.aborted) {
      await clock.sleep(LOOK_MS, stop).catch(() => undefined);
      const exceeded = [patience.silence, patience.standstill, patience.neglect].find(
        ({ limitMs, lastMs }) => clock.nowMs() - Math.max(lastMs(), startedAtMs) >= limitMs,
      );
      if (exceeded !== undefined) return silent.abort(new GatewayError("TIMED_OUT", { timeoutMs: exceeded.limitMs }));
    }
  };
  const watching = loop();
  return {
    signal: AbortSignal.any([outer, silent.signal]),
    async [Symbol.asyncDispose]() {
      done.abort();
      await watching;
    },
  };
}

export interface SilenceLimit extends Disposable {
  /** Aborted with TIMED_OUT after `timeoutMs` without a touch, after `longestMs` however often it was touched, or with the outer signal. */
  readonly signal: AbortSignal;
  touch(): void;
}

/** For what is answered over the association it is asked over: without a look now and then, as questions are many and short. */
export function limitSilence(
  { timeoutMs, longestMs }: { readonly timeoutMs: number; readonly longestMs: number },
  outer: AbortSignal,
): SilenceLimit {
  const silent = new AbortController();
  const endAfter = (ms: number) => setTimeout(() => silent.abort(new GatewayError("TIMED_OUT", { timeoutMs: ms })), ms);
  const [silence, whole] = [endAfter(timeoutMs), endAfter(longestMs)];
  return {
    signal: AbortSignal.any([outer, silent.signal]),
    touch: () => void silence.refresh(),
    [Symbol.dispose]() {
      clearTimeout(silence);
      clearTimeout(whole);
    },
  };
}
