import { governArchive } from "../../src/archive/availability/govern-archive.ts";
import { createPace } from "../../src/archive/availability/pace.ts";
import { createExpectations } from "../../src/archive/expectations.ts";
import { startIntake } from "../../src/compat/pixl/intake/intake.ts";
import { createTokenBuckets } from "../../src/compat/pixl/intake/token-buckets.ts";
import { alwaysOpen, createHours } from "../../src/compat/pixl/processing/hours.ts";
import type { Processing } from "../../src/compat/pixl/processing/processing.ts";
import { createReferences } from "../../src/compat/pixl/processing/references.ts";
import { startWorker } from "../../src/compat/pixl/processing/worker.ts";
import type { PixlSettings } from "../../src/compat/pixl/settings.ts";
import { createStudyLocks } from "../../src/pipeline/study-locks.ts";
import type { Store } from "../../src/store/store.ts";
import type { Clock } from "../../src/units/clock.ts";
import { silentLogger } from "../../src/units/logger.ts";
import type { Life, Scheduler } from "./scheduler.ts";
import type { SimulatedArchive } from "./simulated-archive.ts";
import type { SimulatedBroker } from "./simulated-broker.ts";
import type { RunningNode } from "./simulated-node.ts";
import type { SimulatedOrthancs } from "./simulated-orthanc.ts";

export const MAXIMUM_IN_FLIGHT = 3;
const RATE = 2;

export interface QueueSite {
  readonly scheduler: Scheduler;
  readonly broker: SimulatedBroker;
  readonly orthancs: SimulatedOrthancs;
  readonly primary: SimulatedArchive;
  readonly secondary: SimulatedArchive;
  readonly secondaryWindows: readonly string[] | undefined;
  clockOf(life: Life): Clock;
}

const NOWHERE = { url: "http://127.0.0.1", username: "", password: "", aeTitle: "" } as const;
const UNLIMITED = { windows: undefined, timeZone: undefined, studiesPerMinute: undefined, bytesPerSecond: undefined };
const BREAKER = { failures: 5, firstRestMs: 2_000, longestRestMs: 15_000, probeMs: 10_000 } as const;
const TIME_ZONE = "Europe/London";
const SETTINGS: PixlSettings = {
  logLevel: "info",
  broker: { host: "", port: 0, username: "", password: "" },
  database: { host: "", port: 0, database: "", user: "", password: "" },
  migrates: false,
  primary: { modality: "PRIMARY", aeTitle: "PRIMARY" },
  secondary: { modality: "SECONDARY", aeTitle: "SECONDARY" },
  raw: NOWHERE,
  anon: NOWHERE,
  handsOver: true,
  handover: "rest",
  anonModality: "ANON",
  queryTimeoutMs: 10_000,
  transferTimeoutMs: 300_000,
  maximumInFlight: MAXIMUM_IN_FLIGHT,
  timeZone: TIME_ZONE,
  secondaryWindows: undefined,
  maximumStudies: 5,
  keepsRate: false,
  tokenFile: undefined,
};

/** What stands in for PIXL's imaging API: takes messages from queues, and works them off. */
export async function startQueueNode(site: QueueSite, store: Store, clockedBy: Life): Promise<RunningNode> {
  const { scheduler, broker, orthancs } = site;
  const clock = site.clockOf(clockedBy);
  const expectations = createExpectations(clock);
  const sourceOf = (archive: SimulatedArchive, modality: string) => {
    const connected = archive.connect({ node: clockedBy.node, expectations, receive: orthancs.receive, clock });
    return {
      modality,
      archive: governArchive(connected, { policy: UNLIMITED, store, clock, pace: createPace(clock), breaker: BREAKER }),
    };
  };
  const hours = createHours({ windows: site.secondaryWindows, timeZone: TIME_ZONE });
  const processing: Processing = {
    settings: SETTINGS,
    sources: {
      primary: { ...sourceOf(site.primary, "PRIMARY"), hours: alwaysOpen },
      secondary: { ...sourceOf(site.secondary, "SECONDARY"), hours },
    },
    raw: orthancs.raw,
    anon: orthancs.anon,
    studyLocks: createStudyLocks(),
    reference: createReferences(scheduler.random),
    clock,
    logger: silentLogger,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const buckets = createTokenBuckets(clock, RATE);
  const client = broker.connect();
  let wakeIntake = (): void => undefined;
  const worker = await startWorker({
    ...{ store, buckets, broker: client, processing, random: scheduler.random },
    onSettled: () => wakeIntake(),
  });
  const intake = startIntake({
    ...{ broker: client, store, buckets, clock, logger: silentLogger },
    maximumUnfinished: MAXIMUM_IN_FLIGHT,
    onStored: () => worker.wake(),
  });
  wakeIntake = intake.wake;
  return {
    receive: () => Promise.resolve({ refuse: 0xa700 }),
    async [Symbol.asyncDispose]() {
      await intake[Symbol.asyncDispose]();
      await worker.drain();
    },
  };
}
