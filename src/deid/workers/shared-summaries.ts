import type { InstanceSummary } from "../outcome.ts";

/** What the summaries of a series' slices mostly have in common. */
export type SummaryParts = Omit<InstanceSummary, "verify">;

/** A summary as one thread tells it to another: what was told before goes by its number. */
export interface ToldSummary extends Pick<InstanceSummary, "verify"> {
  readonly number: number;
  /** Undefined: they were told before. */
  readonly parts: SummaryParts | undefined;
}

/** Beyond this many, summaries are told each time. */
const SHARED_LIMIT = 1_000;
const NO_NUMBER = -1;

export function createSummaryTeller(): (summary: InstanceSummary) => ToldSummary {
  const numbers = new Map<string, number>();
  return ({ verify, ...parts }) => {
    const text = JSON.stringify(parts, (_key, value: unknown) => (value instanceof Map ? [...value] : value));
    const known = numbers.get(text);
    if (known !== undefined) return { number: known, parts: undefined, verify };
    if (numbers.size >= SHARED_LIMIT) return { number: NO_NUMBER, parts, verify };
    numbers.set(text, numbers.size);
    return { number: numbers.size - 1, parts, verify };
  };
}

/** Understands what one teller tells: equal parts are the same objects, so that a study of thousands stays small. */
export function createSummaryListener(): (told: ToldSummary) => InstanceSummary {
  const known: SummaryParts[] = [];
  return ({ number, parts: told, verify }) => {
    const parts = told ?? known[number];
    if (parts === undefined) throw new TypeError("a summary that was never told");
    if (number !== NO_NUMBER) known[number] = parts;
    return { ...parts, verify };
  };
}
