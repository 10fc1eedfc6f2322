import { describe, expect, it } from "vitest";
import { createHours } from "./hours.ts";

const hours = createHours({ windows: undefined, timeZone: "Europe/London" });
const ms = (text: string): number => Date.parse(text);
const isOpen = (text: string): boolean => hours(ms(text)) === ms(text);

describe("the secondary archive's hours, as PIXL has them (W25)", () => {
  // 2026-01-05 is a Monday; London has UTC then.
  it.each([
    ["Monday 00:00:00", "2026-01-05T00:00:00.000Z", true],
    ["Monday 02:00", "2026-01-05T02:00:00.000Z", true],
    ["the end of the night", "2026-01-05T07:59:59.999Z", true],
    ["08:00:00", "2026-01-05T08:00:00.000Z", false],
    ["Monday 11:00", "2026-01-05T11:00:00.000Z", false],
    ["20:00:00", "2026-01-05T20:00:00.000Z", false],
    ["a moment after 20:00:00", "2026-01-05T20:00:00.001Z", true],
    ["midnight between workdays", "2026-01-06T00:00:00.000Z", true],
    ["Friday 23:59", "2026-01-09T23:59:59.999Z", true],
    ["Saturday 00:00:00", "2026-01-10T00:00:00.000Z", false],
    ["Saturday 02:00", "2026-01-10T02:00:00.000Z", false],
    ["Sunday 22:00", "2026-01-11T22:00:00.000Z", false],
  ])("are open at %s: %s %s", (_, at, expected) => {
    expect(isOpen(at)).toBe(expected);
  });

  it.each([
    ["a workday", "2026-01-05T11:00:00.000Z", "2026-01-05T20:00:00.001Z"],
    ["the weekend", "2026-01-10T02:00:00.000Z", "2026-01-12T00:00:00.000Z"],
    ["the weekend in which summer time begins", "2026-03-28T12:00:00.000Z", "2026-03-29T23:00:00.000Z"],
    ["the weekend in which it ends", "2026-10-24T12:00:00.000Z", "2026-10-26T00:00:00.000Z"],
    ["a workday of summer time", "2026-07-01T12:00:00.000Z", "2026-07-01T19:00:00.001Z"],
  ])("say when they open again after %s", (_, at, opensAt) => {
    expect(new Date(hours(ms(at))).toISOString()).toBe(opensAt);
  });

  it("follow the wall clock of summer time", () => {
    expect([isOpen("2026-07-01T06:59:59.999Z"), isOpen("2026-07-01T07:00:00.000Z")]).toEqual([true, false]);
  });
});

it("keeps to windows of the site's own", () => {
  const own = createHours({ windows: ["Mon-Sun 00:00-24:00"], timeZone: "Europe/London" });
  expect(own(ms("2026-01-10T11:00:00.000Z"))).toBe(ms("2026-01-10T11:00:00.000Z"));
});
