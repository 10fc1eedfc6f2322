/** How long one instance, or a search, may take, on whichever thread. */
export interface TimeLimits {
  /** Without its size, which is allowed besides, at 5 MB/s. */
  readonly workTimeoutMs: number;
  /** From the end of the signal to the end of the wait for work that does not give way. */
  readonly abortTimeoutMs: number;
}

export const TIME_LIMITS: TimeLimits = { workTimeoutMs: 120_000, abortTimeoutMs: 2_000 };

const SLOWEST_BYTES_PER_MS = 5_000;

export function allowedMs(sizeBytes: number, { workTimeoutMs }: Pick<TimeLimits, "workTimeoutMs">): number {
  return workTimeoutMs + sizeBytes / SLOWEST_BYTES_PER_MS;
}

/**
 * Waits for work as long as it may take. Work that takes longer is told to stop by its signal, and not waited for: what it comes to is nobody's.
 * @throws the signal's reason; what the work throws
 */
export async function withinTime<T>(
  work: (stop: AbortSignal) => Promise<T>,
  {
    timeoutMs,
    abortTimeoutMs,
    signal,
  }: Omit<TimeLimits, "workTimeoutMs"> & {
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  },
): Promise<T | "timed-out"> {
  signal.throwIfAborted();
  const stop = new AbortController();
  const { promise: overdue, resolve } = Promise.withResolvers<"timed-out">();
  const giveUp = (): void => {
    stop.abort();
    resolve("timed-out");
  };
  let timer = setTimeout(giveUp, timeoutMs);
  const onAbort = (): void => {
    stop.abort(signal.reason);
    clearTimeout(timer);
    timer = setTimeout(giveUp, abortTimeoutMs);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const working = work(stop.signal);
    working.catch(() => undefined);
    const end = await Promise.race([working, overdue]);
    if (end === "timed-out") signal.throwIfAborted();
    return end;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
