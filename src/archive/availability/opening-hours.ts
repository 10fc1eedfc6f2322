import { IANAZone } from "luxon";
import { MINUTES_OF_DAY, type Window } from "./window.ts";

/** When an archive may be used, by the wall clock of the site. */
export interface OpeningHours {
  isOpen(atMs: number): boolean;
  /** `atMs` itself when it is open then. Undefined: no window will ever begin. */
  nextOpeningMs(atMs: number): number | undefined;
  /** When the windows around `atMs` end, one that begins as another ends being the same; undefined while closed, or when it never ends. */
  closesAtMs(atMs: number): number | undefined;
}

const MS_OF_MINUTE = 60_000;
const MS_OF_DAY = MINUTES_OF_DAY * MS_OF_MINUTE;
const DAYS_OF_WEEK = 7;
/** Longer than any zone is away from UTC, so that the offsets before and after a local time are both seen. */
const BEYOND_OFFSETS_MS = 26 * 60 * MS_OF_MINUTE;

/**
 * A window opens when the wall clock first shows its beginning and closes when it first shows its end; a time that the clock skips in
 * spring counts as the moment of the change.
 * @param timeZone a name of the IANA database
 */
export function createOpeningHours(windows: readonly Window[], timeZone: string): OpeningHours {
  const zone = IANAZone.create(timeZone);
  const spansAround = (atMs: number): readonly Span[] => spansOf(windows, zone, localDay(zone, atMs));
  const spanAt = (atMs: number): Span | undefined =>
    spansAround(atMs).find((span) => span.beginMs <= atMs && atMs < span.endMs);
  const nextOpeningMs = (atMs: number): number | undefined => {
    if (spanAt(atMs) !== undefined) return atMs;
    const begins = spansAround(atMs).map(({ beginMs }) => beginMs);
    const ahead = begins.filter((beginMs) => beginMs > atMs);
    return ahead.length === 0 ? undefined : Math.min(...ahead);
  };
  return {
    isOpen: (atMs) => spanAt(atMs) !== undefined,
    nextOpeningMs,
    closesAtMs(atMs) {
      let span = spanAt(atMs);
      const lastMs = atMs + (DAYS_OF_WEEK + 1) * MS_OF_DAY;
      while (span !== undefined && span.endMs < lastMs) {
        const next = spanAt(span.endMs);
        if (next === undefined) return span.endMs;
        span = next;
      }
      return undefined;
    },
  };
}

/** Always open. */
export const alwaysOpen: OpeningHours = {
  isOpen: () => true,
  nextOpeningMs: (atMs) => atMs,
  closesAtMs: () => undefined,
};

interface Span {
  readonly beginMs: number;
  readonly endMs: number;
}

/** From the day before, whose windows may run over midnight, to the same weekday of the next week. */
function spansOf(windows: readonly Window[], zone: IANAZone, firstDay: number): readonly Span[] {
  const spans: Span[] = [];
  for (let day = firstDay - 1; day <= firstDay + DAYS_OF_WEEK; day += 1) {
    for (const window of windows.filter((each) => coversDay(each, weekdayOf(day)))) {
      const { beginMinute, endMinute } = window;
      const endsOn = endMinute <= beginMinute ? day + 1 : day;
      const span = { beginMs: firstShown(zone, day, beginMinute), endMs: firstShown(zone, endsOn, endMinute) };
      if (span.beginMs < span.endMs) spans.push(span);
    }
  }
  return spans;
}

function coversDay({ firstDay, lastDay }: Window, weekday: number): boolean {
  return firstDay <= lastDay ? firstDay <= weekday && weekday <= lastDay : weekday >= firstDay || weekday <= lastDay;
}

/** Days since 1970-01-01 by the wall clock. */
function localDay(zone: IANAZone, atMs: number): number {
  return Math.floor((atMs + offsetMs(zone, atMs)) / MS_OF_DAY);
}

/** 0 is Monday; 1970-01-01 was a Thursday. */
function weekdayOf(day: number): number {
  return (((day + 3) % DAYS_OF_WEEK) + DAYS_OF_WEEK) % DAYS_OF_WEEK;
}

function offsetMs(zone: IANAZone, atMs: number): number {
  return zone.offset(atMs) * MS_OF_MINUTE;
}

/** The first instant at which the wall clock shows, or has skipped, the time. */
function firstShown(zone: IANAZone, day: number, minute: number): number {
  const local = day * MS_OF_DAY + minute * MS_OF_MINUTE;
  const before = local - offsetMs(zone, local - BEYOND_OFFSETS_MS);
  const after = local - offsetMs(zone, local + BEYOND_OFFSETS_MS);
  const shown = [before, after].filter((atMs) => atMs + offsetMs(zone, atMs) === local);
  return shown.length > 0 ? Math.min(...shown) : changeBetween(zone, Math.min(before, after), Math.max(before, after));
}

/** When the offset changes, to the minute; zones change once in a day at most. */
function changeBetween(zone: IANAZone, fromMs: number, toMs: number): number {
  let [low, high] = [fromMs, toMs];
  while (high - low > MS_OF_MINUTE) {
    const middle = low + Math.floor((high - low) / 2 / MS_OF_MINUTE) * MS_OF_MINUTE;
    if (offsetMs(zone, middle) === offsetMs(zone, low)) low = middle;
    else high = middle;
  }
  return high;
}
