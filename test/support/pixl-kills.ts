import { setTimeout as delay } from "node:timers/promises";
import { type Broker, openBroker } from "../../src/compat/pixl/intake/broker.ts";
import { IMAGING_QUEUES, PARKED_QUEUE } from "../../src/compat/pixl/intake/queues.ts";
import { seededRandom } from "../../src/units/random.ts";
import { freePort } from "../peers/free-port.ts";
import { startRabbitMq } from "../peers/rabbitmq.ts";
import { type SyntheticStudy, syntheticStudy } from "../peers/synthetic-studies.ts";
import { openPixlHome, type PixlService, startPixlService } from "./pixl-service.ts";
import { openPixlSite, store } from "./pixl-site.ts";

export interface KillsOptions {
  readonly seed: number;
  readonly studies: number;
  /** Of each: the service, orthanc-raw and the broker. */
  readonly killsOfEach: number;
  /** Messages a second. */
  readonly rate: number;
  /** Before a kill, at most. */
  readonly longestPauseMs: number;
  readonly timeoutMs: number;
}

export interface KillsReport {
  /** Distinct studies that orthanc-anon was told of. */
  readonly handedOver: number;
  /** Studies it was never told of. */
  readonly lost: number;
  /** Times it was told of a study again. */
  readonly duplicates: number;
  /** Distinct bodies in the parked queue, sorted. */
  readonly parked: readonly string[];
  /** Messages in it whose body is there already. */
  readonly parkedAgain: number;
  /** Messages left in PIXL's own queues. */
  readonly left: number;
  /** In their order, with what was handed over by then. */
  readonly kills: readonly { readonly victim: Victim; readonly handedOver: number }[];
  readonly seconds: number;
}

const VICTIMS = ["service", "orthanc-raw", "broker"] as const;
type Victim = (typeof VICTIMS)[number];

export const POISON = [
  "hello",
  '{"mrn":NaN,"accession_number":"A"}',
  '{"mrn":"1","accession_number":"A*","study_uid":"","project_name":"p"}',
] as const;
const [PRIMARY, SECONDARY] = IMAGING_QUEUES;
const LOOK_EVERY_MS = 50;
/** Every fourth study is in the second archive alone. */
const isInPacs = (index: number): boolean => index % 4 === 3;

const bodyOf = ({ patientId, accessionNumber, studyInstanceUid }: SyntheticStudy): Buffer => {
  const keys = { mrn: patientId, accession_number: accessionNumber, study_uid: studyInstanceUid };
  return Buffer.from(JSON.stringify({ ...keys, series_uid: "", project_name: "trial" }));
};

interface World extends AsyncDisposable {
  readonly studies: readonly SyntheticStudy[];
  readonly broker: Broker;
  /** Study UIDs that orthanc-anon was told of, one after another. */
  told(): readonly string[];
  /** Has messages worked off from now on, over restarts too. */
  begin(rate: number): Promise<void>;
  readonly kill: Readonly<Record<Victim, (restMs: number) => Promise<void>>>;
}

/** PIXL's way from the queue to orthanc-anon, while what it needs is killed at moments that follow from a seed. */
export async function rehearseKills(options: KillsOptions): Promise<KillsReport> {
  const { seed, rate, killsOfEach, longestPauseMs, timeoutMs } = options;
  const random = seededRandom(seed);
  await using world = await openWorld(options.studies);
  const { studies, broker, told } = world;
  for (const body of [...studies.map(bodyOf), ...POISON.map((text) => Buffer.from(text))])
    await broker.publish({ queue: PRIMARY, body, priority: 1 });
  const startedAtMs = performance.now();
  await world.begin(rate);
  const kills: { victim: Victim; handedOver: number }[] = [];
  const schedule = VICTIMS.flatMap((victim) => Array.from({ length: killsOfEach }, () => victim));
  for (const victim of shuffled(schedule, random)) {
    await delay(random.next() * longestPauseMs);
    kills.push({ victim, handedOver: new Set(told()).size });
    await world.kill[victim]((random.next() * longestPauseMs) / 2);
  }
  const deadline = performance.now() + timeoutMs;
  while (!(await isDone(world)) && performance.now() < deadline) await delay(LOOK_EVERY_MS);
  const seconds = (performance.now() - startedAtMs) / 1_000;
  const distinct = new Set(told());
  const parked = await bodiesIn(broker);
  const handedOver = studies.filter(({ studyInstanceUid }) => distinct.has(studyInstanceUid)).length;
  return {
    handedOver,
    lost: studies.length - handedOver,
    duplicates: told().length - distinct.size,
    parked: [...new Set(parked)].sort(),
    parkedAgain: parked.length - new Set(parked).size,
    left: (await broker.count(PRIMARY)) + (await broker.count(SECONDARY)),
    kills,
    seconds,
  };
}

