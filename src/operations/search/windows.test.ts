import { expect, it } from "vitest";
import { askByWindows, type DateWindow, dateOf, dayOf, questionsAtMost, windowOf } from "./windows.ts";

interface Days {
  readonly rows: readonly number[];
  readonly isCut: boolean;
}

/** An archive with a study on each of some days, which cuts its answers silently. */
function archiveOf(days: readonly number[], cap: number) {
  const questions: (DateWindow | undefined)[] = [];
  const found: number[] = [];
  const ask = async (window: DateWindow | undefined) => {
    questions.push(window);
    const all = days.filter((day) => window === undefined || (day >= window.first && day <= window.last));
    const rows = all.slice(0, cap);
    found.push(...rows);
    return { rows, isCut: all.length >= cap };
  };
  const drop = async ({ rows }: Days) => {
    found.length -= rows.length;
  };
  return { questions, found, ask, drop };
}

it("finds every study once, whatever the archive cuts its answers at", async () => {
  const days = Array.from({ length: 200 }, (_, index) => index * 3);
  const { questions, found, ...archive } = archiveOf(days, 10);
  const answers = await Array.fromAsync(askByWindows<Days>({ first: 0, last: 1_000 }, { isBounded: true, ...archive }));
  expect(answers.flatMap(({ rows }) => rows)).toEqual(days);
  expect(found).toEqual(days);
  expect(answers.some(({ isCut }) => isCut)).toBe(false);
  expect(questions.length).toBeLessThan(85);
});

it("says which day has more than the archive gives", async () => {
  const { ask, drop, found } = archiveOf([3, 5, 5, 5, 9], 3);
  const answers = await Array.fromAsync(askByWindows<Days>({ first: 0, last: 15 }, { isBounded: false, ask, drop }));
  expect(answers.filter(({ isCut }) => isCut)).toEqual([{ rows: [5, 5, 5], isCut: true }]);
  expect(found).toEqual([3, 5, 5, 5, 9]);
});

it.each([
  { first: 4, last: 4 },
  { first: 4, last: 5 },
  { first: 0, last: 30 },
])("knows before how often it asks at most: $first to $last", async (span) => {
  const { ask, drop, questions } = archiveOf([], 0);
  await Array.fromAsync(askByWindows<Days>(span, { isBounded: true, ask, drop }));
  expect(questions).toHaveLength(questionsAtMost(span));
});

it("asks once where nothing is cut", async () => {
  const { ask, drop, questions } = archiveOf([1, 2], 3);
  await Array.fromAsync(askByWindows<Days>({ first: 0, last: 15 }, { isBounded: false, ask, drop }));
  expect(questions).toEqual([undefined]);
});

it.each([
  ["20260228", 20_512],
  ["19700101", 0],
  ["20260229", undefined],
  ["20261301", undefined],
  ["2026-02-28", undefined],
])("reads %s as day %s", (date, day) => {
  expect(dayOf(date)).toBe(day);
  if (day !== undefined) expect(dateOf(day)).toBe(date);
});

it("ends an open range tomorrow", () => {
  expect(windowOf("19700103", undefined, 86_400_000)).toEqual({ first: 2, last: 2 });
});
