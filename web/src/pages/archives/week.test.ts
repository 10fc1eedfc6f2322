import { expect, it } from "vitest";
import { openPart, weekOf, windowsOf, withHours } from "./week.ts";

it.each([
  [["Mon-Fri 20:00-08:00"]],
  [["Mon-Fri 12:15-13:07"]],
  [["Sat-Sun 00:00-24:00"], ["Sat-Sun 00:00-24:00"]],
  [["Mon-Thu 20:00-08:00", "Fri 20:00-24:00", "Mon 00:00-08:00", "Sat-Sun 00:00-24:00"]],
  [["Sun 22:00-02:00"]],
  [["Fri-Mon 01:00-02:00"], ["Mon 01:00-02:00", "Fri-Sun 01:00-02:00"]],
  [[]],
])("writes %j as windows that are open at the same minutes", (windows, expected = windows) => {
  const written = windowsOf(weekOf(windows));
  expect([...written].sort()).toEqual([...expected].sort());
  expect(weekOf(written === "always" ? undefined : written)).toEqual(weekOf(windows));
});

it("knows a week that is always open, however it is written", () => {
  expect(windowsOf(weekOf(undefined))).toBe("always");
  expect(windowsOf(weekOf(["Mon-Sun 00:00-24:00"]))).toBe("always");
  expect(windowsOf(weekOf(["Mon-Sun 00:00-12:00", "Mon-Sun 12:00-24:00"]))).toBe("always");
});

it("opens and closes whole hours, and leaves the minutes of others", () => {
  const week = weekOf(["Mon 10:30-11:00"]);
  expect([openPart(week, 0, 9), openPart(week, 0, 10), openPart(week, 0, 11)]).toEqual([0, 0.5, 0]);
  expect(windowsOf(withHours(week, [{ day: 0, hour: 11 }], true))).toEqual(["Mon 10:30-12:00"]);
  expect(windowsOf(withHours(weekOf(undefined), [{ day: 2, hour: 3 }], false))).toHaveLength(4);
});
