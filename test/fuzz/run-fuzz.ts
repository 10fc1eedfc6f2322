import { seededRandom } from "../../src/units/random.ts";
import { damaged } from "./mutations.ts";
import type { FuzzTarget } from "./target.ts";

export interface FuzzOptions {
  readonly seed: number;
  /** @default 0 */
  readonly firstRound?: number;
  /** Looked at before each round: false ends the run. */
  readonly goOn: (round: number) => boolean;
  /** Failures after which the run ends. @default 1 */
  readonly failures?: number;
  /** Told before each round. */
  readonly onRound?: (round: number) => void;
}

export interface FuzzFailure {
  readonly round: number;
  readonly description: string;
  readonly input: Uint8Array;
  readonly thrown: unknown;
}

export interface FuzzReport {
  readonly rounds: number;
  /** How often each outcome was seen. */
  readonly outcomes: ReadonlyMap<string, number>;
  readonly failures: readonly FuzzFailure[];
}

/** Each round depends on the seed and its number only, so that one can be run again alone. */
export async function runFuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzReport> {
  const seeds = await target.seeds();
  const outcomes = new Map<string, number>();
  const failures: FuzzFailure[] = [];
  const first = options.firstRound ?? 0;
  let round = first;
  for (; failures.length < (options.failures ?? 1) && options.goOn(round); round += 1) {
    options.onRound?.(round);
    const random = seededRandom(Math.imul(options.seed, 0x9e3779b1) + round);
    const { bytes, description } = damaged(seeds, random);
    try {
      const outcome = await target.run(bytes, random);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    } catch (thrown) {
      failures.push({ round, description, input: bytes, thrown });
    }
  }
  return { rounds: round - first, outcomes, failures };
}
