import { DateTime } from "luxon";
import { openingHoursOf } from "../../../archive/availability/policy.ts";

/** When PIXL asks its secondary archive. */
const PIXL_WINDOWS = ["Mon-Fri 00:00-08:00", "Mon-Fri 20:00-24:00"];

/** Where no window will ever begin, settings are looked at again. */
const LOOK_AGAIN_MS = 3_600_000;

export interface HoursOptions {
  /** As `Mon-Fri 20:00-08:00`. Undefined: PIXL's. */
  readonly windows: readonly string[] | undefined;
  /** Undefined: this machine's. */
  readonly timeZone: string | undefined;
}

/** Says when an archive may be asked: at once (the time itself), or when its next window begins. */
export type Hours = (atMs: number) => number;

export const alwaysOpen: Hours = (atMs) => atMs;

/** PIXL still counts the moment at which a window begins as closed, unless its day begins with it. */
export function createHours({ windows = PIXL_WINDOWS, timeZone }: HoursOptions): Hours {
  const hours = openingHoursOf({ windows, timeZone, studiesPerMinute: undefined, bytesPerSecond: undefined });
  const beginsDay = (atMs: number): boolean => {
    const local = DateTime.fromMillis(atMs, timeZone === undefined ? {} : { zone: timeZone });
    return local.toMillis() === local.startOf("day").toMillis();
  };
  return (atMs) => {
    const opensAtMs = hours.nextOpeningMs(atMs);
    if (opensAtMs === undefined) return atMs + LOOK_AGAIN_MS;
    const isOpen = opensAtMs === atMs && (hours.isOpen(atMs - 1) || beginsDay(atMs));
    if (isOpen) return atMs;
    return beginsDay(opensAtMs) ? opensAtMs : opensAtMs + 1;
  };
}
