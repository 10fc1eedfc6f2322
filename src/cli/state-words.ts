import type { StatusDocument, StudyDocument } from "../operations/documents.ts";
import { JOB_STATES, type JobState, STATES_WORST_FIRST } from "../store/job-states.ts";

/** What a state means, in the words of an operator. */
const STATE_WORDS: { readonly [S in JobState]: string } = {
  queued: "waiting for their turn",
  waiting: "waiting to be tried again",
  running: "in work",
  held: "incomplete and held back, as the project wants",
  quarantined: "kept back: not safe to deliver",
  "not-found": "in none of the project's archives",
  excluded: "left out by the project's rules",
  cancelled: "cancelled",
  failed: "failed",
  delivered: "delivered and confirmed",
};

const GOOD_ENDS: ReadonlySet<JobState> = new Set<JobState>(["delivered", "excluded"]);

/** Every study of the cohort came to a good end: exit code 0 of `cohort submit --wait`. */
export function isAllGood({ done, states }: StatusDocument): boolean {
  return done && Object.keys(states).every((state) => GOOD_ENDS.has(state as JobState));
}

/** Studies whose work is over, well or not. */
export function finishedCount({ states }: StatusDocument): number {
  return statesOf(states)
    .filter(([state]) => JOB_STATES[state].done)
    .reduce((sum, [, count]) => sum + count, 0);
}

/** State, number and meaning; the worst first. */
export function stateRows({ states }: StatusDocument): readonly (readonly string[])[] {
  return statesOf(states).map(([state, count]) => [`  ${state}`, `${count}`, STATE_WORDS[state]]);
}

/** "delivered 9, failed 1" */
export function stateSummary({ states }: StatusDocument): string {
  const parts = statesOf(states).map(([state, count]) => `${state} ${count}`);
  return parts.length === 0 ? "no studies" : parts.join(", ");
}

function statesOf(states: StatusDocument["states"]): readonly (readonly [JobState, number])[] {
  return STATES_WORST_FIRST.map((state) => [state, states[state] ?? 0] as const).filter(([, count]) => count > 0);
}

/** What went wrong in how many studies, and what to do about it; the most frequent first. */
export function problemLinesOf(jobs: readonly StudyDocument[]): readonly string[] {
  const troubled = jobs.filter(({ code, state }) => code !== undefined && state !== "delivered");
  // Of one code some may be tried again and others be at their end: what to do is not the same.
  const alike = Map.groupBy(troubled, ({ code, remedy }) => `${code} ${remedy}`);
  return [...alike.values()]
    .sort((a, b) => b.length - a.length)
    .flatMap(([first, ...others]) => [
      `${others.length + 1} x ${first?.code ?? ""}: ${first?.message ?? ""}`,
      `    What to do: ${first?.remedy ?? ""}`,
    ]);
}
