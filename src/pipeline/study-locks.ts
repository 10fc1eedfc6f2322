import type { StudyInstanceUid } from "../dicom/uid.ts";
import { createSemaphore, type Semaphore } from "../units/semaphore.ts";

/** Single flight: of several jobs that want one study, one retrieves it and the others find it staged. */
export interface StudyLocks {
  acquire(study: StudyInstanceUid, signal: AbortSignal): Promise<Disposable>;
}

export function createStudyLocks(): StudyLocks {
  const locks = new Map<StudyInstanceUid, Semaphore>();
  return {
    async acquire(study, signal) {
      const lock = locks.get(study) ?? createSemaphore(1);
      locks.set(study, lock);
      const permit = await lock.acquire(signal);
      return {
        [Symbol.dispose]() {
          permit[Symbol.dispose]();
          if (lock.inUse === 0 && lock.waiting === 0 && locks.get(study) === lock) locks.delete(study);
        },
      };
    },
  };
}
