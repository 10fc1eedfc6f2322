import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { S3Peer } from "../../test/peers/s3-server.ts";
import { type SyntheticStudy, syntheticStudy } from "../../test/peers/synthetic-studies.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import type { Archive } from "../archive/archive.ts";
import { createPace } from "../archive/availability/pace.ts";
import { createExpectations } from "../archive/expectations.ts";
import { createFolderArchive } from "../archive/folder/folder-archive.ts";
import { createRefusals } from "../archive/refusals.ts";
import { loadProfile } from "../deid/profiles/load-profile.ts";
import { projectKeyOf } from "../deid/pseudonyms/project-key.ts";
import { createStudyDeidentifier } from "../deid/workers/study-run.ts";
import type { Destination } from "../delivery/destination.ts";
import { createFolderDestination } from "../delivery/folder/folder-destination.ts";
import { openObjectStore } from "../network/s3/s3-client.ts";
import { openStagingArea } from "../staging/open-staging.ts";
import { openOutbox } from "../staging/outbox.ts";
import { createSharedOutbox, type SharedOutbox } from "../staging/shared-outbox.ts";
import type { ClaimedJob, JobRecord } from "../store/records.ts";
import { openSqliteStore } from "../store/sqlite/open.ts";
import type { Store } from "../store/store.ts";
import { neverAborted } from "../units/abort.ts";
import { type Clock, systemClock } from "../units/clock.ts";
import { systemDisk } from "../units/disk.ts";
import { silentLogger } from "../units/logger.ts";
import { systemRandom } from "../units/random.ts";
import { createSemaphore } from "../units/semaphore.ts";
import { noTraces } from "../units/traces.ts";
import type { ProjectHook } from "./hook/process-study.ts";
import { LEASE_MS } from "./keep-lease.ts";
import { runJob } from "./run-job.ts";
import type { PipelineProject, PipelineServices } from "./services.ts";
import { createStudyLocks } from "./study-locks.ts";

const profile = await loadProfile("research");
const key = projectKeyOf(Buffer.alloc(32, 6));
const deidentifier = createStudyDeidentifier({ profile, key, filters: {} });
/** What sleeps in these tests sleeps no longer. */
const NAP_MS = 5;

export interface SceneOptions {
  readonly bucket: S3Peer;
  /** Of this test alone. */
  readonly prefix: string;
  /** Of what stands before the bucket; the bucket's own unless told. */
  readonly endpoint?: string;
  /** A shell script: $2 is the output folder. */
  readonly hook?: string;
}

/** A job's claim and what it is to be worked on with. */
export interface Node {
  readonly services: PipelineServices;
  /** Claims the job and works on it until it ends, waits, or the node is stopped. */
  work(stop?: AbortSignal): Promise<JobRecord>;
}

export interface SharedScene extends AsyncDisposable {
  readonly store: Store;
  readonly study: SyntheticStudy;
  readonly shared: SharedOutbox;
  /** How often any node asked the archive for instances. */
  readonly timesAsked: () => number;
  readonly metrics: ReadonlyMap<string, number>;
  /** A gateway with disks of its own on the store that all have. @param destination in the place of the folder's */
  node(name: string, destination?: (folder: Destination) => Destination): Promise<Node>;
  job(): Promise<JobRecord>;
  events(): Promise<readonly string[]>;
  pass(durationMs: number): void;
  /** Below the destination's folder, without the report. */
  delivered(): Promise<readonly string[]>;
  /** What is in the bucket under the prefix, by its name on the store's disk. */
  objects(): Promise<ReadonlyMap<string, Buffer>>;
  /** Where an object of that name is on the store's disk. */
  readonly bucketFolder: string;
}

