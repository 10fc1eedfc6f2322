import { expect, it } from "vitest";
import { ACTIONS, actionFor, type Event } from "./state-table.ts";
import { events, printedRows, states } from "./testing/table-9-10.ts";

it.each(printedRows)("has the row of %s as the standard prints it", (event, ...cells) => {
  const actions = states.map((state) => actionFor(state, event as Event) ?? "-");
  expect(actions).toEqual(cells);
});

it("has every event of the standard, and uses every action", () => {
  expect(printedRows.map(([event]) => event)).toEqual(events);
  const used = new Set(printedRows.flatMap(([, ...cells]) => cells).filter((cell) => cell !== "-"));
  expect([...used].sort()).toEqual(Object.keys(ACTIONS).sort());
});
