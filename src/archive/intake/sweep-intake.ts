import type { IntakeStore } from "../../store/intake.ts";
import type { Clock } from "../../units/clock.ts";
import { createSemaphore } from "../../units/semaphore.ts";
import type { IntakeFiles } from "./intake-files.ts";

export interface SweepOptions {
  readonly store: Pick<IntakeStore, "forgetIntake">;
  readonly files: Pick<IntakeFiles, "remove" | "removeUnnamed">;
  readonly clock: Clock;
}

/**
 * Removes the files of what was discarded, and of what ended longer ago than it is kept. What the store has forgotten and could not be removed is
 * tried again before anything else: until then no sweep is done, and no withdrawal that waits for one. Files that could not be written down go, too. What a crash leaves, the next start removes.
 * @throws GatewayError STAGING_UNAVAILABLE, STORE_… from the function it answers
 */
export function createIntakeSweep({ store, files, clock }: SweepOptions): (keepMs: number) => Promise<void> {
  const turns = createSemaphore(1);
  let leaving: readonly string[] = [];
  return async (keepMs) => {
    using _turn = await turns.acquire();
    do {
      await files.remove(leaving);
      leaving = await store.forgetIntake(clock.nowMs() - keepMs);
    } while (leaving.length > 0);
    await files.removeUnnamed();
  };
}
