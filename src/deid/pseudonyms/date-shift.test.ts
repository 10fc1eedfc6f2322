import fc from "fast-check";
import { expect, it } from "vitest";
import { shiftDate, shiftDateTime } from "./date-shift.ts";

it.each([
  ["20240301", -1, "20240229"],
  ["20230301", -1, "20230228"],
  ["20000101", -1, "19991231"],
  ["1999.12.31", -30, "19991201"],
])("moves %s by %d days to %s", (date, days, expected) => {
  expect(shiftDate(date, days)).toBe(expected);
});

it.each(["00000000", "20230229", "20241301", "17991231", "2024", "ABCDEFGH", "20240101x"])(
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
