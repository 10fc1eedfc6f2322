import { createSemaphore, type Semaphore } from "./semaphore.ts";

/** One holder at a time of each key; what nobody holds or waits for is forgotten. */
export interface KeyedLocks<Key> {
  /** Rejects with the signal's reason when it is aborted while waiting. */
  acquire(key: Key, signal: AbortSignal): Promise<Disposable>;
}

export function createKeyedLocks<Key>(): KeyedLocks<Key> {
  const locks = new Map<Key, Semaphore>();
  return {
    async acquire(key, signal) {
      const lock = locks.get(key) ?? createSemaphore(1);
      locks.set(key, lock);
      const permit = await lock.acquire(signal);
      return {
        [Symbol.dispose]() {
          permit[Symbol.dispose]();
          if (lock.inUse === 0 && lock.waiting === 0 && locks.get(key) === lock) locks.delete(key);
        },
      };
    },
  };
}