async function openWorld(count: number): Promise<World> {
  await using opened = new AsyncDisposableStack();
  const starting = [openPixlSite(), startRabbitMq(), openPixlHome()] as const;
  // Whatever has started is ended, also when another has not.
  await Promise.allSettled(starting);
  const [site, rabbit, home] = [
    opened.use(await starting[0]),
    opened.use(await starting[1]),
    opened.use(await starting[2]),
  ];
  const small = { modality: "CT", rows: 8, columns: 8, instancesPerSeries: 4 } as const;
  const studies = Array.from({ length: count }, (_, index) => syntheticStudy({ ...small, seed: 81_000 + index }));
  const [inPacs = [], inVna = []] = [true, false].map((is) => studies.filter((_, index) => isInPacs(index) === is));
  await Promise.all([storeAll(site.vna, inVna), storeAll(site.pacs, inPacs)]);
  const port = await freePort();
  const environment = {
    ...site.environment(),
    ...home.environment,
    RABBITMQ_PORT: `${rabbit.port}`,
    RADFERRY_PIXL_KEEP_RATE: "true",
    RADFERRY_PIXL_SECONDARY_WINDOWS: "Mon-Sun 00:00-24:00",
  };
  const start = (): Promise<PixlService> => startPixlService(environment, { port, cwd: home.folder });
  let service = await start();
  opened.defer(() => service[Symbol.asyncDispose]());
  const broker = opened.use(openBroker({ port: rabbit.port, timeoutMs: 5_000 }));
  const closing = opened.move();
  return {
    studies,
    broker,
    told: () => site.anon.imports.flatMap((request) => request.StudyInstanceUIDs),
    begin: (rate) => service.setRate(rate),
    kill: {
      async service(restMs) {
        await service.kill();
        await delay(restMs);
        service = await start();
      },
      async "orthanc-raw"(restMs) {
        await site.raw.kill();
        await delay(restMs);
        await site.raw.start();
      },
      async broker(restMs) {
        await rabbit.kill();
        await delay(restMs);
        await rabbit.start();
      },
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** Everything told, nothing left in PIXL's queues, and the poison where it belongs. */
async function isDone({ studies, broker, told }: World): Promise<boolean> {
  if (new Set(told()).size < studies.length) return false;
  const counting = [PRIMARY, SECONDARY, PARKED_QUEUE].map((queue) => broker.count(queue));
  const [primary = 1, secondary = 1, parked = 0] = await Promise.all(counting).catch(() => []);
  return primary + secondary === 0 && parked >= POISON.length;
}

async function storeAll(orthanc: Parameters<typeof store>[0], studies: readonly SyntheticStudy[]): Promise<void> {
  for (const { instances } of studies) await store(orthanc, instances);
}

async function bodiesIn(broker: Broker): Promise<readonly string[]> {
  const expected = await broker.count(PARKED_QUEUE);
  const bodies: string[] = [];
  const consumer = broker.consumer(PARKED_QUEUE, ({ body }) => void bodies.push(String(body)));
  consumer.start();
  while (bodies.length < expected) await delay(LOOK_EVERY_MS);
  await consumer.close();
  return bodies;
}

function shuffled<T>(items: readonly T[], random: ReturnType<typeof seededRandom>): readonly T[] {
  return items
    .map((item) => [random.next(), item] as const)
    .sort(([one], [other]) => one - other)
    .map(([, item]) => item);
}
