import { expect, it } from "vitest";
import { silentLogger } from "../../units/logger.ts";
import { createManualClock } from "../../units/manual-clock.testing.ts";
import { queueWhenDue } from "./queue-when-due.ts";

const PATIENCE = { quietMs: 100, longestMs: 1_000 };

/** Studies by when they are due, counting what is asked. */
function startQueue() {
  const clock = createManualClock();
  const due: number[] = [];
  const asked = { due: 0, queue: 0 };
  const queue = queueWhenDue({
    clock,
    patience: () => PATIENCE,
    logger: silentLogger,
    store: {
      async nextIntakeDueAtMs() {
        asked.due += 1;
        return due.length === 0 ? undefined : due.reduce((least, each) => Math.min(least, each));
      },
      async queueDueIntake(_, nowMs) {
        asked.queue += 1;
        const open = due.filter((each) => each > nowMs);
        return { due: due.splice(0, due.length, ...open).length - open.length, toAsk: [] };
      },
      tellIntake: () => Promise.reject(new Error("nothing was asked for")),
    },
  });
  return { clock, due, asked, queue };
}

it("asks once when ten thousand studies are open, and not again until the first is due", async () => {
  const { clock, due, asked, queue } = startQueue();
  await using _ = queue;
  due.push(...Array.from({ length: 10_000 }, (_, index) => 500 + (index % 7)));
  await clock.advance(499);
  expect({ ...asked, sleeping: clock.sleeping }).toEqual({ due: 1, queue: 1, sleeping: 1 });
  await clock.advance(10);
  expect(due).toEqual([]);
  expect(asked.queue).toBeLessThan(20);
});

it("is woken by the first study that is open, and by no other", async () => {
  const { clock, due, asked, queue } = startQueue();
  await using _ = queue;
  await clock.advance(1_000_000);
  expect(asked).toEqual({ due: 1, queue: 1 });
  for (let number = 0; number < 50; number += 1) {
    due.push(clock.nowMs() + 100);
    queue.look();
    await clock.advance(0);
  }
  expect(asked).toEqual({ due: 2, queue: 2 });
  await clock.advance(100);
  expect(due).toEqual([]);
});

it("wakes for more of the only open study, which was to wait for long", async () => {
  const { clock, due, asked, queue } = startQueue();
  await using _ = queue;
  due.push(10_000);
  queue.look();
  await clock.advance(1_000);
  due.splice(0, 1, clock.nowMs() + 100);
  queue.look();
  await clock.advance(100);
  expect([due, clock.sleeping]).toEqual([[], 0]);
  expect(asked.queue).toBeLessThan(6);
});
