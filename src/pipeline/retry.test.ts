import { expect, it } from "vitest";
import { seededRandom } from "../units/random.ts";
import { backOffMs, retryDelayMs } from "./retry.ts";

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

it.each([
  [{ retryAfterMs: 7_200_000 }, 7_200_000, 7_200_000],
  [{ retryAfterMs: 1 }, 2_500, 5_000],
  [{ retryAfterMs: "soon" }, 2_500, 5_000],
  [{}, 2_500, 5_000],
])("waits at least as long as a peer that says %j asks for", (details, leastMs, mostMs) => {
  const delayMs = retryDelayMs(policy, 1, seededRandom(1), details);
  expect(delayMs).toBeGreaterThanOrEqual(leastMs);
  expect(delayMs).toBeLessThanOrEqual(mostMs);
});
