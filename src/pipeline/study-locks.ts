import type { StudyInstanceUid } from "../dicom/uid.ts";
import { type SharedPermits, studyResource } from "../store/shared-permits.ts";
import { createKeyedLocks, type KeyedLocks } from "../units/keyed-locks.ts";

/** Single flight: of several jobs that want one study, one retrieves it and the others find it staged. */
export type StudyLocks = Pick<KeyedLocks<StudyInstanceUid>, "acquire">;

export function createStudyLocks(): StudyLocks {
  return createKeyedLocks();
}

/** Among all nodes on one store: an archive is not asked by two of them for one study at once. */
export function createSharedStudyLocks(permits: SharedPermits): StudyLocks {
  const own = createStudyLocks();
  return {
    async acquire(study, signal) {
      const first = await own.acquire(study, signal);
      const permit = await permits.acquire(studyResource(study), 1, signal).catch((thrown: unknown) => {
        first[Symbol.dispose]();
        throw thrown;
      });
      return {
        [Symbol.dispose]() {
          void permit.giveBack().then(() => first[Symbol.dispose]());
        },
      };
    },
  };
}
