import type { StudyInstanceUid } from "../dicom/uid.ts";
import { createKeyedLocks, type KeyedLocks } from "../units/keyed-locks.ts";

/** Single flight: of several jobs that want one study, one retrieves it and the others find it staged. */
export type StudyLocks = KeyedLocks<StudyInstanceUid>;

export function createStudyLocks(): StudyLocks {
  return createKeyedLocks();
}
