import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { openSqliteStore } from "../store/sqlite/open.ts";
import type { Store } from "../store/store.ts";
import { silentLogger } from "../units/logger.ts";
import { createManualClock } from "../units/manual-clock.testing.ts";
import { seededRandom } from "../units/random.ts";
import { noTraces } from "../units/traces.ts";
import type { PipelineServices } from "./services.ts";
import { startWorkers } from "./workers.ts";

const REQUEST = {
  ...{ rowNumber: 1, studyInstanceUid: "1.2.3", patientId: undefined, accessionNumber: undefined },
  ...{ seriesInstanceUids: undefined, participantId: undefined, priority: 3, cells: [] },
};
/** Less than a claim holds. */
const SOON_MS = 5_000;

/** One job of a project that is in no settings, and a store that cannot be written while `isFull` says so. */
async function scene(isFull: (method: string) => boolean) {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await temporaryFolder());
  const store = opened.use(await openSqliteStore({ path: join(folder.path, "radferry.db") }));
  await store.submitCohort({ project: "gone", columns: ["uid"], requests: [REQUEST], refused: [] }, 0);
  const [job] = await store.jobsOfKey("gone", REQUEST);
  if (job === undefined) throw new Error("no job");
  const failing = new Proxy(store, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return (...args: readonly unknown[]): unknown =>
        isFull(String(name)) ? Promise.reject(new GatewayError("STORE_FULL")) : method.apply(target, args);
    },
  });
  const clock = createManualClock(1_000_000);
  const services = {
    ...{ store: failing satisfies Store, clock, projects: new Map(), logger: silentLogger, traces: noTraces },
    ...{ retry: { attempts: 3, firstDelayMs: 1, maximumDelayMs: 1 }, random: seededRandom(1) },
  } as unknown as PipelineServices;
  const kept = opened.move();
  return { store, job, clock, services, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

it("goes on with a job that a full store broke off as soon as there is room, and not when its claim ends", async () => {
  let fullFor = 2;
  await using site = await scene((method) => method === "settleAndClaim" && fullFor-- > 0);
  const { store, job, clock, services } = site;
  const stop = new AbortController();
  await using _workers = startWorkers(services, { count: 1, name: "worker", stop: stop.signal });
  const untilMs = clock.nowMs() + SOON_MS;
  while ((await store.job(job.id)).state !== "waiting" && clock.nowMs() < untilMs) await clock.advance(100);
  expect(await store.job(job.id)).toMatchObject({ state: "waiting", code: "PROJECT_UNKNOWN" });
  stop.abort();
});

it("leaves a job alone that somebody else took while the store did not answer", async () => {
  let isDown = false;
  const settled: string[] = [];
  await using site = await scene((method) => {
    if (method === "settleAndClaim") settled.push(method);
    isDown ||= method === "settleAndClaim";
    return isDown;
  });
  const { store, job, clock, services } = site;
  const stop = new AbortController();
  await using _workers = startWorkers(services, { count: 1, name: "worker", stop: stop.signal });
  while (settled.length === 0) await clock.advance(100);
  await clock.advance(120_000);
  const other = await store.claim("other", 60_000, clock.nowMs());
  expect(other?.job.id).toBe(job.id);
  const before = settled.length;
  isDown = false;
  for (let look = 0; look < 50; look += 1) await clock.advance(100);
  expect(settled).toHaveLength(before);
  expect((await store.job(job.id)).state).toBe("running");
  stop.abort();
});
