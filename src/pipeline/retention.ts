import type { StagingArea } from "../staging/staging-area.ts";
import type { Store } from "../store/store.ts";
import type { Clock } from "../units/clock.ts";

/** Removes identifiable studies that nobody needs any more and that have lain for `keepMs`. Resolves with their number. */
export async function sweepStaging(
  { store, staging, clock }: { readonly store: Store; readonly staging: StagingArea; readonly clock: Clock },
  keepMs: number,
): Promise<number> {
  let removed = 0;
  for (const { study, changedAtMs } of await staging.studies()) {
    if (clock.nowMs() - changedAtMs < keepMs || (await store.studyIsNeeded(study))) continue;
    await staging.removeStudy(study);
    removed += 1;
  }
  return removed;
}
