import { once } from "node:events";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import { openPostgresStore } from "../../src/store/postgres/open.ts";
import type { JobRecord } from "../../src/store/records.ts";
import type { Store } from "../../src/store/store.ts";
import { seededRandom } from "../../src/units/random.ts";
import { freePort } from "../peers/free-port.ts";
import { type PostgresServer, startPostgres } from "../peers/postgres.ts";
import { type PracticeArchive, startPracticeArchive } from "../peers/practice-archive.ts";
import type { SyntheticModality } from "../peers/synthetic-modules.ts";
import { type SyntheticInstance, type SyntheticStudy, syntheticStudy } from "../peers/synthetic-studies.ts";
import { makeSite, PROJECT, type RunningService, type Site, type SiteOptions } from "./site.ts";

const MODALITIES: readonly SyntheticModality[] = ["CT", "MR", "PT"];
const LOOK_MS = 250;
/** Each instance takes the archive this long, so that kills hit work under way. */
const SEND_MS = 20;

/** A-RELEASE-RP: its type and its length. PS3.8 9.3.7. */
const RELEASED = Buffer.from([0x06, 0x00, 0x00, 0x00, 0x00, 0x04]);
const RELEASED_BYTES = 10;

/** Passes bytes on to a DICOM server of this machine, and counts the associations that are open at once. */
export interface CountingProxy extends AsyncDisposable {
  readonly port: number;
  /** The most there were. */
  readonly peak: number;
}

