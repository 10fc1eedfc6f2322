import { describe, expect, it } from "vitest";
import { deidTarget } from "../../fuzz/deid-target.ts";
import { runFuzz } from "../../fuzz/run-fuzz.ts";

const SEED = 25;
const ROUNDS = 300;

/** `npm run fuzz -- deid --rounds 100000` is the long run; it also sees what hangs. */
describe("item 25: damaged files", () => {
  it(`none of ${ROUNDS} crashes the engine, gives an output that does not verify, or lets a planted identifier out`, async () => {
    const { failures, rounds, outcomes } = await runFuzz(deidTarget, { seed: SEED, goOn: (round) => round < ROUNDS });
    for (const { round, description, thrown } of failures)
      throw new Error(`--seed ${SEED} --round ${round}, ${description}`, { cause: thrown });
    expect(rounds).toBe(ROUNDS);
    expect(outcomes.get("deidentified")).toBeGreaterThan(20);
    expect(outcomes.get("INSTANCE_NOT_PARSABLE")).toBeGreaterThan(20);
  });
});
