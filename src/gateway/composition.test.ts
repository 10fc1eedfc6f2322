import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { createExpectations } from "../archive/expectations.ts";
import { loadSettings } from "../config/load-settings.ts";
import { createWorkerPool, type WorkerPool } from "../deid/workers/worker-pool.ts";
import { createMetrics } from "../observe/metrics.ts";
import { openSqliteStore } from "../store/sqlite/open.ts";
import { neverAborted } from "../units/abort.ts";
import { systemClock } from "../units/clock.ts";
import { silentLogger } from "../units/logger.ts";
import { systemRandom } from "../units/random.ts";
import { noTraces } from "../units/traces.ts";
import { type CompositionParts, compose } from "./composition.ts";
import { createKeeper } from "./keeper.ts";
import { createPaces, TAKES_NOTHING } from "./open-archives.ts";
import { createViolationCounts } from "./violation-counts.ts";

const PROJECTS = ["lung", "heart"] as const;
const settingsOf = (modality: string): string => `
archives:
  - { name: vna, kind: dimse, address: VNA@127.0.0.1:104 }
destinations:
  - { name: research-store, kind: folder, path: ./research }
projects:
  - { name: lung, archives: [vna], destinations: [research-store], profile: research, keyFile: lung.key }
  - { name: heart, archives: [vna], destinations: [research-store], profile: basic, keyFile: heart.key, filters: { modalities: [${modality}] } }
`;

/** A pool that tells which engines its threads were given and have not been told to forget. */
function countingPool(threads: WorkerPool): { readonly pool: WorkerPool; readonly engines: ReadonlySet<number> } {
  const engines = new Set<number>();
  const pool: WorkerPool = {
    ...threads,
    openEngine(recipe) {
      const engine = threads.openEngine(recipe);
      engines.add(engine);
      return engine;
    },
    closeEngine(engine) {
      threads.closeEngine(engine);
      engines.delete(engine);
    },
  };
  return { pool, engines };
}

it("keeps as many engines over many reloads as there are projects, and those of what did not change", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder()).path;
  for (const [index, name] of PROJECTS.entries())
    await writeFile(join(folder, `${name}.key`), `${index}`.repeat(64), { mode: 0o600 });
  const store = stack.use(await openSqliteStore({ path: join(folder, "radferry.db"), logger: silentLogger }));
  const { pool, engines } = countingPool(stack.use(createWorkerPool({ threads: 1 })));
  const loaded = async (modality: string) => {
    await writeFile(join(folder, "radferry.yaml"), settingsOf(modality));
    return (await loadSettings({ environment: {}, cwd: folder })).settings;
  };
  const first = await loaded("CT");
  const paces = createPaces(first, systemClock);
  const expectations = createExpectations(systemClock);
  const parts: CompositionParts = {
    ...{ store, clock: systemClock, logger: silentLogger, random: systemRandom, violations: createViolationCounts() },
    ...{ metrics: createMetrics(), traces: noTraces, threads: pool, intake: undefined, permits: undefined },
    ...{
      receiving: {
        expectations,
        paces,
        receive: () => () => Promise.reject(new Error("nothing comes")),
        takerFor: () => ({ ...TAKES_NOTHING, expectations }),
      },
    },
    sharers: () => 1,
  };
  const keeper = stack.use(createKeeper(await compose(first, parts), silentLogger));
  const study = (project: string) =>
    keeper.current.projects.get(project)?.deidentifier.study({ signal: neverAborted() });
  const useAll = () => {
    for (const project of PROJECTS) study(project)?.[Symbol.dispose]();
  };
  useAll();
  const [lung] = engines;

  const held = keeper.hold();
  const running = study("heart");
  for (let reload = 0; reload < 20; reload += 1) {
    keeper.replace(await compose(await loaded(reload % 2 === 0 ? "MR" : "CT"), parts, keeper.current));
    useAll();
  }
  // What a job began with is kept for it.
  expect(engines.size).toBeGreaterThan(PROJECTS.length);
  running?.[Symbol.dispose]();
  held[Symbol.dispose]();
  expect(engines.size).toBe(PROJECTS.length);
  expect(engines).toContain(lung);

  for (let reload = 0; reload < 20; reload += 1) {
    keeper.replace(await compose(await loaded(reload % 2 === 0 ? "MR" : "CT"), parts, keeper.current));
    useAll();
  }
  expect(engines.size).toBe(PROJECTS.length);
});
