import type { SharedPermit, SharedPermits } from "../../store/shared-permits.ts";
import type { Clock } from "../../units/clock.ts";
import { createSemaphore } from "../../units/semaphore.ts";

/** An archive's associations: of so many at once, those that are ours. */
export interface Associations extends AsyncDisposable {
  /** Leave for one more. Rejects with the signal's reason when it is aborted while waiting. */
  acquire(signal: AbortSignal): Promise<Disposable>;
}

/** Where nobody else asks the archive in our name. */
export function createOwnAssociations(limit: number): Associations {
  const semaphore = createSemaphore(limit);
  return { acquire: (signal) => semaphore.acquire(signal), async [Symbol.asyncDispose]() {} };
}

/** A study asks its archive several times in a row. */
const KEEP_UNUSED_MS = 250;
/** Then another node may have it, though there is work here too: */
const KEEP_AT_MOST_MS = 10_000;
/** who looks for one has looked by then; no longer, by however much the clock was set back. */
const LET_OTHERS_MS = 500;

interface Slot {
  readonly permit: SharedPermit;
  readonly sinceMs: number;
}

interface Waiter {
  readonly take: (slot: Slot) => void;
}

/**
 * Where several nodes ask the archive: each association stands on a permit of the store. One that is not used is kept for a moment, so that
 * a study's questions need one permit, and is given back before long, so that no node keeps the archive from the others.
 */
export function createSharedAssociations(
  { permits, clock }: { readonly permits: SharedPermits; readonly clock: Clock },
  { resource, limit }: { readonly resource: string; readonly limit: number },
): Associations {
  const stop = new AbortController();
  const semaphore = createSemaphore(limit);
  const unused = new Set<Slot>();
  const waiters: Waiter[] = [];
  const leaving = new Set<Promise<void>>();
  let othersUntilMs = 0;

  const giveBack = (slot: Slot): void => {
    const left = slot.permit.giveBack().finally(() => leaving.delete(left));
    leaving.add(left);
  };
  const put = (slot: Slot): void => {
    const isOld = isOldAt(clock.nowMs(), slot);
    const waiter = isOld ? undefined : waiters.shift();
    if (isOld) othersUntilMs = clock.nowMs() + LET_OTHERS_MS;
    if (waiter !== undefined) waiter.take(slot);
    else if (isOld || stop.signal.aborted) giveBack(slot);
    else keepUnused(slot);
  };
  const keepUnused = (slot: Slot): void => {
    unused.add(slot);
    void clock
      .sleep(KEEP_UNUSED_MS, stop.signal)
      .catch(() => undefined)
      .then(() => {
        if (unused.delete(slot)) giveBack(slot);
      });
  };
  const take = async (signal: AbortSignal): Promise<Slot> => {
    const [slot] = unused;
    if (slot === undefined) return await wait(signal);
    unused.delete(slot);
    return slot;
  };
  const wait = async (signal: AbortSignal): Promise<Slot> =>
    await waitForSlot(waiters, signal, put, async (until) => {
      const pauseMs = Math.min(othersUntilMs - clock.nowMs(), LET_OTHERS_MS);
      if (pauseMs > 0) await clock.sleep(pauseMs, until);
      const permit = await permits.acquire(resource, limit, until);
      return { permit, sinceMs: clock.nowMs() };
    });

  return {
    async acquire(signal) {
      const turn = await semaphore.acquire(signal);
      const slot = await take(signal).catch((thrown: unknown) => {
        turn[Symbol.dispose]();
        throw thrown;
      });
      let isDone = false;
      return {
        [Symbol.dispose]() {
          if (isDone) return;
          isDone = true;
          put(slot);
          turn[Symbol.dispose]();
        },
      };
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      for (const slot of [...unused]) if (unused.delete(slot)) giveBack(slot);
      while (leaving.size > 0) await Promise.all(leaving);
    },
  };
}

/** Of an age below nothing the clock was set back: how old it is nobody knows. */
function isOldAt(nowMs: number, { sinceMs }: Slot): boolean {
  return nowMs < sinceMs || nowMs - sinceMs >= KEEP_AT_MOST_MS;
}

/** For one of the store's, or for one that is not used here any more: whichever comes first. */
async function waitForSlot(
  waiters: Waiter[],
  signal: AbortSignal,
  put: (slot: Slot) => void,
  granted: (until: AbortSignal) => Promise<Slot>,
): Promise<Slot> {
  const handed = new AbortController();
  let slot: Slot | undefined;
  const waiter: Waiter = {
    take(one) {
      slot = one;
      handed.abort();
    },
  };
  waiters.push(waiter);
  try {
    const own = await granted(AbortSignal.any([signal, handed.signal]));
    if (slot === undefined) return own;
    put(own);
    return slot;
  } catch (thrown) {
    if (slot === undefined) throw thrown;
    if (!signal.aborted) return slot;
    put(slot);
    throw thrown;
  } finally {
    const place = waiters.indexOf(waiter);
    if (place >= 0) waiters.splice(place, 1);
  }
}
