import type { NumberFormat } from "./number-format.ts";

/** A cell as text, and whether an identifier that was typed into it may have been another one. */
export interface CellValue {
  readonly text: string;
  readonly isDoubtful: boolean;
}

export const NOTHING: CellValue = { text: "", isDoubtful: false };

/** What a spreadsheet keeps of a number: 15 digits, the others become zeros. */
const EXACT_BELOW = 1e15;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
/** Who writes `1.23457E+11` for a number that short has rounded it; `1.23456789012E11`, as Java writes it, is exact. */
const ROUNDED = /e\+/i;

const DAY_MS = 86_400_000;
/** Serial number of 1970-01-01 where day 1 is 1900-01-01, and where day 0 is 1904-01-01. ISO/IEC 29500-1 18.17.4.1. */
const EPOCH_DAYS = { from1900: 25_569, from1904: 24_107 } as const;
/** Day 60 is 29 February 1900, which never was: days before it count one less. */
const DAY_THAT_NEVER_WAS = 60;
const LAST_DAY = 2_958_466;

/**
 * A number as it is shown where that is plain digits, else as it is held. Undefined: it is none.
 * @param written as it stands in the file
 */
export function numberValue(written: string, format: NumberFormat, isFrom1904: boolean): CellValue | undefined {
  if (!NUMBER.test(written)) return undefined;
  const value = Number(written);
  if (format.kind === "date") return { text: dateText(value, isFrom1904) ?? written, isDoubtful: true };
  const isExact = Number.isInteger(value) && Math.abs(value) < EXACT_BELOW && !ROUNDED.test(written);
  const digits = Number.isSafeInteger(value) ? String(value) : written;
  if (format.kind !== "padded") return { text: digits, isDoubtful: !isExact || format.kind === "other" };
  const isPadded = isExact && value >= 0;
  return { text: isPadded ? digits.padStart(format.digits, "0") : digits, isDoubtful: !isPadded };
}

/** `2026-02-03`, or with the time where there is one. Undefined: no day of a calendar. */
function dateText(serial: number, isFrom1904: boolean): string | undefined {
  if (!(serial >= 0 && serial < LAST_DAY)) return undefined;
  const epoch = isFrom1904 ? EPOCH_DAYS.from1904 : EPOCH_DAYS.from1900;
  const days = !isFrom1904 && serial < DAY_THAT_NEVER_WAS ? serial + 1 : serial;
  return dayText(new Date(Math.round((days - epoch) * DAY_MS)).toISOString());
}

/** A moment without its time when that is midnight. */
export function dayText(moment: string): string {
  return moment.replace(/T00:00:00(?:\.0+)?Z?$/, "");
}
