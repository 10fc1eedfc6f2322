import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { watchRate } from "./minimum-rate.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** At least 1,000 bytes in ten seconds. */
function watched() {
  let slowAfterMs: number | undefined;
  const startedMs = performance.now();
  const watch = watchRate({ bytesPerSecond: 100, overMs: 10_000 }, () => {
    slowAfterMs = performance.now() - startedMs;
  });
  return { watch, slowAfterMs: () => slowAfterMs };
}

it("tells of a peer that sends a byte now and then", () => {
  const { watch, slowAfterMs } = watched();
  for (let seconds = 0; seconds < 20; seconds += 1) {
    watch.heard(1);
    vi.advanceTimersByTime(1_000);
  }
  expect(slowAfterMs()).toBe(10_000);
});

it("lets a peer pause that sent enough before, or sends enough after", () => {
  const { watch, slowAfterMs } = watched();
  watch.heard(1_000);
  vi.advanceTimersByTime(19_000);
  watch.heard(1_000);
  vi.advanceTimersByTime(10_000);
  expect(slowAfterMs()).toBeUndefined();
  vi.advanceTimersByTime(1_000);
  expect(slowAfterMs()).toBe(30_000);
});

it("counts no time in which the peer is held back", () => {
  const { watch, slowAfterMs } = watched();
  vi.advanceTimersByTime(9_000);
  watch.hold(true);
  watch.hold(true);
  vi.advanceTimersByTime(60_000);
  watch.hold(false);
  watch.hold(false);
  vi.advanceTimersByTime(999);
  expect(slowAfterMs()).toBeUndefined();
  vi.advanceTimersByTime(1);
  expect(slowAfterMs()).toBe(70_000);
});

it("tells nothing once it is disposed, held back or not", () => {
  const one = watched();
  one.watch[Symbol.dispose]();
  const other = watched();
  other.watch.hold(true);
  other.watch[Symbol.dispose]();
  other.watch.hold(false);
  vi.advanceTimersByTime(60_000);
  expect([one.slowAfterMs(), other.slowAfterMs()]).toEqual([undefined, undefined]);
});
