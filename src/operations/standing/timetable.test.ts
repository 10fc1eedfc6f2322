import { expect, it } from "vitest";
import { dateIn, queriesOn } from "./relative-dates.ts";
import { passedBetween, runsOf } from "./timetable.ts";

const at = (text: string): number => Date.parse(text);
const next = (times: readonly string[], timeZone: string, after: string): string => {
  const nextMs = runsOf({ times, timeZone }).after(at(after));
  return nextMs === undefined ? "never" : new Date(nextMs).toISOString();
};

it.each([
  ["later on the same day", ["02:00"], "UTC", "2026-11-20T01:00:00Z", "2026-11-20T02:00:00.000Z"],
  ["strictly later", ["02:00"], "UTC", "2026-11-20T02:00:00Z", "2026-11-21T02:00:00.000Z"],
  ["the next one of several", ["22:00", "02:00"], "UTC", "2026-11-20T03:00:00Z", "2026-11-20T22:00:00.000Z"],
  ["one that comes soon after another", ["02:00", "02:10"], "UTC", "2026-11-20T02:00:00Z", "2026-11-20T02:10:00.000Z"],
  ["over the weekend", ["Mon-Fri 02:00"], "UTC", "2026-11-20T02:00:00Z", "2026-11-23T02:00:00.000Z"],
  ["days that run over Sunday", ["Sat-Mon 02:00"], "UTC", "2026-11-23T02:00:00Z", "2026-11-28T02:00:00.000Z"],
  ["by the clock of the place", ["02:00"], "Asia/Kolkata", "2026-11-20T01:00:00Z", "2026-11-20T20:30:00.000Z"],
  [
    "a time that spring skips, at the change",
    ["02:30"],
    "Europe/Berlin",
    "2026-03-29T00:00:00Z",
    "2026-03-29T01:00:00.000Z",
  ],
  [
    "a time that autumn has twice, at its first",
    ["02:30"],
    "Europe/Berlin",
    "2026-10-25T00:00:00Z",
    "2026-10-25T00:30:00.000Z",
  ],
  ["and not at its second", ["02:30"], "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00.000Z"],
])("runs %s", (_, times, timeZone, after, expected) => {
  expect(next(times, timeZone, after)).toBe(expected);
});

it.each([
  [[], "UTC"],
  [["25:00"], "UTC"],
  [["Mon 2:00"], "UTC"],
  [["Mun 02:00"], "UTC"],
  [["02:00"], "Mars/Olympus"],
])("refuses %j in %s", (times, timeZone) => {
  expect(() => runsOf({ times, timeZone })).toThrow(expect.objectContaining({ code: "STANDING_TIMETABLE_INVALID" }));
});

it("counts the times that passed", () => {
  const runs = runsOf({ times: ["02:00", "14:00"], timeZone: "UTC" });
  expect(passedBetween(runs, at("2026-11-20T02:00:00Z"), at("2026-11-22T01:00:00Z"))).toBe(3);
  expect(passedBetween(runs, at("2026-11-20T02:00:00Z"), at("2026-11-20T02:00:00Z"))).toBe(0);
});

it("reads dates as they are on the day of the run, where the archive is", () => {
  const today = dateIn("Pacific/Auckland", at("2026-02-28T12:00:00Z"));
  expect(today).toBe("20260301");
  const query = { keys: ["PatientID=7"], modality: "CT" };
  expect(
    queriesOn(
      [
        { ...query, from: "-7d", to: "today" },
        { ...query, from: "-2w" },
        { ...query, from: "20250101" },
      ],
      today,
    ),
  ).toEqual([
    { ...query, from: "20260222", to: "20260301" },
    { ...query, from: "20260215", to: undefined },
    { ...query, from: "20250101", to: undefined },
  ]);
});
