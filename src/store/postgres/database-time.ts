/** How long an answer is relied on before the database is asked for its time again. */
const REFRESH_MS = 30_000;
/** An answer that took longer is not used: when within that time it was given is not known. */
const MAXIMUM_TRIP_MS = 1_000;

/** The database's clock, carried on by this machine's steady one: a step of this machine's clock changes nothing. */
export interface DatabaseTime {
  /** How far the database's clock is ahead of the given time of this machine, in milliseconds. */
  shiftMs(nowMs: number): number;
  /** Asks anew when the last answer is old. Failing leaves the last answer in force. */
  refresh(): void;
}

/**
 * @param ask for the database's time in milliseconds since 1970
 * @param steadyMs a clock that never steps
 * @throws what `ask` throws the first time
 */
export async function followDatabaseTime(ask: () => Promise<number>, steadyMs: () => number): Promise<DatabaseTime> {
  let asking: Promise<unknown> | undefined;
  let last = { atMs: 0, databaseMs: 0 };

  async function measure(maximumTripMs: number): Promise<void> {
    const beforeMs = steadyMs();
    const databaseMs = await ask();
    const tripMs = steadyMs() - beforeMs;
    if (tripMs <= maximumTripMs) last = { atMs: beforeMs + tripMs / 2, databaseMs };
  }

  await measure(Number.POSITIVE_INFINITY);
  return {
    shiftMs: (nowMs) => Math.round(last.databaseMs + (steadyMs() - last.atMs) - nowMs),
    refresh() {
      if (asking !== undefined || steadyMs() - last.atMs < REFRESH_MS) return;
      const done = (): void => {
        asking = undefined;
      };
      asking = measure(MAXIMUM_TRIP_MS).then(done, done);
    },
  };
}
