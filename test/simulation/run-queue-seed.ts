import { IMAGING_QUEUES, PARKED_QUEUE } from "../../src/compat/pixl/intake/queues.ts";
import { serialise } from "../../src/compat/pixl/messages/serialise.ts";
import { readProgress } from "../../src/compat/pixl/processing/progress.ts";
import type { ClaimedInboxMessage, InboxMessage } from "../../src/store/inbox.ts";
import type { Clock } from "../../src/units/clock.ts";
import { seededRandom } from "../../src/units/random.ts";
import { createDirector } from "./director.ts";
import { createFaults } from "./faults.ts";
import { type HospitalStudy, hospitalStudy } from "./hospital.ts";
import { Violation } from "./invariants.ts";
import { useMachine } from "./machine.ts";
import { MAXIMUM_IN_FLIGHT, type QueueSite, startQueueNode } from "./queue-node.ts";
import type { RunOptions, SeedResult } from "./run-seed.ts";
import { makeScene, startOf } from "./scene.ts";
import { createScheduler, type Life, lives, NOBODY, type Scheduler } from "./scheduler.ts";
import { createSimulatedArchive } from "./simulated-archive.ts";
import { createSimulatedBroker } from "./simulated-broker.ts";
import { createSimulatedOrthancs } from "./simulated-orthanc.ts";
import { openSimulatedDatabase, type SimulatedDatabase, type StoreCall } from "./simulated-store.ts";

const MAXIMUM_STEPS = 30_000;
const BURST_MS = 3_000;
const LOOK_AGAIN_MS = 5_000;
const HOUR_MS = 3_600_000;
const LONGEST_MS = 14 * 24 * HOUR_MS;
const WINDOWS = [
  { windows: undefined },
  { windows: ["Mon-Sun 00:00-24:00"] },
  { windows: ["Mon-Sun 01:30-05:00"] },
] as const;

/** A world of queues: messages of a broker, two archives, and what stands in for PIXL's imaging API. */
export async function runQueueSeed(seed: number, { template, path }: RunOptions): Promise<SeedResult> {
  const startMs = startOf(seed);
  const scheduler = createScheduler(seededRandom(seed + 0x51), startMs);
  const scene = { ...makeScene(scheduler), nodes: ["queues-1"] };
  const faults = createFaults(scheduler, scene.severity);
  const watch = watchQueues(scheduler);
  using database = openSimulatedDatabase(template, { path, faults, isShared: false, onCall: watch.onStoreCall });
  const own = [hospitalStudy(50, 2), hospitalStudy(53, 1)];
  const others = [hospitalStudy(51, 3), hospitalStudy(54, 2)];
  const nowhere = hospitalStudy(52, 1);
  const broker = createSimulatedBroker(scheduler, faults);
  const orthancs = createSimulatedOrthancs({ scheduler, faults }, [...own, ...others], (uids) =>
    watch.onTold(uids, [...own, ...others], orthancs.held),
  );
  const archiveOf = (name: string, studies: readonly HospitalStudy[]) =>
    createSimulatedArchive({
      ...{ name, studies, scheduler, faults, associations: MAXIMUM_IN_FLIGHT },
      ...{ lists: "instances", onCall: () => undefined, onStudy: () => undefined },
    });
  const site: QueueSite = {
    ...{ scheduler, broker, orthancs },
    primary: archiveOf("pixl-primary", own),
    secondary: archiveOf("pixl-secondary", others),
    secondaryWindows: scheduler.pick(WINDOWS).windows,
    clockOf: (life) => patientClock(scheduler, life, database),
  };
  const director = createDirector({
    ...{ scene, scheduler, faults, connect: database.connect, ignoresSyncs: false },
    startNode: (store, life) => startQueueNode(site, store, life),
  });
  useMachine(director.machine);
  let violation: SeedResult["violation"];
  try {
    const sent = [...own, ...others, nowhere].map(messageOf);
    for (const body of sent) send(body);
    director.begin();
    const chaosEndsMs = scheduler.nowMs + scene.chaosMs;
    while (await lives.exit(() => scheduler.step())) {
      watch.check();
      if (faults.isOn && scheduler.nowMs > chaosEndsMs) director.endChaos();
      if (scheduler.steps > MAXIMUM_STEPS || scheduler.nowMs > startMs + LONGEST_MS) break;
      if (!faults.isOn && scheduler.nowMs > chaosEndsMs + 60_000 && (await isOver(database, broker.waiting()))) break;
    }
    await concludeQueues({ database, sent, waiting: broker.waiting(), told: watch.told });
  } catch (thrown) {
    if (!(thrown instanceof Violation)) throw thrown;
    violation = { invariant: thrown.invariant, what: thrown.message };
  } finally {
    useMachine(undefined);
  }
  const hours = (scheduler.nowMs - startMs) / HOUR_MS;
  const { steps, trace } = scheduler;
  return { seed, nodes: 1, steps, hours, trace, faults: faults.counts, states: {}, violation };

  function send(body: Uint8Array): void {
    const atMs = scheduler.nowMs + scheduler.between(0, scheduler.chance(0.5) ? BURST_MS : scene.chaosMs);
    const message = { queue: IMAGING_QUEUES[0], body, priority: 1 + Math.floor(scheduler.random.next() * 5) };
    scheduler.at(atMs, () => broker.put(message), NOBODY);
    if (faults.strikes("message comes twice", 0.2))
      scheduler.at(atMs + scheduler.between(0, 60_000), () => broker.put({ ...message }), NOBODY);
  }
}

