import { describe, expect, it } from "vitest";
import { finishMs } from "./finish.ts";
import { alwaysOpen, createOpeningHours } from "./opening-hours.ts";
import { parseWindow } from "./window.ts";

const HOUR_MS = 3_600_000;

function hoursOf(...windows: readonly string[]) {
  const parsed = windows.flatMap((text) => parseWindow(text) ?? []);
  return createOpeningHours(parsed, "Europe/London");
}

/** 2026-03-27 is a Friday; in London the clocks go forward on Sunday the 29th at 01:00. */
const FRIDAY_NOON = Date.UTC(2026, 2, 27, 12);

describe("when work will be done", () => {
  it("is after its time where the archive is always open", () => {
    expect(finishMs(alwaysOpen, FRIDAY_NOON, 5 * HOUR_MS)).toBe(FRIDAY_NOON + 5 * HOUR_MS);
  });

  it("counts the time within windows alone", () => {
    const hours = hoursOf("Mon-Sun 20:00-22:00");
    expect(finishMs(hours, FRIDAY_NOON, HOUR_MS)).toBe(Date.UTC(2026, 2, 27, 21));
    expect(finishMs(hours, FRIDAY_NOON, 3 * HOUR_MS)).toBe(Date.UTC(2026, 2, 28, 21));
    // From Sunday on 20:00 in London is 19:00 UTC.
    expect(finishMs(hours, FRIDAY_NOON, 5 * HOUR_MS)).toBe(Date.UTC(2026, 2, 29, 20));
  });

  it("is begun within a window that is open", () => {
    expect(finishMs(hoursOf("Fri 08:00-14:00", "Sat 08:00-09:00"), FRIDAY_NOON, 3 * HOUR_MS)).toBe(
      Date.UTC(2026, 2, 28, 9),
    );
  });

  it("is never where no window opens, or for more than ten years of windows hold", () => {
    expect(finishMs(hoursOf(), FRIDAY_NOON, 1)).toBeUndefined();
    expect(finishMs(hoursOf("Mon 08:00-08:01"), FRIDAY_NOON, 9 * HOUR_MS)).toBeUndefined();
  });
});

it("looks weeks ahead without a walk through them", () => {
  // Two hours a week: the third hour of the 20th week.
  const hours = hoursOf("Mon 08:00-10:00");
  expect(finishMs(hours, FRIDAY_NOON, 39 * HOUR_MS)).toBe(Date.UTC(2026, 7, 10, 8));
  // Always open within a time zone.
  expect(finishMs(hoursOf("Mon-Sun 00:00-24:00"), FRIDAY_NOON, 500 * HOUR_MS)).toBe(FRIDAY_NOON + 500 * HOUR_MS);
});
