import type { SummaryParts } from "../instance-summary.ts";
import type { InstanceSummary } from "../outcome.ts";

/** A summary as one thread tells it to another: what was told before goes by its number. */
export interface ToldSummary extends Pick<InstanceSummary, "verify"> {
  readonly number: number;
  /** Undefined: they were told before, and no others by this number since. */
  readonly parts: SummaryParts | undefined;
}

/** Series by turns, and UIDs of different lengths: more would fill both threads. The one told longest ago gives its number to the next. */
const SHARED_LIMIT = 32;

interface Told {
  readonly number: number;
  readonly text: string;
}

/** Its every summary must be heard, in that order: see `createSummaryListener`. */
export function createSummaryTeller(): (summary: InstanceSummary) => ToldSummary {
  const byNumber: Told[] = [];
  const byText = new Map<string, Told>();
  /** By what one engine made once for many instances. */
  const byMade = new WeakMap<SummaryParts["actions"], Told>();
  let count = 0;
  return ({ verify, ...parts }) => {
    const made = byMade.get(parts.actions);
    if (made !== undefined && byNumber[made.number] === made) return { number: made.number, parts: undefined, verify };
    const text = JSON.stringify(parts, (_key, value: unknown) => (value instanceof Map ? [...value] : value));
    const known = byText.get(text);
    if (known !== undefined) {
      byMade.set(parts.actions, known);
      return { number: known.number, parts: undefined, verify };
    }
    const told = { number: count % SHARED_LIMIT, text };
    count += 1;
    const before = byNumber[told.number];
    if (before !== undefined) byText.delete(before.text);
    byNumber[told.number] = told;
    byText.set(text, told);
    byMade.set(parts.actions, told);
    return { number: told.number, parts, verify };
  };
}

/** Understands what one teller tells: equal parts are the same objects, so that a study of thousands stays small. */
export function createSummaryListener(): (told: ToldSummary) => InstanceSummary {
  const known: SummaryParts[] = [];
  return ({ number, parts: told, verify }) => {
    const parts = told ?? known[number];
    if (parts === undefined) throw new TypeError("a summary that was never told");
    known[number] = parts;
    return { ...parts, verify };
  };
}
