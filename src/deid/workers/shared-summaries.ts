import type { SummaryParts } from "../instance-summary.ts";
import type { InstanceSummary } from "../outcome.ts";

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
  /** By what one engine made once for many instances. */
  const numbersMade = new WeakMap<SummaryParts["actions"], number>();
  return ({ verify, ...parts }) => {
    const made = numbersMade.get(parts.actions);
    if (made !== undefined) return { number: made, parts: undefined, verify };
    const text = JSON.stringify(parts, (_key, value: unknown) => (value instanceof Map ? [...value] : value));
    const known = numbers.get(text);
    if (known !== undefined) {
      numbersMade.set(parts.actions, known);
      return { number: known, parts: undefined, verify };
    }
    if (numbers.size >= SHARED_LIMIT) return { number: NO_NUMBER, parts, verify };
    numbersMade.set(parts.actions, numbers.size);
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