/** Looks go on for longer when nothing is due, as in sites of gateways. */
function patientClock(scheduler: Scheduler, life: Life, { session }: SimulatedDatabase): Clock {
  const clock = scheduler.clockOf(life);
  const due = session.database.prepare(
    `SELECT min(CASE state WHEN 'waiting' THEN due_at ELSE 0 END) AS at
       FROM inbox_messages WHERE state NOT IN ('done', 'failed')`,
  );
  return {
    nowMs: clock.nowMs,
    sleep(durationMs, signal) {
      if (durationMs !== LOOK_AGAIN_MS) return clock.sleep(durationMs, signal);
      const at = due.get()?.at;
      const untilMs = typeof at === "number" ? at - clock.nowMs() : 10 * LOOK_AGAIN_MS;
      return clock.sleep(Math.min(Math.max(untilMs, LOOK_AGAIN_MS), HOUR_MS), signal);
    },
  };
}

function messageOf({ studyInstanceUid, patientId, accessionNumber }: HospitalStudy): Buffer {
  return serialise({
    ...{ mrn: patientId, accessionNumber, studyUid: studyInstanceUid, seriesUid: "", studyDate: "2026-01-02" },
    ...{ procedureOccurrenceId: 1, projectName: "trial", extractGeneratedTimestamp: "2026-01-02T03:04:05" },
  });
}

function watchQueues(scheduler: Scheduler) {
  const tokens = new Map<string, string>();
  const told = new Map<string, number>();
  const underWay = new Map<string, string>();
  let failure: Violation | undefined;
  const fail = (violation: Violation): void => {
    failure ??= violation;
  };
  return {
    told,
    onStoreCall({ method, args, value }: StoreCall): void {
      if (method === "releaseInboxMessages") underWay.clear();
      if (method === "claimInboxMessage" && value !== undefined) {
        const { lease, message } = value as ClaimedInboxMessage;
        tokens.set(lease.messageId, lease.token);
        underWay.set(lease.messageId, message.queue);
        const ofQueue = [...underWay.values()].filter((queue) => queue === message.queue).length;
        if (ofQueue > MAXIMUM_IN_FLIGHT)
          fail(new Violation("within limits", `${ofQueue} messages of ${message.queue} are worked on at once`));
      }
      if ((method !== "renewInboxMessage" && method !== "settleInboxMessage") || value !== true) return;
      const lease = args[0] as ClaimedInboxMessage["lease"];
      if (method === "settleInboxMessage") underWay.delete(lease.messageId);
      if (tokens.get(lease.messageId) !== lease.token)
        fail(new Violation("one holder", `${method} was taken from who holds the message no more`));
    },
    onTold(uids: readonly string[], studies: readonly HospitalStudy[], held: ReadonlySet<string>): void {
      for (const uid of uids) {
        told.set(uid, (told.get(uid) ?? 0) + 1);
        const study = studies.find(({ studyInstanceUid }) => studyInstanceUid === uid);
        const isWhole = study?.instances.every(({ sopInstanceUid }) => held.has(sopInstanceUid)) === true;
        if (!isWhole) fail(new Violation("verified only", "a study was handed over that is not whole"));
      }
      scheduler.note(`told ${uids.length}`);
    },
    check(): void {
      if (failure !== undefined) throw failure;
    },
  };
}

/** What has come to its end. */
async function inboxOf(database: SimulatedDatabase): Promise<readonly InboxMessage[]> {
  const lists: (readonly InboxMessage[])[] = [];
  for (const queue of IMAGING_QUEUES)
    for (const state of ["done", "failed"] as const)
      lists.push(await database.ask("listInboxMessages", { queue, state, limit: 1_000 }));
  return lists.flat();
}

async function isOver(database: SimulatedDatabase, waiting: readonly { readonly queue: string }[]): Promise<boolean> {
  if (waiting.some(({ queue }) => queue !== PARKED_QUEUE)) return false;
  for (const queue of IMAGING_QUEUES) if ((await database.ask("unfinishedInboxMessages", queue)) > 0) return false;
  return true;
}

interface Ended {
  readonly database: SimulatedDatabase;
  readonly sent: readonly Buffer[];
  readonly waiting: readonly { readonly queue: string; readonly body: Uint8Array }[];
  /** How often the second Orthanc was told of a study. */
  readonly told: ReadonlyMap<string, number>;
}

/** @throws Violation */
async function concludeQueues({ database, sent, waiting, told }: Ended): Promise<void> {
  const inbox = await inboxOf(database);
  if (!(await isOver(database, waiting))) throw new Violation("settles", "a message is never done");
  let begun = 0;
  for (const body of sent) {
    const rows = inbox.filter((row) => body.equals(row.body));
    const outcomes = rows.map(({ progress }) => readProgress(progress));
    begun += outcomes.reduce((sum, { handovers }) => sum + handovers, 0);
    const [primary, secondary] = IMAGING_QUEUES.map((queue) => rows.filter((row) => row.queue === queue).length);
    if (primary === 0) throw new Violation("one visible state", "a message that was taken is nowhere");
    const isForwarded = outcomes.some(({ outcome }) => outcome === "forwarded");
    if (isForwarded !== (secondary ?? 0) > 0)
      throw new Violation("one visible state", "a message that was forwarded did not arrive");
    if (outcomes.some(({ outcome }) => outcome === undefined))
      throw new Violation("one visible state", "a message ended without an outcome");
  }
  const handed = [...told.values()].reduce((sum, times) => sum + times, 0);
  if (handed > begun) throw new Violation("delivered once", `${handed} studies were handed over, ${begun} are told of`);
  const outcomes = inbox.filter(({ progress }) => readProgress(progress).outcome === "handed-over").length;
  if (outcomes > handed) throw new Violation("ledger equals destination", "a study counts as handed over that was not");
}
