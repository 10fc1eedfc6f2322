import { createOpeningHours } from "../../archive/availability/opening-hours.ts";
import { MINUTES_OF_DAY, parseWindow } from "../../archive/availability/window.ts";
import { GatewayError } from "../../errors/gateway-error.ts";

/** When something runs, by the wall clock of a place. */
export interface Timetable {
  /** As written: `Mon-Fri 02:00`, `Sun 14:30`, or `02:00` for every day. */
  readonly times: readonly string[];
  /** A name of the IANA database. */
  readonly timeZone: string;
}

const MAXIMUM_TIMES = 50;
const TIME = /^(?:(?<days>[A-Z][a-z]{2}(?:-[A-Z][a-z]{2})?) )?(?<hour>[01]\d|2[0-3]):(?<minute>[0-5]\d)$/;
/** Wider than the clock ever jumps, so that a time that it skips has a moment; shorter than a day, so that each day has its own. */
const SPAN_MINUTES = 4 * 60;

/** Instants of a timetable. */
export interface Runs {
  /** The first one later than `atMs`; undefined when there are none. */
  after(atMs: number): number | undefined;
}

/**
 * A time that the clock skips in spring is the moment of the change, and one that comes twice in autumn is its first.
 * @throws GatewayError STANDING_TIMETABLE_INVALID
 */
export function runsOf({ times, timeZone }: Timetable): Runs {
  if (times.length === 0 || times.length > MAXIMUM_TIMES)
    throw new GatewayError("STANDING_TIMETABLE_INVALID", { problem: `1 to ${MAXIMUM_TIMES} times` });
  if (!isTimeZone(timeZone)) throw new GatewayError("STANDING_TIMETABLE_INVALID", { problem: "no such time zone" });
  const each = times.map((time, index) => createOpeningHours([windowFrom(time, index + 1)], timeZone));
  return {
    after(atMs) {
      const ahead = each.map((hours) => hours.nextOpeningMs(hours.closesAtMs(atMs) ?? atMs));
      const known = ahead.filter((one) => one !== undefined);
      return known.length === 0 ? undefined : Math.min(...known);
    },
  };
}

function windowFrom(time: string, number: number) {
  const { days = "Mon-Sun", hour = "", minute = "" } = TIME.exec(time)?.groups ?? {};
  const begin = Number(hour) * 60 + Number(minute);
  const end = (begin + SPAN_MINUTES) % MINUTES_OF_DAY;
  const window = hour === "" ? undefined : parseWindow(`${days} ${clockText(begin)}-${clockText(end)}`);
  if (window === undefined)
    throw new GatewayError("STANDING_TIMETABLE_INVALID", { problem: `time ${number} is not like Mon-Fri 02:00` });
  return window;
}

function clockText(minute: number): string {
  const two = (part: number): string => String(part).padStart(2, "0");
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

/** Times of a timetable that are looked at at most when it is counted what passed. */
const MAXIMUM_PASSED = 1_000;

/** How many times came later than one and not later than another. */
export function passedBetween(runs: Runs, afterMs: number, untilMs: number): number {
  let passed = 0;
  let next = runs.after(afterMs);
  while (next !== undefined && next <= untilMs && passed < MAXIMUM_PASSED) {
    passed += 1;
    next = runs.after(next);
  }
  return passed;
}