/** One study in an archive, one job for it, and nodes that share a store and a bucket. */
export async function openScene(options: SceneOptions): Promise<SharedScene> {
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await temporaryFolder());
  const study = syntheticStudy({ seed: 71, modality: "CT", series: 2, instancesPerSeries: 2, rows: 16, columns: 16 });
  await mkdir(join(folder, "archive"));
  for (const [index, { file }] of study.instances.entries())
    await writeFile(join(folder, "archive", `${index}.dcm`), file);
  let nowMs = 1_000_000;
  const clock: Clock = {
    nowMs: () => nowMs,
    sleep: (_, signal) => systemClock.sleep(NAP_MS, signal),
  };
  const store = opened.use(await openSqliteStore({ path: join(folder, "radferry.db"), clock }));
  const request = { rowNumber: 1, patientId: undefined, accessionNumber: undefined, participantId: undefined };
  const wanted = { ...request, studyInstanceUid: study.studyInstanceUid, seriesInstanceUids: undefined };
  await store.submitCohort(
    { project: "trial", columns: [], requests: [{ ...wanted, priority: 3, cells: [] }], refused: [] },
    nowMs,
  );
  const [{ id } = { id: "" }] = await store.listJobs({ limit: 1 });
  let asked = 0;
  const counted = (): void => {
    asked += 1;
  };
  const metrics = new Map<string, number>();
  const sharedOf = (): SharedOutbox => sharedOutbox(options, clock, metrics);
  const bucketFolder = join(options.bucket.folder, options.prefix);
  const nodes = { folder, store, clock, options, counted, opened };
  const job = () => store.job(id);
  const closing = opened.move();
  return {
    ...{ store, study, metrics, job, bucketFolder },
    shared: sharedOf(),
    timesAsked: () => asked,
    async node(name, destination = (one) => one) {
      const services = await servicesOf(name, destination, sharedOf(), { ...nodes, opened: closing });
      return {
        services,
        async work(stop = neverAborted()) {
          const claimed = await store.claim(name, LEASE_MS, nowMs);
          if (claimed === undefined) throw new Error("no job is due");
          await runJob(services, claimed satisfies ClaimedJob, stop);
          return await job();
        },
      };
    },
    events: async () => (await store.events(id)).map(({ event }) => event),
    pass(durationMs) {
      nowMs += durationMs;
    },
    delivered: async () =>
      (await filesBelow(join(folder, "delivered"))).filter((name) => !/radferry/.test(name)).toSorted(),
    async objects() {
      const names = await filesBelow(bucketFolder);
      return new Map(
        await Promise.all(names.map(async (name) => [name, await readFile(join(bucketFolder, name))] as const)),
      );
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

function sharedOutbox(
  { bucket, endpoint = bucket.endpoint, prefix }: SceneOptions,
  clock: Clock,
  metrics: Map<string, number>,
): SharedOutbox {
  const { accessKeyId, secretAccessKey } = bucket;
  const login = { bucket: bucket.bucket, accessKeyId, secretAccessKey, region: "us-east-1", usesPathStyle: true };
  return createSharedOutbox({
    ...{ prefix, clock },
    open: async () => openObjectStore({ ...login, endpoint, tls: {} }),
    metrics: {
      add(name, by, labels) {
        const of = [name, ...Object.values(labels)].join(" ");
        metrics.set(of, (metrics.get(of) ?? 0) + by);
      },
    },
  });
}

interface NodeParts {
  readonly folder: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly options: SceneOptions;
  readonly counted: () => void;
  readonly opened: AsyncDisposableStack;
}

async function servicesOf(
  name: string,
  destinationOf: (folder: Destination) => Destination,
  shared: SharedOutbox,
  { folder, store, clock, options, counted, opened }: NodeParts,
): Promise<PipelineServices> {
  const home = join(folder, name);
  const [random, logger] = [systemRandom, silentLogger];
  const staging = opened.use(
    await openStagingArea({ path: join(home, "staging"), reserveBytes: 0, disk: systemDisk, logger }),
  );
  const [expectations, refusals] = [createExpectations(clock), createRefusals()];
  const taker = { staging, expectations, refusals, pace: createPace(clock), clock, random };
  const own = createFolderArchive({ name: "scanners", path: join(folder, "archive"), associations: 1, taker });
  const archive: Archive = {
    ...own,
    retrieve(request, signal) {
      counted();
      return own.retrieve(request, signal);
    },
  };
  const destination = await createFolderDestination({ name: "research-store", path: join(folder, "delivered") });
  const project: PipelineProject = {
    ...{ name: "trial", archives: [archive], destinations: [destinationOf(destination)], profile, keyId: key.id },
    ...{ deidentifier, combinesStudies: false, mergePatients: false, partial: "deliver", optOut: new Set() },
    maximumStudiesPerRequest: 20,
    hook: options.hook === undefined ? undefined : await hookOf(options.hook, home),
  };
  return {
    ...{ store, staging, refusals, clock, random, logger, traces: noTraces, sharedOutbox: shared },
    outbox: await openOutbox({ path: join(home, "outbox") }),
    actor: { name, kind: "service" },
    projects: new Map([["trial", project]]),
    isWithdrawn: async () => false,
    retry: { attempts: 5, firstDelayMs: 1_000, maximumDelayMs: 1_000 },
    studyLocks: createStudyLocks(),
  };
}

async function hookOf(script: string, home: string): Promise<ProjectHook> {
  await mkdir(home, { recursive: true });
  const program = join(home, "hook.sh");
  await writeFile(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const limits = { timeoutMs: 20_000, maximumOutputBytes: 1e6, maximumOutputFiles: 10 };
  const settings = { command: [program], outputs: "files", network: "allowed", parallel: 1, ...limits } as const;
  const { findLaunch } = await import("./hook/isolation.ts");
  return { settings, folder: join(home, "hooks"), launch: await findLaunch(settings), turns: createSemaphore(1) };
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}
