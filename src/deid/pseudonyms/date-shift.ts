import type { DateShiftSettings } from "../profiles/profile.ts";

const DAY_MS = 86_400_000;
const DAYS_PER_WEEK = 7n;
/** Dates before this are placeholders, not dates of examinations. */
const EARLIEST_YEAR = 1800;
const LATEST_YEAR = 2200;
/** PS3.5 6.2 DT: YYYYMMDDHHMMSS.FFFFFF&ZZXX, cut short anywhere from the end. */
const DATE_TIME = /^([0-9]{4})([0-9]{2})?([0-9]{2})?((?:[0-9]{2}){0,3}(?:\.[0-9]{1,6})?)([+-][0-9]{4})?$/;
const DATE = /^([0-9]{4})([0-9]{2})([0-9]{2})$/;
/** ACR-NEMA 2 form, PS3.5 6.2. */
const OLD_DATE = /^([0-9]{4})\.([0-9]{2})\.([0-9]{2})$/;
/** From, to, or both: PS3.4 C.2.2.2.5. A hyphen before 4 digits up to 1200 is an offset from UTC, PS3.5 6.2 DT. */
const DATE_RANGE = /^([0-9.]*)-([0-9.]*)$/;
const DATE_TIME_RANGE = /^((?:[0-9.]{4,21}(?:[+-][0-9]{4})?)?)-((?:[0-9.]{4,21}(?:[+-][0-9]{4})?)?)$/;
const OFFSET_FROM_UTC = /-(?:0[0-9]|1[0-2])[0-9]{2}$/;

/**
 * Whole days to add, from 32 keyed bytes: between 1 and the most that is allowed, into the past unless the settings say both ways.
 * By weeks, at least one.
 */
export function shiftDaysOf(keyed: Uint8Array, settings: DateShiftSettings): number {
  const number = BigInt(`0x${Buffer.from(keyed).toString("hex")}`);
  const most = BigInt(settings.days);
  const unit = settings.keepWeekday ? DAYS_PER_WEEK : 1n;
  const steps = most / unit < 1n ? 1n : most / unit;
  const days = Number(unit * (1n + (number % steps)));
  const isForward = settings.direction === "both" && (number / steps) % 2n === 1n;
  return isForward ? days : -days;
}

/** A date, or a range of dates, moved by whole days; undefined: not a date. PS3.5 6.2 DA. */
export function shiftDate(value: string, days: number): string | undefined {
  const [, year, month, day] = DATE.exec(value) ?? OLD_DATE.exec(value) ?? [];
  if (year !== undefined) return shifted(year, month, day, days);
  return shiftRange(DATE_RANGE.exec(value), (end) => shiftDate(end, days));
}

/** The date part moved by whole days, time and offset as they were, in the precision of the value; undefined: not a date and time. */
export function shiftDateTime(value: string, days: number): string | undefined {
  const parts = DATE_TIME.exec(value);
  if (parts === null || (value.includes("-") && !OFFSET_FROM_UTC.test(value))) {
    return shiftRange(DATE_TIME_RANGE.exec(value), (end) => shiftDateTime(end, days));
  }
  const [, year, month, day, time = "", offset = ""] = parts;
  if (time !== "" && day === undefined) return undefined;
  const date = shifted(year, month ?? "01", day ?? "01", days);
  if (date === undefined) return undefined;
  const length = day === undefined ? (month === undefined ? 4 : 6) : 8;
  return date.slice(0, length) + time + offset;
}

function shiftRange(range: RegExpExecArray | null, shiftEnd: (end: string) => string | undefined): string | undefined {
  const [, from = "", to = ""] = range ?? [];
  if (from === "" && to === "") return undefined;
  const [first, last] = [from, to].map((end) => (end === "" ? "" : shiftEnd(end)));
  return first === undefined || last === undefined ? undefined : `${first}-${last}`;
}

function shifted(year = "", month = "", day = "", days: number): string | undefined {
  const original = dayOf(year, month, day);
  if (original === undefined) return undefined;
  return new Date(original.getTime() + days * DAY_MS).toISOString().slice(0, 10).replaceAll("-", "");
}

/** A day of the calendar; undefined: there is none of that name, or nobody was imaged on it. */
function dayOf(year: string, month: string, day: string): Date | undefined {
  const yearNumber = Number(year);
  if (year === "" || yearNumber < EARLIEST_YEAR || yearNumber > LATEST_YEAR) return undefined;
  const date = new Date(Date.UTC(yearNumber, Number(month) - 1, Number(day)));
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day) ? date : undefined;
}

function calendarDay(value: string): Date | undefined {
  const [, year = "", month = "", day = ""] = DATE.exec(value) ?? OLD_DATE.exec(value) ?? [];
  return dayOf(year, month, day);
}

/** The first of January of the date's year; undefined: not a date. */
export function yearOnly(value: string): string | undefined {
  const day = calendarDay(value);
  return day === undefined ? undefined : `${String(day.getUTCFullYear())}0101`;
}

/** Whole days from one date to another; undefined as in `yearsBetween`. */
export function daysBetween(birthDate: string, studyDate: string): number | undefined {
  const [birth, study] = [birthDate, studyDate].map(calendarDay);
  if (birth === undefined || study === undefined || study < birth) return undefined;
  return (study.getTime() - birth.getTime()) / DAY_MS;
}

/** Whole years from one date to another; undefined: one is no date, or they stand the wrong way round. */
export function yearsBetween(birthDate: string, studyDate: string): number | undefined {
  const [birth, study] = [birthDate, studyDate].map(calendarDay);
  if (birth === undefined || study === undefined || study < birth) return undefined;
  const years = study.getUTCFullYear() - birth.getUTCFullYear();
  const birthday = Date.UTC(study.getUTCFullYear(), birth.getUTCMonth(), birth.getUTCDate());
  return study.getTime() < birthday ? years - 1 : years;
}
