import { GatewayError } from "../errors/gateway-error.ts";
import { LONGEST_TIMER_MS } from "./clock.ts";

const NEVER = new AbortController().signal;

/** A signal that never aborts, for callers that have none. */
export function neverAborted(): AbortSignal {
  return NEVER;
}

/** The signal, or the time: whichever comes first. The reason is the signal's own, or `TIMED_OUT`. */
export function abortAfter(durationMs: number, signal?: AbortSignal): AbortSignal & Disposable {
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new GatewayError("TIMED_OUT", { timeoutMs: durationMs })),
    Math.min(durationMs, LONGEST_TIMER_MS),
  );
  const forward = (): void => controller.abort(signal?.reason);
  if (signal?.aborted) forward();
  signal?.addEventListener("abort", forward, { once: true });
  return Object.assign(controller.signal, {
    [Symbol.dispose]() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", forward);
    },
  });
}

/** What others wait for too, as long as the signal lets us: who leaves leaves it to them. @throws the reason of the signal */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await promise;
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
