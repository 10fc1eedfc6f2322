import type { StagingArea } from "../staging/staging-area.ts";
import type { Store } from "../store/store.ts";
import type { Clock } from "../units/clock.ts";

export interface Sweep {
  readonly removed: number;
  /** What kept each study that should have gone and did not; the others are gone all the same. */
  readonly failures: readonly unknown[];
  /** The disk had less room than its reserve. */
  readonly isRoomNeeded: boolean;
}

/**
 * Removes identifiable studies that nobody needs any more and that have lain for `keepMs`; while the disk has less room than its reserve, all that
 * nobody needs.
 */
export async function sweepStaging(
  { store, staging, clock }: { readonly store: Store; readonly staging: StagingArea; readonly clock: Clock },
  keepMs: number,
): Promise<Sweep> {
  const isRoomNeeded = await staging.isBelowReserve();
  let removed = 0;
  const failures: unknown[] = [];
  for (const { study, changedAtMs } of await staging.studies()) {
    const isOld = clock.nowMs() - changedAtMs >= keepMs;
    if ((!isOld && !isRoomNeeded) || (await store.studyIsNeeded(study))) continue;
    try {
      await staging.removeStudy(study);
      removed += 1;
    } catch (thrown) {
      failures.push(thrown);
    }
  }
  return { removed, failures, isRoomNeeded };
}
