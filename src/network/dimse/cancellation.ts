import { GatewayError } from "../../errors/gateway-error.ts";

/** The signal's own reason when it has a code, else `CANCELLED`. */
export function cancellation(signal: AbortSignal): GatewayError {
  return signal.reason instanceof GatewayError ? signal.reason : new GatewayError("CANCELLED", {}, signal.reason);
}

/** @throws GatewayError when the signal is aborted already. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancellation(signal);
}

/** Calls back once when the signal is aborted, at once if it is already; disposing forgets it. */
export function onCancelled(signal: AbortSignal | undefined, listener: (error: GatewayError) => void): Disposable {
  const onAbort = (): void => {
    if (signal !== undefined) listener(cancellation(signal));
  };
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  return { [Symbol.dispose]: () => signal?.removeEventListener("abort", onAbort) };
}
