import type { DataSet } from "../../dicom/data-set.ts";
import { toDicomJson } from "../../dicom/json.ts";
import type { Clock } from "../../units/clock.ts";
import type { Ask } from "./found.ts";

export interface QueryCacheOptions {
  /** How long an answer holds. */
  readonly expiryMs: number;
  /** Queries kept; the oldest gives way. @default 1000 */
  readonly maximumQueries?: number;
  readonly clock: Clock;
}

interface Entry {
  readonly answers: readonly DataSet[];
  readonly untilMs: number;
}

/** A longer list of answers is not kept. */
const MAXIMUM_ANSWERS = 10_000;
const USUAL_QUERIES = 1_000;

/**
 * A cache before functions that query: the same query within the expiry is answered from memory. Answers are kept once a caller has read
 * them all.
 */
export function createQueryCache({
  expiryMs,
  maximumQueries = USUAL_QUERIES,
  clock,
}: QueryCacheOptions): (ask: Ask) => Ask {
  const entries = new Map<string, Entry>();
  return (ask) =>
    async function* (identifier) {
      const key = JSON.stringify(toDicomJson(identifier));
      const known = entries.get(key);
      if (known !== undefined && clock.nowMs() < known.untilMs) {
        yield* known.answers;
        return;
      }
      entries.delete(key);
      const answers: DataSet[] = [];
      for await (const answer of ask(identifier)) {
        if (answers.length <= MAXIMUM_ANSWERS) answers.push(answer);
        yield answer;
      }
      if (answers.length > MAXIMUM_ANSWERS) return;
      entries.set(key, { answers, untilMs: clock.nowMs() + expiryMs });
      const [oldest] = entries.keys();
      if (entries.size > maximumQueries && oldest !== undefined) entries.delete(oldest);
    };
}
