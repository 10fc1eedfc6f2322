import fc from "fast-check";
import { expect, it } from "vitest";
import { USUAL_PSEUDONYMS } from "../profiles/profile.ts";
import { shiftDate, shiftDateTime, shiftDaysOf, yearOnly, yearsBetween } from "./date-shift.ts";

const USUAL = USUAL_PSEUDONYMS.dateShift;
const KEYED = fc.uint8Array({ minLength: 32, maxLength: 32 });

it.each([
  ["20240301", -1, "20240229"],
  ["20230301", -1, "20230228"],
  ["20000101", -1, "19991231"],
  ["1999.12.31", -30, "19991201"],
  ["20231231", 1, "20240101"],
  ["18000101", -1, "17991231"],
  ["20240301-20240302", -1, "20240229-20240301"],
  ["20240301-", -1, "20240229-"],
  ["-20240301", -1, "-20240229"],
])("moves %s by %d days to %s", (date, days, expected) => {
  expect(shiftDate(date, days)).toBe(expected);
});

it.each(["00000000", "20230229", "20241301", "17991231", "2024", "ABCDEFGH", "20240101x", "-", "20240101-text"])(
  "refuses %s as a date",
  (date) => {
    expect(shiftDate(date, -5)).toBeUndefined();
  },
);

it.each([
  ["20240301093000.123456+0100", -1, "20240229093000.123456+0100"],
  ["2024030109", -1, "2024022909"],
  ["202403", -1, "202402"],
  ["2024", -1, "2023"],
  ["20240301+0000", -366, "20230301+0000"],
  ["20240301093000-0500", -1, "20240229093000-0500"],
  ["2024-1200", -1, "2023-1200"],
  ["2024-2025", -1, "2023-2024"],
  ["20240301093000-0500-20240302093000-0500", -1, "20240229093000-0500-20240301093000-0500"],
])("moves the date of %s by %d days and nothing else: %s", (dateTime, days, expected) => {
  expect(shiftDateTime(dateTime, days)).toBe(expected);
});

it("keeps every interval", () => {
  const day = fc.date({ min: new Date("1900-01-01"), max: new Date("2100-12-31"), noInvalidDate: true });
  const asDate = (date: Date): string => date.toISOString().slice(0, 10).replaceAll("-", "");
  const asDays = (date: string): number =>
    Date.UTC(Number(date.slice(0, 4)), Number(date.slice(4, 6)) - 1, Number(date.slice(6))) / 86_400_000;
  fc.assert(
    fc.property(day, day, fc.integer({ min: -3650, max: -1 }), (a, b, days) => {
      const shiftedA = shiftDate(asDate(a), days) ?? "";
      const shiftedB = shiftDate(asDate(b), days) ?? "";
      expect(asDays(shiftedA) - asDays(shiftedB)).toBe(asDays(asDate(a)) - asDays(asDate(b)));
    }),
  );
});

it.each(["2024030109-30", "20240230", "-", "yesterday", "20240301-text"])("refuses %s as a date and time", (value) => {
  expect(shiftDateTime(value, -1)).toBeUndefined();
});

it("moves by 1 day to the most allowed, and forward only where it may", () => {
  fc.assert(
    fc.property(KEYED, fc.integer({ min: 30, max: 5000 }), (keyed, days) => {
      const past = shiftDaysOf(keyed, { ...USUAL, days });
      expect(past).toBeLessThanOrEqual(-1);
      expect(past).toBeGreaterThanOrEqual(-days);
      const both = shiftDaysOf(keyed, { ...USUAL, days, direction: "both" });
      expect(Math.abs(both)).toBe(-past);
      const weeks = shiftDaysOf(keyed, { ...USUAL, days, keepWeekday: true });
      expect(weeks % 7 === 0 && weeks <= -7 && weeks >= -days).toBe(true);
    }),
  );
  const signs = fc.sample(KEYED, 100).map((keyed) => Math.sign(shiftDaysOf(keyed, { ...USUAL, direction: "both" })));
  expect(new Set(signs)).toEqual(new Set([-1, 1]));
});

it.each([
  ["19310704", "19310101"],
  ["1931.07.04", "19310101"],
  ["19310231", undefined],
  ["1931", undefined],
])("keeps the year of %s: %s", (birthDate, expected) => {
  expect(yearOnly(birthDate)).toBe(expected);
});

it.each([
  ["19310704", "20210703", 89],
  ["19310704", "20210704", 90],
  ["20240229", "20250228", 0],
  ["20240229", "20250301", 1],
  ["20250301", "20240229", undefined],
  ["", "20240229", undefined],
])("counts the years from %s to %s: %s", (birthDate, studyDate, expected) => {
  expect(yearsBetween(birthDate, studyDate)).toBe(expected);
});
