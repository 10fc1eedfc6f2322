interface Waiter {
  readonly grant: () => void;
}

/** Holds at most `limit` permits at once; waiters are served in order. */
export interface Semaphore {
  readonly inUse: number;
  readonly waiting: number;
  /** Rejects with the signal's reason when it is aborted while waiting. */
  acquire(signal?: AbortSignal): Promise<Disposable>;
}

export function createSemaphore(limit: number): Semaphore {
  let inUse = 0;
  const waiters: Waiter[] = [];

  const permit = (): Disposable => {
    let released = false;
    return {
      [Symbol.dispose]() {
        if (released) return;
        released = true;
        inUse -= 1;
        waiters.shift()?.grant();
      },
    };
  };

  return {
    get inUse() {
      return inUse;
    },
    get waiting() {
      return waiters.length;
    },
    acquire(signal) {
      signal?.throwIfAborted();
      if (inUse < limit) {
        inUse += 1;
        return Promise.resolve(permit());
      }
      return new Promise((resolve, reject) => {
        const onAbort = (): void => {
          waiters.splice(waiters.indexOf(waiter), 1);
          reject(signal?.reason);
        };
        const waiter: Waiter = {
          grant: () => {
            signal?.removeEventListener("abort", onAbort);
            inUse += 1;
            resolve(permit());
          },
        };
        waiters.push(waiter);
        signal?.addEventListener("abort", onAbort, { once: true });
      });
    },
  };
}
