import type { Archive } from "../../src/archive/archive.ts";
import { governArchive } from "../../src/archive/availability/govern-archive.ts";
import { createPace } from "../../src/archive/availability/pace.ts";
import { receiveIntoStaging } from "../../src/archive/dimse/receive-instance.ts";
import { createExpectations } from "../../src/archive/expectations.ts";
import { createIntakeArchive } from "../../src/archive/intake/intake-archive.ts";
import { openIntakeFiles } from "../../src/archive/intake/intake-files.ts";
import { queueWhenDue } from "../../src/archive/intake/queue-when-due.ts";
import { readIntakeRules } from "../../src/archive/intake/rules.ts";
import { takeUnasked } from "../../src/archive/intake/take-unasked.ts";
import { createRefusals } from "../../src/archive/refusals.ts";
import type { Profile } from "../../src/deid/profiles/profile.ts";
import type { StudyDeidentifier } from "../../src/deid/workers/study-run.ts";
import type { Destination } from "../../src/delivery/destination.ts";
import { createFolderDestination } from "../../src/delivery/folder/folder-destination.ts";
import { createAlone } from "../../src/gateway/keep-alone.ts";
import { keepHouse } from "../../src/gateway/keep-house.ts";
import type { StoreHandler } from "../../src/network/dimse/service-types.ts";
import { createAuditTrail } from "../../src/observe/audit-trail.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import type { PipelineProject } from "../../src/pipeline/services.ts";
import { createStudyLocks } from "../../src/pipeline/study-locks.ts";
import { startWorkers } from "../../src/pipeline/workers.ts";
import { openStagingArea } from "../../src/staging/open-staging.ts";
import { openOutbox } from "../../src/staging/outbox.ts";
import type { Store } from "../../src/store/store.ts";
import type { Actor } from "../../src/units/actor.ts";
import type { Clock } from "../../src/units/clock.ts";
import { systemDisk } from "../../src/units/disk.ts";
import type { Logger } from "../../src/units/logger.ts";
import { noTraces } from "../../src/units/traces.ts";
import { SIMULATED } from "./machine.ts";
import type { Scene } from "./scene.ts";
import type { Life, Scheduler } from "./scheduler.ts";
import type { SimulatedArchive } from "./simulated-archive.ts";
import type { SimulatedDestination } from "./simulated-destination.ts";

export const PROJECT = "trial";
export const SHARED_FOLDER = `${SIMULATED}share/research-store`;

/** What all nodes of a site have in common. */
export interface Site {
  readonly scene: Scene;
  readonly scheduler: Scheduler;
  readonly archives: readonly SimulatedArchive[];
  readonly remote: SimulatedDestination;
  readonly engine: { readonly deidentifier: StudyDeidentifier; readonly profile: Profile; readonly keyId: string };
  readonly logger: Logger;
  /** For showing that invariants can fail. */
  readonly distortDestination: (destination: Destination) => Destination;
  /** Timers may go off late: idle ones do, so that days of waiting cost little. */
  clockOf(life: Life): Clock;
}

/** A running gateway: the product's own parts, put together as it puts them together. */
export interface RunningNode extends AsyncDisposable {
  /** Where others send instances to. */
  readonly receive: StoreHandler;
}

const WORKERS = 2;
const RESERVE_BYTES = 20_000;
const KEEP_DAYS = 1;
const PATIENCE = { quietMs: 20_000, longestMs: 120_000 } as const;
/** Small ones, so that several are begun. */
const PACK_SIZES = { packBytes: 20_000, extentBytes: 4_096 } as const;
const ACTOR: Actor = { name: "simulation", kind: "service" };

/** In the order of the product's own start. To be called in the node's life. */
export async function startNode(site: Site, store: Store, life: Life): Promise<RunningNode> {
  const { scene, scheduler, logger } = site;
  const { random } = scheduler;
  const clock = site.clockOf(life);
  const home = `${SIMULATED}${life.node}`;
  await using opened = new AsyncDisposableStack();
  const path = `${home}/staging`;
  const staging = opened.use(await openStagingArea({ path, reserveBytes: RESERVE_BYTES, disk: systemDisk, logger }));
  const outbox = await openOutbox({ path: `${home}/outbox` });
  const expectations = createExpectations(clock);
  const refusals = createRefusals();
  const intake = scene.pushed.length === 0 ? undefined : await openIntake();
  const receive = receiveIntoStaging({ staging, expectations, refusals, logger, takeUnasked: intake?.take });
  const archives = site.archives.map((archive, index) => {
    const policy = scene.archives[index]?.policy;
    if (policy === undefined) throw new Error("an archive without a policy");
    const connected = archive.connect({ node: life.node, expectations, receive, clock });
    return governArchive(connected, { policy, store, clock, pace: createPace(clock) });
  });
  const project = await projectOf(site, life, intake === undefined ? archives : [intake.archive, ...archives]);
  // Alone with its store, a node that starts knows that nobody else holds a lease.
  if (scene.nodes.length === 1) await store.releaseLeases(clock.nowMs());
  for (const job of await outbox.jobs()) await outbox.remove(job);
  const audit = createAuditTrail({ store, clock });
  const sweep = { store, staging, clock };
  const metrics = createMetrics();
  const alone = createAlone({ permits: undefined, clock, logger });
  const house = {
    sweep,
    intake: undefined,
    alone,
    audit,
    actor: ACTOR,
    metrics,
    logger,
    keepDays: KEEP_DAYS,
    shred: false,
  };
  opened.use(keepHouse(house));
  const stop = new AbortController();
  const workers = startWorkers(
    {
      ...{ store, staging, outbox, refusals, clock, random, logger },
      actor: ACTOR,
      projects: new Map([[PROJECT, project]]),
      retry: { attempts: scene.attempts, firstDelayMs: 2_000, maximumDelayMs: 120_000 },
      isWithdrawn: async () => false,
      studyLocks: createStudyLocks(),
      traces: noTraces,
    },
    { count: WORKERS, name: life.node, stop: stop.signal },
  );
  opened.defer(async () => {
    stop.abort();
    await workers.drain();
  });
  const closing = opened.move();
  return { receive, [Symbol.asyncDispose]: () => closing.disposeAsync() };

  async function openIntake() {
    const files = opened.use(await openIntakeFiles(`${path}/intake`, { store, clock, packSizes: PACK_SIZES }));
    const queue = opened.use(queueWhenDue({ store, patience: () => PATIENCE, clock, logger }));
    const rules = readIntakeRules([{ name: "all", project: PROJECT }]);
    const archive: Archive = createIntakeArchive(PROJECT, { store, files, taker: { staging, random } });
    const take = takeUnasked({ rules, patience: () => PATIENCE, files, store, staging, clock, onChange: queue.look });
    return { archive, take };
  }
}

async function projectOf(
  { scene, remote, engine, distortDestination }: Site,
  { node }: Life,
  archives: readonly Archive[],
): Promise<PipelineProject> {
  const destinations: Destination[] = [];
  if (scene.hasFolder)
    destinations.push(await createFolderDestination({ name: "research-store", path: SHARED_FOLDER }));
  if (scene.hasRemote) destinations.push(remote.connect(node));
  return {
    name: PROJECT,
    archives,
    destinations: destinations.map(distortDestination),
    ...engine,
    combinesStudies: false,
    mergePatients: false,
    partial: scene.partial,
    maximumStudiesPerRequest: 20,
    optOut: new Set(),
  };
}
