import { loadProfile } from "../../src/deid/profiles/load-profile.ts";
import { projectKeyOf } from "../../src/deid/pseudonyms/project-key.ts";
import { createStudyDeidentifier } from "../../src/deid/workers/study-run.ts";
import type { NewRequest } from "../../src/store/records.ts";
import type { Clock } from "../../src/units/clock.ts";
import { silentLogger } from "../../src/units/logger.ts";
import { seededRandom } from "../../src/units/random.ts";
import { createDirector, type Director } from "./director.ts";
import { createFaults, type Fault, type Faults } from "./faults.ts";
import { type Invariant, Violation, type Watch, watchStore } from "./invariants.ts";
import { watchLimits } from "./limits.ts";
import { makeFolders, useMachine } from "./machine.ts";
import type { Mutation } from "./mutations.ts";
import { createPushers } from "./pushers.ts";
import { makeScene, type Scene, startOf } from "./scene.ts";
import { createScheduler, type Life, lives, type Scheduler } from "./scheduler.ts";
import { watchShare } from "./share.ts";
import { createSimulatedArchive } from "./simulated-archive.ts";
import { createSimulatedDestination } from "./simulated-destination.ts";
import { PROJECT, SHARED_FOLDER, type Site, startNode } from "./simulated-node.ts";
import { openSimulatedDatabase, type SimulatedDatabase } from "./simulated-store.ts";

export interface SeedResult {
  readonly seed: number;
  readonly nodes: number;
  readonly steps: number;
  /** Of simulated time. */
  readonly hours: number;
  /** Sums up every step: equal for equal runs. */
  readonly trace: number;
  readonly faults: ReadonlyMap<Fault, number>;
  readonly states: Readonly<Record<string, number>>;
  readonly violation: { readonly invariant: Invariant; readonly what: string } | undefined;
}

export interface RunOptions {
  /** Of an empty database. */
  readonly template: string;
  /** Where this one's is made. */
  readonly path: string;
  readonly mutation?: Mutation | undefined;
}

const MAXIMUM_STEPS = 30_000;
const HOUR_MS = 3_600_000;
const LONGEST_MS = 14 * 24 * HOUR_MS;
const IDLE_MS = 250;
const profile = loadProfile("basic");

/** One world from its beginning to its end. What is thrown that is no violation is a fault of the simulation, or of the product. */
export async function runSeed(seed: number, { template, path, mutation }: RunOptions): Promise<SeedResult> {
  const startMs = startOf(seed);
  const scheduler = createScheduler(seededRandom(seed), startMs);
  const scene = makeScene(scheduler);
  const faults = createFaults(scheduler, scene.severity);
  let watch: Watch | undefined;
  using database = openSimulatedDatabase(template, {
    ...{ path, faults, isShared: scene.nodes.length > 1 },
    onCall: (call) => watch?.onStoreCall(call),
    distort: mutation?.store,
  });
  const world = buildWorld({ scheduler, scene, faults, database, mutation, watchNow: () => watch });
  const { director, holdings } = world;
  useMachine(director.machine);
  try {
    makeFolders(SHARED_FOLDER);
    const studies = [...scene.studies, ...scene.pushed];
    watch = watchStore(database, { studies, holdings });
    const violation = await live({ ...world, watch, scheduler, scene, faults, database }).catch((thrown: unknown) => {
      if (thrown instanceof Violation) return { invariant: thrown.invariant, what: thrown.message };
      throw thrown;
    });
    const jobs = await database.ask("listJobs", { limit: 1_000 });
    const states = Object.groupBy(jobs, ({ state }) => state);
    return {
      ...{ seed, nodes: scene.nodes.length, steps: scheduler.steps, hours: (scheduler.nowMs - startMs) / HOUR_MS },
      ...{ trace: scheduler.trace, faults: faults.counts, violation },
      states: Object.fromEntries(Object.entries(states).map(([state, list]) => [state, list?.length ?? 0])),
    };
  } finally {
    useMachine(undefined);
  }
}

interface Ingredients {
  readonly scheduler: Scheduler;
  readonly scene: Scene;
  readonly faults: Faults;
  readonly database: SimulatedDatabase;
  readonly mutation: Mutation | undefined;
  readonly watchNow: () => Watch | undefined;
}

