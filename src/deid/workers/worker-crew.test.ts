import { expect, it } from "vitest";
import { createWorkerCrew } from "./worker-crew.ts";

const LIMITS = { startTimeoutMs: 30_000, workTimeoutMs: 60_000, abortTimeoutMs: 10_000 };
const READY = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", () => {});
    parentPort.postMessage({ ready: true });
  `)}`,
);

it("starts anew while threads that rest are not gone yet: none of them failed, and none is replaced", async () => {
  await using crew = createWorkerCrew(READY, 3, LIMITS);
  expect(await crew.start()).toBe(true);
  crew.rest();
  expect(await crew.start()).toBe(true);
  while (crew.ready.size < 3) await crew.change();
  expect(crew.ready.size).toBe(3);
});
