import { expect, it } from "vitest";
import { silentLogger } from "../../../units/logger.ts";
import { createManualClock } from "../../../units/manual-clock.testing.ts";
import { forgetFinished } from "./forget-finished.ts";

const DAY_MS = 86_400_000;

it("forgets what was finished 30 days ago, batch by batch, at start and every hour", async () => {
  const clock = createManualClock(100 * DAY_MS);
  const asked: unknown[] = [];
  const left = new Map([["imaging-primary", 2]]);
  await using _ = forgetFinished({
    clock,
    logger: silentLogger,
    store: {
      forgetInboxMessages(retention) {
        asked.push(retention);
        const batches = left.get(retention.queue) ?? 0;
        left.set(retention.queue, Math.max(batches - 1, 0));
        return Promise.resolve(batches > 0 ? 1_000 : 0);
      },
      finishedInboxMessages: () => Promise.reject(new Error("nobody was withdrawn")),
      removeInboxMessages: () => Promise.reject(new Error("nobody was withdrawn")),
    },
  });
  await clock.advance(0);
  const primary = { queue: "imaging-primary", finishedBeforeMs: 70 * DAY_MS, maximumKept: 100_000 };
  const secondary = { ...primary, queue: "imaging-secondary" };
  expect(asked).toEqual([primary, primary, primary, secondary]);
  await clock.advance(3_600_000);
  expect(asked).toHaveLength(6);
});
