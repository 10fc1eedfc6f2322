import { Writable } from "node:stream";
import { expect, it } from "vitest";
import { openLongProgress } from "./progress.ts";

it("writes a line without a terminal at each tenth, and at most every half minute between", async () => {
  let nowMs = 0;
  let written = "";
  const output = new Writable({
    write(chunk, _, done) {
      written += chunk;
      done();
    },
  });
  const clock = { nowMs: () => nowMs, sleep: () => Promise.reject(new Error("nobody sleeps")) };
  using progress = await openLongProgress(output, "studies", clock);
  for (const [atMs, done, remark] of [
    [0, 0, "queued 100"],
    [500, 3, "delivered 3"],
    [1_000, 3, "delivered 3"],
    [30_000, 3, "delivered 3"],
    [30_500, 4, "delivered 4"],
    [31_000, 9, "delivered 9"],
    [31_500, 10, "delivered 10"],
    [90_000, 10, "delivered 10"],
    [90_500, 100, "delivered 100"],
  ] as const) {
    nowMs = atMs;
    progress.update(done, 100, remark);
  }
  expect(written).toBe(
    [
      "0 of 100 studies done: queued 100",
      "3 of 100 studies done: delivered 3",
      "10 of 100 studies done: delivered 10",
      "100 of 100 studies done: delivered 100",
      "",
    ].join("\n"),
  );
});
