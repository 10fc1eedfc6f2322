import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, expect, it } from "vitest";
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
import { createKeeper, type Keeper } from "./keeper.ts";
import { createPaces, type Receiving, TAKES_NOTHING } from "./open-archives.ts";
import { createViolationCounts } from "./violation-counts.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

const PROJECTS = ["lung", "heart"] as const;
const settingsOf = (modality: string, profile: string): string => `
archives:
  - { name: vna, kind: dimse, address: VNA@127.0.0.1:104 }
destinations:
  - { name: research-store, kind: folder, path: ./research }
projects:
  - { name: lung, archives: [vna], destinations: [research-store], profile: ${profile}, keyFile: lung.key }
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

let stack: AsyncDisposableStack;
let keeper: Keeper;
let engines: ReadonlySet<number>;
/** Brings another composition into force: one project has changed, and one has not. */
let reload: (modality: string, profile?: string) => Promise<void>;
let folder: string;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  folder = stack.use(await temporaryFolder()).path;
  for (const [index, name] of PROJECTS.entries())
    await writeFile(join(folder, `${name}.key`), `${index}`.repeat(64), { mode: 0o600 });
  const store = stack.use(await openSqliteStore({ path: join(folder, "radferry.db"), logger: silentLogger }));
  const counting = countingPool(stack.use(createWorkerPool({ threads: 1 })));
  engines = counting.engines;
  const loaded = async (modality: string, profile = "research") => {
    await writeFile(join(folder, "radferry.yaml"), settingsOf(modality, profile));
    return (await loadSettings({ environment: {}, cwd: folder })).settings;
  };
  const first = await loaded("CT");
  const expectations = createExpectations(systemClock);
  const receiving: Receiving = {
    ...{ expectations, paces: createPaces(first, systemClock) },
    receive: () => () => Promise.reject(new Error("nothing comes")),
    takerFor: () => ({ ...TAKES_NOTHING, expectations }),
  };
  const parts: CompositionParts = {
    ...{ store, clock: systemClock, logger: silentLogger, random: systemRandom, violations: createViolationCounts() },
    ...{ metrics: createMetrics(), traces: noTraces, threads: counting.pool, intake: undefined, permits: undefined },
    ...{ receiving, sharers: () => 1 },
  };
  keeper = stack.use(createKeeper(await compose(first, parts), silentLogger));
  reload = async (...wanted) => keeper.replace(await compose(await loaded(...wanted), parts, keeper.current));
});
afterEach(() => stack.disposeAsync());

const study = (project: string) => keeper.current.projects.get(project)?.deidentifier.study({ signal: neverAborted() });

async function reloadOften(): Promise<void> {
  for (let count = 0; count < 20; count += 1) {
    for (const project of PROJECTS) study(project)?.[Symbol.dispose]();
    await reload(count % 2 === 0 ? "MR" : "CT");
  }
  for (const project of PROJECTS) study(project)?.[Symbol.dispose]();
}

it("keeps as many engines over many reloads as there are projects, and those of what did not change", async () => {
  study("lung")?.[Symbol.dispose]();
  const [lung] = engines;
  await reloadOften();
  expect(engines.size).toBe(PROJECTS.length);
  expect(engines).toContain(lung);
});

it("keeps an engine for the job that began with it", async () => {
  const held = keeper.hold();
  const running = study("heart");
  const [heart] = engines;
  await reloadOften();
  expect(engines).toContain(heart);
  running?.[Symbol.dispose]();
  held[Symbol.dispose]();
  expect(engines).not.toContain(heart);
  expect(engines.size).toBe(PROJECTS.length);
});

it("marks a project as another one when a file that its profile names has changed", async () => {
  const masks = "masks: [{ name: us, when: { manufacturer: acme, rows: 8, columns: 8 }, rectangles: [[0, 0, 8, 1]] }]";
  await writeFile(join(folder, "masks.yaml"), masks);
  await writeFile(
    join(folder, "own.yaml"),
    "profile: own\nversion: 1\nbase: basic-2026c\npixels: { masks: [masks.yaml] }\n",
  );
  await reload("CT", "./own.yaml");
  const before = keeper.current.marks.projects;
  await reload("CT", "./own.yaml");
  expect(keeper.current.marks.projects).toEqual(before);
  await writeFile(join(folder, "masks.yaml"), masks.replace("8, 1]", "8, 2]"));
  await reload("CT", "./own.yaml");
  const { projects } = keeper.current.marks;
  expect(PROJECTS.filter((name) => projects.get(name) !== before.get(name))).toEqual(["lung"]);
});

it("leaves nothing in memory of what is not in force any more", async () => {
  const before = new WeakRef(keeper.current);
  await reloadOften();
  await new Promise(setImmediate);
  collectGarbage();
  expect(before.deref()).toBeUndefined();
});
