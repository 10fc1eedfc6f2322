import { expect, it } from "vitest";
import { LONGEST_TIMER_MS } from "../../units/clock.ts";
import { completeTimeouts } from "./timeouts.ts";

it("holds every time-out to what a timer can take: a longer one would run out at once", () => {
  const longMs = 1e12;
  const timeouts = completeTimeouts({ connectTimeoutMs: longMs, artimTimeoutMs: longMs, idleTimeoutMs: longMs });
  expect(new Set(Object.values(timeouts))).toEqual(new Set([LONGEST_TIMER_MS]));
  expect(completeTimeouts({ idleTimeoutMs: 5 }).idleTimeoutMs).toBe(5);
});
