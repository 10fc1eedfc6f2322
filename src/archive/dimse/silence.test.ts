import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { neverAborted } from "../../units/abort.ts";
import { limitSilence } from "./silence.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const LIMITS = { timeoutMs: 60_000, longestMs: 3_600_000 };

it("ends after a silence, and not while something comes", () => {
  using limit = limitSilence(LIMITS, neverAborted());
  vi.advanceTimersByTime(59_000);
  limit.touch();
  vi.advanceTimersByTime(59_000);
  expect(limit.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1_000);
  expect(limit.signal.reason).toMatchObject({ code: "TIMED_OUT", details: { timeoutMs: 60_000 } });
});

it("ends in the end, though a little comes again and again", () => {
  using limit = limitSilence(LIMITS, neverAborted());
  for (let waitedMs = 0; waitedMs < LIMITS.longestMs; waitedMs += 50_000) {
    expect(limit.signal.aborted).toBe(false);
    vi.advanceTimersByTime(50_000);
    limit.touch();
  }
  expect(limit.signal.reason).toMatchObject({ code: "TIMED_OUT", details: { timeoutMs: LIMITS.longestMs } });
});
