import { expect, it } from "vitest";
import { seededRandom } from "../units/random.ts";
import { backOffMs } from "./retry.ts";

const policy = { attempts: 60, firstDelayMs: 5_000, maximumDelayMs: 900_000 };

it.each([
  [1, 2_500, 5_000],
  [2, 5_000, 10_000],
  [5, 40_000, 80_000],
  [9, 450_000, 900_000],
  [60, 450_000, 900_000],
  [10_000, 450_000, 900_000],
])("waits after %i failed tries between %i and %i ms", (failedTries, leastMs, mostMs) => {
  const random = seededRandom(1);
  for (let draw = 0; draw < 100; draw += 1) {
    const delayMs = backOffMs(policy, failedTries, random);
    expect(delayMs).toBeGreaterThanOrEqual(leastMs);
    expect(delayMs).toBeLessThanOrEqual(mostMs);
  }
});
