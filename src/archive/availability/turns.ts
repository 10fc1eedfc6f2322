import type { StudyInstanceUid } from "../../dicom/uid.ts";

/** Of more studies than these it is not kept which turn they were told. */
const MOST_TOLD = 100_000;

/** Spreads studies that were told to come back, so that they do not come back together. */
export interface Turns {
  /**
   * When the study may come back. One that comes before its turn keeps it: all that wait are woken whenever somebody changes what holds an archive back.
   * @param freeMs the first turn that nobody has taken
   */
  next(study: StudyInstanceUid, intervalMs: number, freeMs: number, nowMs: number): number;
  /** It needs none any more. */
  taken(study: StudyInstanceUid): void;
}

export function createTurns(): Turns {
  let lastMs = 0;
  let heldIntervalMs = 0;
  /** In the order of their turns. */
  const told = new Map<StudyInstanceUid, number>();
  const forgetPast = (nowMs: number): void => {
    for (const [study, atMs] of told) {
      if (atMs > nowMs) return;
      told.delete(study);
    }
  };
  return {
    next(study, intervalMs, freeMs, nowMs) {
      if (intervalMs !== heldIntervalMs) {
        // Turns told at the old rate do not hold at the new one.
        told.clear();
        heldIntervalMs = intervalMs;
      }
      forgetPast(nowMs);
      const before = told.get(study);
      if (before !== undefined) return Math.max(before, freeMs);
      lastMs = told.size === 0 ? freeMs : Math.max(lastMs + intervalMs, freeMs);
      if (told.size < MOST_TOLD) told.set(study, lastMs);
      return lastMs;
    },
    taken: (study) => void told.delete(study),
  };
}
