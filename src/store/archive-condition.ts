import type { ErrorCode } from "../errors/registry.ts";

/** What operators set for an archive at run time; what is undefined is as the settings say. `null`: without limit, or always open. */
export interface ArchiveOverrides {
  readonly studiesPerMinute?: number | null | undefined;
  readonly bytesPerSecond?: number | null | undefined;
  /** As in the settings: `Mon-Fri 20:00-08:00`. */
  readonly windows?: readonly string[] | null | undefined;
  readonly timeZone?: string | undefined;
}

/** Whether an archive is spared after failures in a row. While half-open, one probe may ask it. */
export type Breaker =
  | { readonly state: "closed"; readonly failures: number }
  | { readonly state: "open"; readonly code: ErrorCode; readonly openings: number; readonly untilMs: number }
  | { readonly state: "half-open"; readonly code: ErrorCode; readonly openings: number; readonly untilMs: number };

/** What is known of an archive across restarts, and by all that share the store. */
export interface ArchiveCondition {
  readonly archive: string;
  readonly paused: boolean;
  readonly overrides: ArchiveOverrides;
  readonly breaker: Breaker;
  /** Before this, no further study is begun. */
  readonly nextStudyAtMs: number;
  /** Until then it asked to be left alone. */
  readonly sparedUntilMs: number;
}

export interface BreakerPolicy {
  /** In a row, until the archive is left alone. */
  readonly failures: number;
  readonly firstRestMs: number;
  readonly longestRestMs: number;
  /** A probe that has not answered by then has died. */
  readonly probeMs: number;
}

/** Whether the archive may be asked now. */
export type Admission =
  | { readonly kind: "admitted" }
  /** Admitted as the one whose outcome decides whether the others are. */
  | { readonly kind: "probe" }
  | { readonly kind: "resting"; readonly code: ErrorCode; readonly untilMs: number };

/** Whether a study may be begun: from `atMs` on, or not within the wait that was offered. */
export type StudySlot =
  | { readonly kind: "granted"; readonly atMs: number }
  | { readonly kind: "later"; readonly atMs: number };

export function newCondition(archive: string): ArchiveCondition {
  return {
    archive,
    paused: false,
    overrides: {},
    breaker: { state: "closed", failures: 0 },
    nextStudyAtMs: 0,
    sparedUntilMs: 0,
  };
}

/** What is so many times further ahead than it can have been put was put before the clock was set back: by less, clocks are set every day. */
const ASTRAY = 2;

/** The breaker's part in asking an archive. */
export function admit(breaker: Breaker, policy: BreakerPolicy, nowMs: number): readonly [Breaker, Admission] {
  if (breaker.state === "closed") return [breaker, { kind: "admitted" }];
  const { code, openings, untilMs } = breaker;
  const isAstray = untilMs - nowMs > ASTRAY * Math.max(policy.longestRestMs, policy.probeMs);
  if (nowMs < untilMs && !isAstray) return [breaker, { kind: "resting", code, untilMs }];
  return [{ state: "half-open", code, openings, untilMs: nowMs + policy.probeMs }, { kind: "probe" }];
}

/** @param failure undefined: the archive answered */
export function judge(breaker: Breaker, failure: ErrorCode | undefined, policy: BreakerPolicy, nowMs: number): Breaker {
  if (failure === undefined) return { state: "closed", failures: 0 };
  // Left over from before it opened: it says nothing new.
  if (breaker.state === "open") return breaker;
  const failures = breaker.state === "closed" ? breaker.failures + 1 : policy.failures;
  if (failures < policy.failures) return { state: "closed", failures };
  const openings = breaker.state === "half-open" ? breaker.openings + 1 : 1;
  const restMs = Math.min(policy.firstRestMs * 2 ** Math.min(openings - 1, MAXIMUM_DOUBLINGS), policy.longestRestMs);
  return { state: "open", code: failure, openings, untilMs: nowMs + restMs };
}

const MAXIMUM_DOUBLINGS = 30;

/** Studies are spaced evenly, so that no minute holds more than its share. */
export function takeSlot(
  nextStudyAtMs: number,
  { intervalMs, maximumWaitMs }: { readonly intervalMs: number; readonly maximumWaitMs: number },
  nowMs: number,
): readonly [nextStudyAtMs: number, StudySlot] {
  const isAstray = nextStudyAtMs - nowMs > ASTRAY * (maximumWaitMs + intervalMs);
  const atMs = Math.max(isAstray ? nowMs + intervalMs : nextStudyAtMs, nowMs);
  if (atMs - nowMs > maximumWaitMs) return [atMs, { kind: "later", atMs }];
  return [atMs + intervalMs, { kind: "granted", atMs }];
}
