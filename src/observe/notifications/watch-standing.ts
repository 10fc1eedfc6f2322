import type { Store } from "../../store/store.ts";
import type { Clock } from "../../units/clock.ts";
import type { Tell } from "./outbox.ts";

const MARK = "standing";
const PAGE = 100;

export interface StandingWatch {
  readonly store: Pick<Store, "standingTroubles">;
  readonly clock: Pick<Clock, "nowMs">;
  readonly tell: Tell;
  /** As they are kept; what this looker changes is changed in here too. */
  readonly marks: Map<string, string>;
}

/** Tells of runs of standing cohorts that did not come to their end, from where it was left, over restarts. */
export async function watchStanding({ store, clock, tell, marks }: StandingWatch): Promise<void> {
  const troubles = await store.standingTroubles({ after: Number(marks.get(MARK) ?? 0), limit: PAGE });
  const last = troubles.at(-1)?.trouble;
  if (last === undefined) return;
  const notices = troubles.map(({ standing, project, number, state, code = "INTERNAL" }) => ({
    event: "standing-run-failed" as const,
    atMs: clock.nowMs(),
    project,
    facts: { standing, project, run: number, state, code },
  }));
  const mark = { name: MARK, value: String(last) };
  await tell(notices, [mark]);
  marks.set(mark.name, mark.value);
}
