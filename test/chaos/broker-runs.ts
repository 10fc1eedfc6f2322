import { setTimeout as delay } from "node:timers/promises";
import { type Broker, openBroker } from "../../src/compat/pixl/intake/broker.ts";
import { IMAGING_QUEUES } from "../../src/compat/pixl/intake/queues.ts";
import type { ErrorCode } from "../../src/errors/registry.ts";
import { type RabbitMqServer, startRabbitMq } from "../peers/rabbitmq.ts";
import { type SyntheticStudy, syntheticStudy } from "../peers/synthetic-studies.ts";
import { openPixlHome, startPixlService } from "../support/pixl-service.ts";
import { openPixlSite, store } from "../support/pixl-site.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import type { BrokerName } from "./machine-kinds.ts";
import type { Outcome } from "./rehearse.ts";
import { signalAll } from "./signals.ts";

/** PIXL's archives, Orthancs and broker, and what stands in for its imaging API as a program of its own. */
export interface BrokerWorld extends AsyncDisposable {
  readonly rabbit: RabbitMqServer;
  /** Between the service and the broker. */
  readonly proxy: FaultProxy;
  /** Past the proxy. */
  readonly broker: Broker;
  load(studies: readonly SyntheticStudy[]): Promise<void>;
  /** The study UIDs that orthanc-anon was told of, one after another. */
  told(): readonly string[];
  log(): string;
}

const STUDIES = 6;
/** Messages a second. */
const RATE = 2;
const LOOK_MS = 50;
const LONGEST_MS = 240_000;
const [PRIMARY] = IMAGING_QUEUES;

export async function openBrokerWorld(): Promise<BrokerWorld> {
  await using opened = new AsyncDisposableStack();
  const site = opened.use(await openPixlSite());
  const rabbit = opened.use(await startRabbitMq());
  const home = opened.use(await openPixlHome());
  const proxy = opened.use(await startFaultProxy(rabbit.port));
  const environment = { ...site.environment(), ...home.environment, RABBITMQ_PORT: `${proxy.port}` };
  const service = opened.use(await startPixlService(environment, { cwd: home.folder }));
  await service.setRate(RATE);
  const broker = opened.use(openBroker({ port: rabbit.port, timeoutMs: 5_000 }));
  const closing = opened.move();
  return {
    ...{ rabbit, proxy, broker, log: service.log },
    async load(studies) {
      for (const { instances } of studies) await store(site.vna, instances);
    },
    told: () => site.anon.imports.flatMap((request) => request.StudyInstanceUIDs),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

interface BrokerRun {
  strike(world: BrokerWorld): Promise<void> | void;
  mend(world: BrokerWorld): Promise<void> | void;
}

const struck = (kind: Parameters<FaultProxy["strike"]>[0]): BrokerRun => ({
  strike: ({ proxy }) => proxy.strike(kind),
  mend: ({ proxy }) => proxy.mend(),
});

const BROKER_RUNS: Readonly<Record<BrokerName, BrokerRun>> = {
  "rabbitmq refused": struck("refused"),
  "rabbitmq cut": struck("cut"),
  "rabbitmq stalled": struck("stalled"),
  "rabbitmq half-open": struck("half-open"),
  "rabbitmq killed": { strike: ({ rabbit }) => rabbit.kill(), mend: ({ rabbit }) => rabbit.start() },
  "rabbitmq stopped": {
    strike: ({ rabbit }) => signalAll(rabbit.pid, "SIGSTOP"),
    mend: ({ rabbit }) => signalAll(rabbit.pid, "SIGCONT"),
  },
};

/** Works off some messages, strikes in between, and looks that each study is handed over and no message is left. */
export async function rehearseBroker(name: BrokerName, world: BrokerWorld, seed: number): Promise<Outcome> {
  const small = { modality: "CT", rows: 8, columns: 8 } as const;
  const studies = Array.from({ length: STUDIES }, (_, index) => syntheticStudy({ ...small, seed: seed + index }));
  await world.load(studies);
  const logged = world.log().length;
  for (const study of studies) await world.broker.publish({ queue: PRIMARY, body: messageOf(study), priority: 1 });
  const missing = (): number => studies.filter((each) => !world.told().includes(each.studyInstanceUid)).length;
  await waitFor(() => missing() < STUDIES);
  await BROKER_RUNS[name].strike(world);
  const code: ErrorCode = "PIXL_BROKER_UNAVAILABLE";
  await waitFor(() => world.log().slice(logged).includes(code));
  await BROKER_RUNS[name].mend(world);
  await waitFor(() => missing() === 0);
  await waitFor(async () => (await world.broker.count(PRIMARY).catch(() => 1)) === 0);
  return { seen: code, end: "delivered", problems: [], isDamageUnseen: false };
}

function messageOf({ patientId, accessionNumber, studyInstanceUid }: SyntheticStudy): Buffer {
  const keys = { mrn: patientId, accession_number: accessionNumber, study_uid: studyInstanceUid };
  return Buffer.from(JSON.stringify({ ...keys, series_uid: "", project_name: "trial" }));
}

async function waitFor(isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (const startedAtMs = performance.now(); performance.now() - startedAtMs < LONGEST_MS; await delay(LOOK_MS))
    if (await isSo()) return;
  throw new Error("what was waited for never came");
}
