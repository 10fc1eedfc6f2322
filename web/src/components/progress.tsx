import type { JobState } from "../api/documents.ts";
import { JOB_STATES, toneOf } from "./badge.tsx";
import { countText, numberText } from "./numbers.ts";

/** How many are in each state, as parts of one bar. Those at work come last. */
export function StateBar({
  states,
  label,
}: {
  readonly states: Readonly<Partial<Record<JobState, number>>>;
  readonly label: string;
}) {
  const shown = BAR_ORDER.flatMap((state) => {
    const count = states[state] ?? 0;
    return count === 0 ? [] : [{ state, count }];
  });
  const total = shown.reduce((sum, { count }) => sum + count, 0);
  const text = shown.map(({ state, count }) => `${numberText(count)} ${state}`).join(", ");
  return (
    <div class="state-bar" role="img" aria-label={`${label}: ${total === 0 ? "none" : text}`}>
      {shown.map(({ state, count }) => (
        <span
          key={state}
          class={`state-part tone-${toneOf(state)} state-${state}`}
          style={{ flexGrow: count }}
          title={`${countText(count, "study", "studies")} ${state}`}
        />
      ))}
    </div>
  );
}

const BAR_ORDER: readonly JobState[] = [
  "delivered",
  ...JOB_STATES.filter((state) => !["delivered", "queued", "waiting", "running"].includes(state)),
  "running",
  "waiting",
  "queued",
];