async function startCountingProxy(port: number): Promise<CountingProxy> {
  let open = 0;
  let peak = 0;
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client);
    open += 1;
    peak = Math.max(peak, open);
    const upstream = connect(port, "127.0.0.1");
    let isOpen = true;
    const release = (): void => {
      if (isOpen) open -= 1;
      isOpen = false;
    };
    const end = (): void => {
      release();
      clients.delete(client.destroy());
      upstream.destroy();
    };
    // Before who asked for it hears of it, and another one begins.
    upstream.on("data", (bytes: Buffer) => {
      if (bytes.subarray(-RELEASED_BYTES).subarray(0, RELEASED.length).equals(RELEASED)) release();
    });
    for (const socket of [client, upstream])
      socket
        .setNoDelay()
        .on("error", () => undefined)
        .on("close", end);
    client.pipe(upstream).pipe(client);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    get peak() {
      return peak;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

export interface SeveralOptions {
  readonly gateways: number;
  readonly studies: number;
  /** Of the archive, all gateways together. */
  readonly associations: number;
  /** @default move */
  readonly retrieve?: "move" | "get";
}

/** Gateways with a home each, on one PostgreSQL, one archive and one folder. */
export interface SeveralGateways extends AsyncDisposable {
  readonly server: PostgresServer;
  readonly store: Store;
  readonly sites: readonly Site[];
  readonly archive: PracticeArchive;
  readonly proxy: CountingProxy;
  readonly studies: readonly SyntheticStudy[];
  readonly delivered: string;
  submit(): Promise<void>;
  jobs(): Promise<readonly JobRecord[]>;
  untilDone(timeoutMs: number): Promise<void>;
  /** Path below the destination to inode: a file that was written again has another. */
  deliveredFiles(): Promise<ReadonlyMap<string, number>>;
}

function studiesOf(count: number): readonly SyntheticStudy[] {
  return Array.from({ length: count }, (_, index) =>
    syntheticStudy({
      seed: 7_000 + index,
      modality: MODALITIES[index % MODALITIES.length] ?? "CT",
      series: 1,
      instancesPerSeries: 1 + (index % 2),
      rows: 16,
      columns: 16,
    }),
  );
}

async function openSeveralGateways(options: SeveralOptions): Promise<SeveralGateways> {
  await using opened = new AsyncDisposableStack();
  const delivered = opened.adopt(await mkdtemp(join(tmpdir(), "several-delivered-")), (path) =>
    rm(path, { recursive: true, force: true }),
  );
  const server = opened.use(await startPostgres());
  const databaseUrl = `postgres://${server.user}@127.0.0.1:${server.port}/${server.user}`;
  const store = opened.use(
    await openPostgresStore({ url: databaseUrl, witnessPath: join(delivered, ".witness"), poolSize: 2 }),
  );
  const numbers = Array.from({ length: options.gateways }, (_, index) => index + 1);
  const ports = await Promise.all(numbers.map(() => freePort()));
  const titleOf = (number: number): string => `NODE${number}`;
  const studies = studiesOf(options.studies);
  const archive = opened.use(
    await startPracticeArchive({
      studies,
      destinations: numbers.map((number) => `${titleOf(number)}@127.0.0.1:${ports[number - 1]}`),
      faults: { send: slowly },
    }),
  );
  const proxy = opened.use(await startCountingProxy(Number(archive.address.split(":").at(-1))));
  const sites = await Promise.all(
    numbers.map((number) =>
      siteOf(options, {
        aeTitle: titleOf(number),
        dicomPort: ports[number - 1] ?? 0,
        archive: `PRACTICE@127.0.0.1:${proxy.port}`,
        shared: { databaseUrl, node: { name: `node-${number}` }, delivered },
      }),
    ),
  );
  for (const site of sites) opened.use(site);
  const everything = opened.move();
  const jobs = async (): Promise<readonly JobRecord[]> => await store.listJobs({ limit: studies.length * 2 });
  return {
    server,
    store,
    sites,
    archive,
    proxy,
    studies,
    delivered,
    jobs,
    async submit() {
      const [site] = sites;
      if (site === undefined) throw new Error("there is no gateway");
      const rows = studies.map(({ studyInstanceUid }) => studyInstanceUid).join("\n");
      const file = await site.write("wanted.csv", `study_instance_uid\n${rows}\n`);
      const { exitCode, stderr } = await site.run("cohort", "submit", file, "--project", PROJECT);
      expect(stderr).toBe("");
      expect(exitCode).toBe(0);
    },
    async untilDone(timeoutMs) {
      const deadlineMs = Date.now() + timeoutMs;
      for (;;) {
        const all = await jobs();
        if (all.length === studies.length && all.every(({ state }) => state === "delivered")) return;
        if (Date.now() > deadlineMs) throw new Error(`not done in time: ${statesOf(all)}`);
        await delay(LOOK_MS);
      }
    },
    deliveredFiles: () => deliveredFiles(delivered),
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}

async function* slowly({ bytes }: SyntheticInstance): AsyncGenerator<Uint8Array> {
  await delay(SEND_MS);
  yield bytes;
}

async function siteOf(
  { associations, retrieve = "move" }: SeveralOptions,
  of: Pick<SiteOptions, "aeTitle" | "dicomPort" | "shared"> & { readonly archive: string },
): Promise<Site> {
  const { archive: address, ...others } = of;
  return await makeSite({
    ...others,
    archives: [{ name: "practice", address, retrieve, availability: { associations } }],
  });
}

function statesOf(jobs: readonly JobRecord[]): string {
  const states = new Map<string, number>();
  for (const { state, stage, code } of jobs) {
    const what = `${state} ${stage} ${code ?? ""}`;
    states.set(what, (states.get(what) ?? 0) + 1);
  }
  return [...states].map(([state, count]) => `${count} ${state}`).join(", ");
}

async function deliveredFiles(folder: string): Promise<ReadonlyMap<string, number>> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const files = names.filter((name) => name.endsWith(".dcm") && !name.startsWith(".radferry")).sort();
  return new Map(await Promise.all(files.map(async (name) => [name, (await stat(join(folder, name))).ino] as const)));
}

export interface NodeKills {
  readonly seed: number;
  /** Of each gateway. */
  readonly kills: number;
  /** A gateway lives so long after it was ready, at least and at most. */
  readonly lifeMs: readonly [least: number, most: number];
  readonly timeoutMs: number;
}

export interface KillReport {
  readonly kills: number;
  /** Kills while there was work left. */
  readonly underWay: number;
  readonly files: number;
  readonly peakAssociations: number;
  readonly seconds: number;
  /** Instances that the archive sent, beside those there are. */
  readonly sent: number;
}

/** Kills every gateway so often at random moments, each starting again at once; expects every study delivered, nothing twice, limits held. */
export async function rehearseNodeKills(options: SeveralOptions, kills: NodeKills): Promise<KillReport> {
  await using several = await openSeveralGateways(options);
  const { sites, studies, proxy, archive } = several;
  await several.submit();
  const startedAtMs = Date.now();
  const instances = studies.flatMap((study) => study.instances).length;
  let seen: ReadonlyMap<string, number> = new Map();
  let underWay = 0;
  const look = async (): Promise<void> => {
    const before = seen;
    const files = await several.deliveredFiles();
    for (const [name, inode] of before) expect(files.get(name), "a delivered file stays as it is").toBe(inode);
    if (files.size >= seen.size) seen = files;
    if (files.size < instances) underWay += 1;
  };
  await using services = new AsyncDisposableStack();
  const running: RunningService[] = [];
  const rehearse = async (site: Site, index: number): Promise<void> => {
    const random = seededRandom(kills.seed * 100 + index);
    const [least, most] = kills.lifeMs;
    for (let kill = 0; kill < kills.kills; kill += 1) {
      const service = services.use(await site.serve());
      await delay(least + random.next() * (most - least));
      await service.kill();
      await look();
    }
    running.push(services.use(await site.serve()));
  };
  const ends = await Promise.allSettled(sites.map(rehearse));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  await several.untilDone(kills.timeoutMs).catch((thrown: unknown) => {
    throw new Error(running.map((service) => service.log()).join("\n"), { cause: thrown });
  });
  await look();
  const seconds = (Date.now() - startedAtMs) / 1_000;

  expect((await several.deliveredFiles()).size, "every instance is there once").toBe(instances);
  for (const { id } of await several.jobs())
    expect(await several.store.deliveries(id)).toMatchObject([{ state: "confirmed" }]);
  expect(proxy.peak, "all gateways together hold the archive's limit").toBeLessThanOrEqual(options.associations);
  const sent = [...archive.timesSent.values()].reduce((sum, times) => sum + times, 0);
  const count = kills.kills * sites.length;
  return { kills: count, underWay, files: instances, peakAssociations: proxy.peak, seconds, sent };
}
