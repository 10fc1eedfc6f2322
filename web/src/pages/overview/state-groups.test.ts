import { expect, it } from "vitest";
import { STATES_WORST_FIRST } from "../../../../src/store/job-states.ts";
import { STATE_GROUPS } from "./state-groups.ts";

it("shows each state once, and what is done but not delivered apart from what failed", () => {
  const states = STATE_GROUPS.flatMap(({ states: members }) => members);
  expect(states.toSorted()).toEqual(STATES_WORST_FIRST.toSorted());
  expect(STATE_GROUPS.filter(({ states: members }) => members.length > 1)).toMatchObject([{ title: "waiting" }]);
  expect(STATE_GROUPS.find(({ title }) => title === "failed")).toMatchObject({ states: ["failed"] });
});
