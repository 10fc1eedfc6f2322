import { createSemaphore, type Semaphore } from "./semaphore.ts";

/** One holder at a time of each key; what nobody holds or waits for is forgotten. */
export interface KeyedLocks<Key> {
  /** Rejects with the signal's reason when it is aborted while waiting. */
  acquire(key: Key, signal: AbortSignal): Promise<Disposable>;
  /** Keys that somebody holds or waits for. */
  readonly size: number;
}

export function createKeyedLocks<Key>(): KeyedLocks<Key> {
  const locks = new Map<Key, Semaphore>();
  return {
    get size() {
      return locks.size;
    },
    async acquire(key, signal) {
      const lock = locks.get(key) ?? createSemaphore(1);
      locks.set(key, lock);
      const forgetUnused = (): void => {
        if (lock.inUse === 0 && lock.waiting === 0 && locks.get(key) === lock) locks.delete(key);
      };
      try {
        const permit = await lock.acquire(signal);
        return {
          [Symbol.dispose]() {
            permit[Symbol.dispose]();
            forgetUnused();
          },
        };
      } catch (thrown) {
        forgetUnused();
        throw thrown;
      }
    },
  };
}