function buildWorld({ scheduler, scene, faults, database, mutation, watchNow }: Ingredients) {
  const lifeOf = (node: string): Life => director.lifeOf(node);
  const limits = watchLimits(scene, scheduler, lifeOf);
  const onSent: Parameters<typeof createSimulatedDestination>[0]["onSent"] = (sent) => watchNow()?.onSent(sent);
  const remote = createSimulatedDestination({ name: "far-away", scheduler, faults, onSent });
  const key = projectKeyOf(new Uint8Array(32).fill(9));
  const deidentifier = createStudyDeidentifier({ profile, key, filters: {} });
  const site: Site = {
    ...{ scene, scheduler, remote },
    archives: scene.archives.map((archive) =>
      createSimulatedArchive({ ...archive, scheduler, faults, onCall: limits.onArchiveCall, onStudy: limits.onStudy }),
    ),
    engine: { deidentifier: mutation?.deidentifier?.(deidentifier) ?? deidentifier, profile, keyId: key.id },
    logger: silentLogger,
    distortDestination: mutation?.destination ?? ((destination) => destination),
    clockOf: (life) => patientClock(scheduler, life, () => watchNow()?.nextDueAtMs()),
  };
  const director: Director = createDirector({
    ...{ scene, scheduler, faults, connect: database.connect },
    ignoresSyncs: mutation?.ignoresSyncs ?? false,
    startNode: (store, life) => startNode(site, store, life),
  });
  const share = watchShare(director.machine.disk, SHARED_FOLDER, onSent);
  const holdings = (): ReadonlyMap<string, ReadonlyMap<string, Buffer>> =>
    new Map([
      ...(scene.hasFolder ? [["research-store", share.holds()] as const] : []),
      ...(scene.hasRemote ? [["far-away", remote.holds] as const] : []),
    ]);
  return { director, limits, holdings, share, pushers: createPushers({ scene, scheduler, faults, director }) };
}

type World = ReturnType<typeof buildWorld> & Omit<Ingredients, "mutation" | "watchNow"> & { readonly watch: Watch };

/** Chaos first, then peace; all work has to come to its end in it. */
async function live({
  director,
  limits,
  share,
  pushers,
  watch,
  scheduler,
  scene,
  faults,
  database,
}: World): Promise<undefined> {
  await submit(database, scene, scheduler.nowMs);
  director.begin();
  pushers.begin();
  const chaosEndsMs = scheduler.nowMs + scene.chaosMs;
  const endsMs = scheduler.nowMs + LONGEST_MS;
  while (await lives.exit(() => scheduler.step())) {
    share.look();
    await watch.check();
    limits.check();
    if (scheduler.steps > MAXIMUM_STEPS || scheduler.nowMs > endsMs) break;
    if (faults.isOn && scheduler.nowMs > chaosEndsMs) director.endChaos();
    if (!faults.isOn && pushers.isDone() && watch.isDone()) break;
  }
  await watch.conclude();
  await pushers.conclude(database);
  return undefined;
}

/** Each study once, the first twice, and one that no archive has. */
async function submit(database: SimulatedDatabase, { studies }: Scene, nowMs: number): Promise<void> {
  const row = (facts: Partial<NewRequest>, index: number): NewRequest => ({
    ...{ rowNumber: index + 1, studyInstanceUid: undefined, patientId: undefined, accessionNumber: undefined },
    ...{ seriesInstanceUids: undefined, participantId: undefined, priority: 3, cells: [String(index)] },
    ...facts,
  });
  const wanted = studies.map(({ studyInstanceUid, patientId, accessionNumber }, index) =>
    index % 2 === 0 ? { studyInstanceUid } : { patientId, accessionNumber },
  );
  const requests = [...wanted, ...wanted.slice(0, 1), { studyInstanceUid: "1.2.3.4.5" }].map(row);
  await database.ask("submitCohort", { project: PROJECT, columns: ["number"], requests, refused: [] }, nowMs);
}

/** Idle sleeps go on for longer when nothing is due: a machine may be late, and days of waiting are to cost little. */
function patientClock(scheduler: Scheduler, life: Life, nextDueAtMs: () => number | undefined): Clock {
  const clock = scheduler.clockOf(life);
  return {
    nowMs: clock.nowMs,
    sleep(durationMs, signal) {
      if (durationMs !== IDLE_MS) return clock.sleep(durationMs, signal);
      const untilMs = (nextDueAtMs() ?? Number.POSITIVE_INFINITY) - clock.nowMs();
      const longestMs = Math.min(Math.max(untilMs, IDLE_MS * scheduler.between(1, 20)), HOUR_MS);
      return clock.sleep(Math.max(IDLE_MS, longestMs * scheduler.between(0.5, 1.02)), signal);
    },
  };
}
