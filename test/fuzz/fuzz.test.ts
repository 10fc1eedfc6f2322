import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/units/random.ts";
import { damaged, MUTATIONS } from "./mutations.ts";
import { runFuzz } from "./run-fuzz.ts";
import { sampleFiles } from "./sample-files.ts";
import type { FuzzTarget } from "./target.ts";
import { TARGETS } from "./targets.ts";

const SEED = 20_261_121;
const USUAL_ROUNDS = 2_000;
/** A round of these reads, writes and reads again. */
const ROUNDS: Readonly<Record<string, number>> = { deid: 100 };

describe.each(TARGETS)("what a stranger sends to $name", (target) => {
  it("breaks no promise in some hundreds of rounds", async () => {
    const wanted = ROUNDS[target.name] ?? USUAL_ROUNDS;
    const { failures, rounds, outcomes } = await runFuzz(target, { seed: SEED, goOn: (round) => round < wanted });
    for (const { round, description, thrown } of failures)
      throw new Error(`--seed ${SEED} --round ${round}, ${description}`, { cause: thrown });
    expect(rounds).toBe(wanted);
    expect(outcomes.size).toBeGreaterThan(1);
  });
});

describe("a fuzz run", () => {
  const seen: string[] = [];
  const brittle: FuzzTarget = {
    name: "brittle",
    seeds: async () => sampleFiles(),
    run: async (input) => {
      seen.push(Buffer.from(input).toString("hex"));
      if (input.length < 200) throw new Error("too short for me");
      return "fine";
    },
  };

  it("says which round broke the promise, and runs it again alone with the same input", async () => {
    const { failures } = await runFuzz(brittle, { seed: 1, goOn: (round) => round < 1_000 });
    const [failure] = failures;
    const round = failure?.round ?? -1;
    expect(failure).toMatchObject({ thrown: new Error("too short for me") });
    const again = await runFuzz(brittle, { seed: 1, firstRound: round, goOn: (next) => next === round });
    expect(again.failures).toMatchObject([{ round, input: failure?.input }]);
    expect(again.rounds).toBe(1);
  });

  it("ends at the first failure, or at as many as it is told", async () => {
    const goOn = (round: number): boolean => round < 1_000;
    expect((await runFuzz(brittle, { seed: 1, goOn })).failures).toHaveLength(1);
    expect((await runFuzz(brittle, { seed: 1, goOn, failures: 3 })).failures).toHaveLength(3);
  });

  it("gives other inputs for another seed", async () => {
    seen.length = 0;
    for (const seed of [1, 2]) await runFuzz(brittle, { seed, goOn: (round) => round < 1 });
    expect(seen[0]).not.toBe(seen[1]);
  });
});

describe("damage", () => {
  const seeds = sampleFiles();

  it.each(Object.entries(MUTATIONS))("%s changes the input, not its original", (_, mutation) => {
    const random = seededRandom(SEED);
    const [seed] = seeds;
    const original = Buffer.from(seed?.bytes ?? []);
    const results = Array.from({ length: 20 }, () => mutation(original, random, seeds));
    expect(results.some((bytes) => !original.equals(bytes))).toBe(true);
    expect(Buffer.compare(original, seed?.bytes ?? new Uint8Array())).toBe(0);
  });

  it("stays within a mebibyte", () => {
    const large = [{ name: "large", bytes: new Uint8Array(900_000) }];
    const random = seededRandom(SEED);
    for (let round = 0; round < 200; round += 1)
      expect(damaged(large, random).bytes.length).toBeLessThanOrEqual(1024 * 1024);
  });
});
