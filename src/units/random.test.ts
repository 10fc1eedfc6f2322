import { describe, expect, it } from "vitest";
import { seededRandom, systemRandom } from "./random.ts";

describe("randomness", () => {
  it("from a seed is the same on every machine", () => {
    const random = seededRandom(42);
    expect([random.next(), random.next(), random.next()]).toEqual([
      0.6011037519201636, 0.44829055899754167, 0.8524657934904099,
    ]);
    expect([...seededRandom(7).bytes(4)]).toEqual([...seededRandom(7).bytes(4)]);
  });

  it("of the system is spread over its range", () => {
    const draws = Array.from({ length: 1_000 }, () => systemRandom.next());
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...draws)).toBeLessThan(1);
    expect(new Set(draws).size).toBe(1_000);
  });
});
