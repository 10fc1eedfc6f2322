import { expect, it } from "vitest";
import { startDueLoop } from "./due-loop.ts";
import { createManualClock } from "./manual-clock.testing.ts";

/** Work by when it is due; what was done, when; and how often it was looked for. */
function startWork() {
  const clock = createManualClock();
  const due: number[] = [];
  const done: number[] = [];
  const failures: unknown[] = [];
  const asked = { times: 0, fails: false };
  const loop = startDueLoop({
    clock,
    pauseMs: 50,
    onFailure: (thrown) => failures.push(thrown),
    async doDue() {
      asked.times += 1;
      if (asked.fails) throw new Error("no store");
      const first = due.findIndex((atMs) => atMs <= clock.nowMs());
      if (first >= 0) done.push(...due.splice(first, 1).map(() => clock.nowMs()));
      return first >= 0;
    },
    nextDueAtMs: async () => (due.length === 0 ? undefined : Math.min(...due)),
  });
  return { clock, due, done, failures, asked, loop };
}

it("does everything when it is due, and sleeps in between", async () => {
  const { clock, due, done, asked, loop } = startWork();
  await using _ = loop;
  due.push(100, 100, 300);
  await clock.advance(99);
  expect({ done: [...done], times: asked.times, sleeping: clock.sleeping }).toEqual({
    done: [],
    times: 1,
    sleeping: 1,
  });
  await clock.advance(1_000);
  expect(done).toEqual([100, 100, 300]);
  expect({ times: asked.times, sleeping: clock.sleeping }).toEqual({ times: 6, sleeping: 0 });
});

it("looks when it is told to, unless it would before anyway", async () => {
  const { clock, due, done, asked, loop } = startWork();
  await using _ = loop;
  due.push(100);
  await clock.advance(0);
  loop.look(200);
  await clock.advance(0);
  expect(asked.times).toBe(1);
  due.push(0);
  loop.look();
  await clock.advance(0);
  expect(done).toEqual([0]);
  expect(clock.sleeping).toBe(1);
});

it("tries again after a pause what could not be done", async () => {
  const { clock, due, done, failures, asked, loop } = startWork();
  await using _ = loop;
  asked.fails = true;
  loop.look();
  await clock.advance(10);
  expect(failures).toHaveLength(1);
  asked.fails = false;
  due.push(0);
  await clock.advance(60);
  expect({ done, failures: failures.length }).toEqual({ done: [50], failures: 1 });
});

it("ends while it sleeps, and leaves no sleeper behind", async () => {
  const { clock, due, failures, loop } = startWork();
  due.push(1_000_000);
  await clock.advance(0);
  await loop[Symbol.asyncDispose]();
  expect({ sleeping: clock.sleeping, failures }).toEqual({ sleeping: 0, failures: [] });
});
