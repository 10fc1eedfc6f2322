import { MINUTES_OF_DAY, parseWindow } from "../../../../src/archive/availability/window.ts";

export const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;
export const HOURS = 24;
const MINUTES_OF_HOUR = 60;
const MINUTES_OF_WEEK = DAYS.length * MINUTES_OF_DAY;

/** Every minute of a week from Monday 00:00: 1 where it is open. */
export type Week = Uint8Array<ArrayBuffer>;

/** @param windows undefined: always open */
export function weekOf(windows: readonly string[] | undefined): Week {
  const week = new Uint8Array(MINUTES_OF_WEEK);
  if (windows === undefined) return week.fill(1);
  for (const window of windows.map(parseWindow)) {
    if (window === undefined) continue;
    const { firstDay, lastDay, beginMinute, endMinute } = window;
    const length = (endMinute - beginMinute + MINUTES_OF_DAY) % MINUTES_OF_DAY || MINUTES_OF_DAY;
    const days = ((lastDay - firstDay + DAYS.length) % DAYS.length) + 1;
    for (let day = firstDay; day < firstDay + days; day += 1)
      for (let minute = 0; minute < length; minute += 1)
        week[(day * MINUTES_OF_DAY + beginMinute + minute) % MINUTES_OF_WEEK] = 1;
  }
  return week;
}

/** How much of an hour is open, from 0 to 1. */
export function openPart(week: Week, day: number, hour: number): number {
  const from = day * MINUTES_OF_DAY + hour * MINUTES_OF_HOUR;
  return week.subarray(from, from + MINUTES_OF_HOUR).reduce((sum, each) => sum + each, 0) / MINUTES_OF_HOUR;
}

/** The week with some hours opened or closed. */
export function withHours(week: Week, cells: readonly Cell[], isOpen: boolean): Week {
  const changed = week.slice();
  for (const { day, hour } of cells) {
    const from = day * MINUTES_OF_DAY + hour * MINUTES_OF_HOUR;
    changed.fill(isOpen ? 1 : 0, from, from + MINUTES_OF_HOUR);
  }
  return changed;
}

export interface Cell {
  /** 0 is Monday. */
  readonly day: number;
  readonly hour: number;
}

/** As the settings write it: `Mon-Fri 20:00-08:00`. "always": every minute; an empty list: none. */
export function windowsOf(week: Week): readonly string[] | "always" {
  const firstClosed = week.indexOf(0);
  if (firstClosed === -1) return "always";
  const spans = spansOf(week, firstClosed).flatMap(daysOf);
  return grouped(spans.sort((a, b) => a.day - b.day || a.begin - b.begin));
}

interface Span {
  readonly begin: number;
  readonly length: number;
}

/** From a closed minute on, once round the week: what is open over Sunday's midnight is one. */
function spansOf(week: Week, from: number): readonly Span[] {
  const spans: Span[] = [];
  let begin: number | undefined;
  for (let step = 1; step <= MINUTES_OF_WEEK; step += 1) {
    const isOpen = week[(from + step) % MINUTES_OF_WEEK] === 1;
    if (isOpen && begin === undefined) begin = from + step;
    if (isOpen || begin === undefined) continue;
    spans.push({ begin: begin % MINUTES_OF_WEEK, length: from + step - begin });
    begin = undefined;
  }
  return spans;
}

/** Part of a window: of one day, in minutes of the day; it may end on the next one. */
interface DayHours {
  readonly day: number;
  readonly begin: number;
  readonly end: number;
}

/** A window is shorter than a day: what is longer becomes several. */
function daysOf({ begin, length }: Span): readonly DayHours[] {
  const day = Math.floor(begin / MINUTES_OF_DAY);
  const start = begin % MINUTES_OF_DAY;
  if (length < MINUTES_OF_DAY) {
    const end = start + length;
    return [{ day, begin: start, end: end > MINUTES_OF_DAY ? end - MINUTES_OF_DAY : end }];
  }
  const parts: DayHours[] = [];
  for (let at = start, left = length, on = day; left > 0; on += 1) {
    const end = Math.min(MINUTES_OF_DAY, at + left);
    parts.push({ day: on % DAYS.length, begin: at, end });
    left -= end - at;
    at = 0;
  }
  return parts;
}

/** The same hours on days that follow each other are one window. */
function grouped(hours: readonly DayHours[]): readonly string[] {
  const groups = new Map<string, number[]>();
  for (const { day, begin, end } of hours) {
    const text = `${clockText(begin)}-${clockText(end)}`;
    groups.set(text, [...(groups.get(text) ?? []), day]);
  }
  return [...groups].flatMap(([text, days]) => runsOf(days).map((run) => `${run} ${text}`));
}

function runsOf(days: readonly number[]): readonly string[] {
  const runs: { first: number; last: number }[] = [];
  for (const day of days) {
    const run = runs.at(-1);
    if (run !== undefined && day === run.last + 1) run.last = day;
    else runs.push({ first: day, last: day });
  }
  return runs.map(({ first, last }) => (first === last ? `${DAYS[first]}` : `${DAYS[first]}-${DAYS[last]}`));
}

function clockText(minute: number): string {
  const [hours, minutes] = [Math.floor(minute / MINUTES_OF_HOUR), minute % MINUTES_OF_HOUR];
  return `${String(hours).padStart(2, "0")}:${String(minutes).padStart(2, "0")}`;
}
