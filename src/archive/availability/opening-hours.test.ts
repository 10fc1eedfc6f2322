import fc from "fast-check";
import { DateTime } from "luxon";
import { describe, expect, test } from "vitest";
import { createOpeningHours, type OpeningHours } from "./opening-hours.ts";
import { parseWindow } from "./window.ts";

const LONDON = "Europe/London";

function hoursOf(texts: readonly string[], timeZone = LONDON): OpeningHours {
  const windows = texts.map((text) => {
    const window = parseWindow(text);
    if (window === undefined) throw new Error(`no window: ${text}`);
    return window;
  });
  return createOpeningHours(windows, timeZone);
}

function at(local: string, zone = LONDON): number {
  return DateTime.fromISO(local, { zone }).toMillis();
}

const nightsAndWeekends = hoursOf(["Mon-Fri 20:00-08:00", "Sat-Sun 00:00-24:00"]);

describe("a window over midnight", () => {
  test.each([
    ["2026-11-18T19:59:59", false, "Wednesday, before it begins"],
    ["2026-11-18T20:00:00", true, "as it begins"],
    ["2026-11-19T07:59:59", true, "Thursday, in what began on Wednesday"],
    ["2026-11-19T08:00:00", false, "as it ends"],
    ["2026-11-21T12:00:00", true, "Saturday"],
    ["2026-11-23T00:00:00", false, "Monday: what began on Sunday ended at midnight"],
  ])("%s: %s (%s)", (local, open) => {
    expect(nightsAndWeekends.isOpen(at(local))).toBe(open);
  });

  test("tells when it opens next, and when it closes", () => {
    expect(nightsAndWeekends.nextOpeningMs(at("2026-11-18T12:00"))).toBe(at("2026-11-18T20:00"));
    expect(nightsAndWeekends.nextOpeningMs(at("2026-11-18T21:00"))).toBe(at("2026-11-18T21:00"));
    expect(nightsAndWeekends.closesAtMs(at("2026-11-18T21:00"))).toBe(at("2026-11-19T08:00"));
    expect(nightsAndWeekends.closesAtMs(at("2026-11-18T12:00"))).toBeUndefined();
  });

  test("windows that follow one another are one: Friday night and the weekend end on Sunday at midnight", () => {
    expect(nightsAndWeekends.closesAtMs(at("2026-11-20T21:00"))).toBe(at("2026-11-23T00:00"));
  });

  test("a range of days may run over the end of the week", () => {
    const hours = hoursOf(["Fri-Mon 10:00-12:00"]);
    expect(hours.isOpen(at("2026-11-23T11:00"))).toBe(true);
    expect(hours.isOpen(at("2026-11-24T11:00"))).toBe(false);
    expect(hours.nextOpeningMs(at("2026-11-24T11:00"))).toBe(at("2026-11-27T10:00"));
  });

  test("always open never closes; no window never opens", () => {
    expect(hoursOf(["Mon-Sun 00:00-24:00"]).closesAtMs(at("2026-11-18T12:00"))).toBeUndefined();
    expect(hoursOf([]).nextOpeningMs(at("2026-11-18T12:00"))).toBeUndefined();
  });
});

describe("the night the clocks go forward (29 March 2026, 01:00 GMT is 02:00 BST)", () => {
  const spring = hoursOf(["Sun 01:30-05:00"]);

  test("a beginning that the clock skips is the moment of the change", () => {
    expect(spring.nextOpeningMs(at("2026-03-29T00:30"))).toBe(Date.UTC(2026, 2, 29, 1, 0));
    expect(spring.isOpen(Date.UTC(2026, 2, 29, 0, 59))).toBe(false);
    expect(spring.isOpen(Date.UTC(2026, 2, 29, 1, 0))).toBe(true);
  });

  test("a night from 20:00 to 08:00 has eleven hours", () => {
    const night = hoursOf(["Sat 20:00-08:00"]);
    const closes = night.closesAtMs(at("2026-03-28T20:00"));
    expect(closes).toBe(Date.UTC(2026, 2, 29, 7, 0));
  });
});

describe("the night the clocks go back (25 October 2026, 02:00 BST is 01:00 GMT)", () => {
  test("a time that is shown twice opens at the first, and stays open over the second", () => {
    const autumn = hoursOf(["Sun 01:30-05:00"]);
    expect(autumn.nextOpeningMs(at("2026-10-25T00:10"))).toBe(Date.UTC(2026, 9, 25, 0, 30));
    expect(autumn.isOpen(Date.UTC(2026, 9, 25, 1, 15))).toBe(true);
  });

  test("a time that is shown twice closes at the first", () => {
    const autumn = hoursOf(["Sat 20:00-01:30"]);
    expect(autumn.isOpen(Date.UTC(2026, 9, 25, 0, 29))).toBe(true);
    expect(autumn.isOpen(Date.UTC(2026, 9, 25, 0, 30))).toBe(false);
    expect(autumn.isOpen(Date.UTC(2026, 9, 25, 1, 15))).toBe(false);
  });

  test("a night from 20:00 to 08:00 has thirteen hours", () => {
    expect(hoursOf(["Sat 20:00-08:00"]).closesAtMs(at("2026-10-24T20:00"))).toBe(Date.UTC(2026, 9, 25, 8, 0));
  });
});

test("a midnight that the clock skips (Beirut, 29 March 2026) opens the day at 01:00", () => {
  const hours = hoursOf(["Sun 00:00-24:00"], "Asia/Beirut");
  expect(hours.nextOpeningMs(Date.UTC(2026, 2, 28, 12))).toBe(Date.UTC(2026, 2, 28, 22));
});

test("when it opens next is open, nothing before it is, and when it closes is closed", () => {
  const zones = fc.constantFrom(
    LONDON,
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "UTC",
    "Asia/Kathmandu",
  );
  const days = fc.constantFrom("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Fri-Mon", "Mon-Fri");
  const time = fc.tuple(fc.nat(23), fc.nat(59)).map(([hour, minute]) => `${pad(hour)}:${pad(minute)}`);
  const windows = fc.array(
    fc.tuple(days, time, time).filter(([, begin, end]) => begin !== end),
    { minLength: 1, maxLength: 3 },
  );
  const year = { min: Date.UTC(2026, 0, 1), max: Date.UTC(2026, 11, 31) };
  fc.assert(
    fc.property(zones, windows, fc.integer(year), (zone, texts, nowMs) => {
      const hours = hoursOf(
        texts.map(([day, begin, end]) => `${day} ${begin}-${end}`),
        zone,
      );
      const next = hours.nextOpeningMs(nowMs) ?? Number.NaN;
      expect(next).toBeGreaterThanOrEqual(nowMs);
      expect(hours.isOpen(next)).toBe(true);
      if (next > nowMs) {
        expect(hours.isOpen(next - 1)).toBe(false);
        expect(hours.isOpen(nowMs + Math.floor((next - nowMs) / 2))).toBe(false);
      }
      const closes = hours.closesAtMs(next);
      if (closes === undefined) return;
      expect(hours.isOpen(closes)).toBe(false);
      expect(hours.isOpen(closes - 1)).toBe(true);
    }),
    { seed: 20260329, numRuns: 100 },
  );
});

function pad(number: number): string {
  return `${number}`.padStart(2, "0");
}
