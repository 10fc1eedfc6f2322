const DAY_MS = 86_400_000;
/** Dates before this are placeholders, not dates of examinations. */
const EARLIEST_YEAR = 1800;
const LATEST_YEAR = 2200;
/** PS3.5 6.2 DT: YYYYMMDDHHMMSS.FFFFFF&ZZXX, cut short anywhere from the end. */
const DATE_TIME = /^([0-9]{4})([0-9]{2})?([0-9]{2})?((?:[0-9]{2}){0,3}(?:\.[0-9]{1,6})?)([+-][0-9]{4})?$/;
const DATE = /^([0-9]{4})([0-9]{2})([0-9]{2})$/;
/** ACR-NEMA 2 form, PS3.5 6.2. */
const OLD_DATE = /^([0-9]{4})\.([0-9]{2})\.([0-9]{2})$/;

/** A date moved by whole days; undefined: not a date. PS3.5 6.2 DA. */
export function shiftDate(value: string, days: number): string | undefined {
  const [, year, month, day] = DATE.exec(value) ?? OLD_DATE.exec(value) ?? [];
  return shifted(year, month, day, days);
}

/** The date part moved by whole days, time and offset as they were, in the precision of the value; undefined: not a date and time. */
export function shiftDateTime(value: string, days: number): string | undefined {
  const [, year, month, day, time = "", offset = ""] = DATE_TIME.exec(value) ?? [];
  if (time !== "" && day === undefined) return undefined;
  const date = shifted(year, month ?? "01", day ?? "01", days);
  if (date === undefined) return undefined;
  const length = day === undefined ? (month === undefined ? 4 : 6) : 8;
  return date.slice(0, length) + time + offset;
}

function shifted(year = "", month = "", day = "", days: number): string | undefined {
  const yearNumber = Number(year);
  if (year === "" || yearNumber < EARLIEST_YEAR || yearNumber > LATEST_YEAR) return undefined;
  const timeMs = Date.UTC(yearNumber, Number(month) - 1, Number(day));
  const original = new Date(timeMs);
  if (original.getUTCMonth() !== Number(month) - 1 || original.getUTCDate() !== Number(day)) return undefined;
  return new Date(timeMs + days * DAY_MS).toISOString().slice(0, 10).replaceAll("-", "");
}
