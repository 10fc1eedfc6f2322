import { SystemZone } from "luxon";
import type { ArchiveCondition, BreakerPolicy } from "../../store/archive-condition.ts";
import { alwaysOpen, createOpeningHours, type OpeningHours } from "./opening-hours.ts";
import { parseWindow } from "./window.ts";

/** How much, and when, an archive may be used, as the settings say. */
export interface AvailabilityPolicy {
  /** As written: `Mon-Fri 20:00-08:00`. Undefined: always open. */
  readonly windows: readonly string[] | undefined;
  /** Undefined: this machine's. */
  readonly timeZone: string | undefined;
  readonly studiesPerMinute: number | undefined;
  readonly bytesPerSecond: number | undefined;
}

/** Rests are long enough for an archive to restart, and short enough that nobody waits for us after it has. */
export const BREAKER_POLICY: BreakerPolicy = {
  failures: 5,
  firstRestMs: 30_000,
  longestRestMs: 15 * 60_000,
  probeMs: 120_000,
};

/** What holds now: the settings with what operators changed since. */
export function policyInForce(policy: AvailabilityPolicy, { overrides }: ArchiveCondition): AvailabilityPolicy {
  const chosen = <T>(override: T | null | undefined, configured: T | undefined): T | undefined =>
    override === undefined ? configured : (override ?? undefined);
  return {
    windows: chosen(overrides.windows, policy.windows),
    timeZone: overrides.timeZone ?? policy.timeZone,
    studiesPerMinute: chosen(overrides.studiesPerMinute, policy.studiesPerMinute),
    bytesPerSecond: chosen(overrides.bytesPerSecond, policy.bytesPerSecond),
  };
}

export function openingHoursOf({ windows, timeZone }: AvailabilityPolicy): OpeningHours {
  if (windows === undefined) return alwaysOpen;
  const parsed = windows.map(parseWindow).filter((window) => window !== undefined);
  return createOpeningHours(parsed, timeZone ?? SystemZone.instance.name);
}
