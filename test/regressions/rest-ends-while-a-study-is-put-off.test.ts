import { join } from "node:path";
import { expect, it } from "vitest";
import type { Archive } from "../../src/archive/archive.ts";
import { governArchive } from "../../src/archive/availability/govern-archive.ts";
import { createPace } from "../../src/archive/availability/pace.ts";
import { BREAKER_POLICY } from "../../src/archive/availability/policy.ts";
import { runJob } from "../../src/pipeline/run-job.ts";
import type { PipelineServices } from "../../src/pipeline/services.ts";
import { openSqliteStore } from "../../src/store/sqlite/open.ts";
import type { Store } from "../../src/store/store.ts";
import { neverAborted } from "../../src/units/abort.ts";
import { silentLogger } from "../../src/units/logger.ts";
import { seededRandom } from "../../src/units/random.ts";
import { noTraces } from "../../src/units/traces.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const NOW_MS = 1_000_000;
const REQUEST = {
  ...{ rowNumber: 1, studyInstanceUid: "1.2.3", patientId: undefined, accessionNumber: undefined },
  ...{ seriesInstanceUids: undefined, participantId: undefined, priority: 3, cells: [] },
};

/** What becomes of a study that meets an archive so, when that ends in the moment between its hearing of it and its being put off. */
async function putOff(begin: (store: Store) => Promise<unknown>, end: (store: Store) => Promise<unknown>) {
  await using folder = await temporaryFolder();
  await using store = await openSqliteStore({ path: join(folder.path, "radferry.db") });
  await begin(store);
  await store.submitCohort({ project: "trial", columns: ["uid"], requests: [REQUEST], refused: [] }, NOW_MS);
  const claimed = await store.claim("worker", 60_000, NOW_MS);
  if (claimed === undefined) throw new Error("nothing to claim");
  const clock = {
    nowMs: () => NOW_MS,
    sleep: (_: number, signal: AbortSignal) =>
      new Promise<never>((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  };
  const archive = governArchive({ name: "vna" } as Archive, {
    policy: { windows: undefined, timeZone: undefined, studiesPerMinute: undefined, bytesPerSecond: undefined },
    ...{ store, clock, pace: createPace(clock) },
  });
  const late = new Proxy(store, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (name !== "settle" || typeof method !== "function") return method;
      return async (...args: readonly unknown[]): Promise<unknown> => {
        await end(store);
        return await method.apply(target, args);
      };
    },
  });
  await runJob(
    {
      ...{ store: late, clock, logger: silentLogger, traces: noTraces, random: seededRandom(1) },
      retry: { attempts: 3, firstDelayMs: 1_000, maximumDelayMs: 1_000 },
      projects: new Map([["trial", { name: "trial", archives: [archive], optOut: new Set() }]]),
    } as unknown as PipelineServices,
    claimed,
    neverAborted(),
  );
  return { state: (await store.job(claimed.job.id)).state, waitMs: ((await store.nextDueAtMs()) ?? 0) - NOW_MS };
}

it("goes on at once with a study that was put off while the archive's rest ended", async () => {
  const rest = async (store: Store): Promise<void> => {
    for (let failures = 0; failures < BREAKER_POLICY.failures; failures += 1)
      await store.judgeArchive("vna", "ASSOCIATION_REJECTED", BREAKER_POLICY, NOW_MS);
  };
  const answer = (store: Store) => store.judgeArchive("vna", undefined, BREAKER_POLICY, NOW_MS);
  expect(await putOff(rest, answer)).toEqual({ state: "waiting", waitMs: 0 });
  expect(await putOff(rest, async () => undefined)).toEqual({ state: "waiting", waitMs: BREAKER_POLICY.firstRestMs });
});

it("goes on at once with a study that was put off while an operator resumed the archive", async () => {
  const setPaused = (paused: boolean) => (store: Store) => store.setArchiveControls("vna", { paused }, NOW_MS);
  expect(await putOff(setPaused(true), setPaused(false))).toEqual({ state: "waiting", waitMs: 0 });
});
