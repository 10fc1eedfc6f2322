import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { stringify } from "yaml";
import { stopProcess } from "../../test/peers/process.ts";
import { followEvents } from "../../test/support/event-stream.ts";
import type { BenchFactory } from "../context.ts";
import type { Comparison, Contender } from "../harness.ts";
import { fillLargeStore, type LargeStore, openChanger, PROJECTS } from "../large-store.ts";
import { benchScript, RADFERRY } from "../processes.ts";

const CALLS = 50;
const MEDIAN = "median";
const LATE = "95 of 100";
const PROCESSOR = "processor";
const FOLLOWERS = 50;
const CHANGES_PER_SECOND = 20;
const FOLLOW_SECONDS = 20;
const STOP_MS = 15_000;
/** As many as workers take at once, and more. */
const STUCK_JOBS = 40;

/** What the dashboard and scripts ask of the API beside a million study jobs, while what the archive is asked is never answered. */
export const api: BenchFactory = async ({ folder }) => {
  await using opened = new AsyncDisposableStack();
  const place = join(folder, "api");
  await mkdir(place, { recursive: true });
  const archive = opened.use(await silentArchive());
  const file = join(place, "radferry.yaml");
  await writeFile(file, stringify(settingsFor(place, archive.port)));
  for (const [index, name] of PROJECTS.entries())
    await writeFile(join(place, `${name}.key`), `a${index}`.repeat(32), { mode: 0o600 });
  // At its first start it makes a token, and writes down the keys that everything is made with.
  const { token, ...first } = await startSite(file, place);
  await first[Symbol.asyncDispose]();
  const store = await fillLargeStore(join(place, "home"));
  const site = opened.use(await startSite(file, place, token));
  const limited = await site.tokenOf(["rare-a", "rare-b"]);
  const closing = opened.move();
  const parts: Parts = { site, store, home: join(place, "home"), archive };
  return {
    comparisons: [
      pages(`pages beside ${store.jobs} study jobs`, pageRequests(store), 50, parts),
      pages(`lists beside ${store.jobs} study jobs`, listRequests(store, limited), 20, parts),
      pages("pages while the archive is silent", pageRequests(store), 50, { ...parts, isArchiveAsked: true }),
      following(parts),
    ],
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
};

interface Parts {
  readonly site: Site;
  readonly store: LargeStore;
  readonly home: string;
  readonly archive: SilentArchive;
  readonly isArchiveAsked?: boolean;
}

/** What belongs together is asked one after the other, as one figure. */
interface Asked {
  readonly paths: readonly string[];
  readonly token?: string;
  /** The first bytes are all that is waited for. */
  readonly isStart?: boolean;
}

const pageRequests = ({ largestCohort, deepJob }: LargeStore): Readonly<Record<string, Asked>> => ({
  overview: { paths: ["/overview"] },
  "overview page: counts, projects, archives": { paths: ["/overview", "/projects", "/archives"] },
  "cohort page: status and first studies": {
    paths: [`/cohorts/${largestCohort}`, `/studies?cohort=${largestCohort}&limit=100`],
  },
  "study page: job and ledger": { paths: [`/studies/${deepJob}`, `/studies/${deepJob}/ledger`] },
  "export, first bytes": { paths: [`/cohorts/${largestCohort}/export`], isStart: true },
});

const listRequests = (
  { largestCohort, smallCohort, deepJob, deepJobOfCohort }: LargeStore,
  limited: string,
): Readonly<Record<string, Asked>> => {
  const list = (query: string, token?: string): Asked => ({
    paths: [query],
    ...(token === undefined ? {} : { token }),
  });
  return {
    studies: list("/studies?limit=50"),
    "studies, 200": list("/studies?limit=200"),
    "studies, deep": list(`/studies?cursor=${deepJob}`),
    "studies by state": list("/studies?state=failed"),
    "studies by state, deep": list(`/studies?state=delivered&cursor=${deepJob}`),
    "studies by rare state": list("/studies?state=held"),
    "studies by absent state": list("/studies?state=running"),
    "studies by project": list("/studies?project=brain-mr"),
    "studies by project, deep": list(`/studies?project=lung-ct&cursor=${deepJobOfCohort}`),
    "studies by project and state": list("/studies?project=brain-mr&state=quarantined"),
    "studies by cohort": list(`/studies?cohort=${largestCohort}`),
    "studies by cohort, deep": list(`/studies?cohort=${largestCohort}&cursor=${deepJobOfCohort}`),
    "studies by cohort and state": list(`/studies?cohort=${largestCohort}&state=failed`),
    "studies by cohort and a state rare in it": list(`/studies?cohort=${largestCohort}&state=quarantined`),
    "studies by cohort and a state absent from it": list(`/studies?cohort=${smallCohort}&state=running`),
    "studies by cohort and another's project": list(`/studies?cohort=${largestCohort}&project=brain-mr`),
    "studies of a token for two small projects": list("/studies", limited),
    "studies by state of a token for two small projects": list("/studies?state=held", limited),
    cohorts: list("/cohorts"),
    "cohorts, newest": list("/cohorts?order=newest"),
    "cohorts by project": list("/cohorts?project=rare-a"),
    "cohorts of a token for two small projects": list("/cohorts", limited),
    deliveries: list("/deliveries"),
    "deliveries, deep": list(`/deliveries?cursor=${deepJob}:research`),
    "deliveries by state": list("/deliveries?state=failed"),
    "deliveries of a token for two small projects": list("/deliveries", limited),
    audit: list("/audit"),
  };
};

function pages(title: string, requests: Readonly<Record<string, Asked>>, atMost: number, parts: Parts): Comparison {
  const names = Object.keys(requests);
  return {
    title,
    figures: { [MEDIAN]: "ms", [LATE]: "ms" },
    contenders: Object.entries(requests).map(([name, asked]) => timed(name, asked, parts)),
    gates: [],
    absoluteGates: names.map((contender) => ({ figure: LATE, contender, bound: { atMost } })),
  };
}

function timed(name: string, { paths, token, isStart = false }: Asked, parts: Parts): Contender {
  const { site, home, archive, isArchiveAsked = false } = parts;
  return {
    name,
    program: RADFERRY,
    async run() {
      if (isArchiveAsked) {
        using changer = openChanger(home);
        changer.queue(STUCK_JOBS);
        while (archive.asked === 0) await delay(50);
      }
      const times: number[] = [];
      for (let call = 0; call < CALLS; call += 1) {
        const startedAtMs = performance.now();
        for (const path of paths) await (isStart ? site.begin(path) : site.get(path, token));
        times.push(performance.now() - startedAtMs);
      }
      times.sort((one, other) => one - other);
      const at = (share: number): number => times[Math.floor(share * times.length)] ?? Number.NaN;
      if (isArchiveAsked && archive.asked === 0) throw new Error("nobody asked the archive any more");
      return { figures: { [MEDIAN]: at(0.5), [LATE]: at(0.95) }, peakRssBytes: 0 };
    },
  };
}

function following(parts: Parts): Comparison {
  const name = (followers: number, changes: number): string => `${followers} followers, ${changes} changes a second`;
  const contenders = [
    watched(name(0, 0), 0, 0, parts),
    watched(name(0, CHANGES_PER_SECOND), 0, CHANGES_PER_SECOND, parts),
    watched(name(FOLLOWERS, CHANGES_PER_SECOND), FOLLOWERS, CHANGES_PER_SECOND, parts),
  ];
  return {
    title: "events",
    figures: { [PROCESSOR]: "% of a core" },
    contenders,
    gates: [],
    absoluteGates: [{ figure: PROCESSOR, contender: name(FOLLOWERS, CHANGES_PER_SECOND), bound: { atMost: 5 } }],
    isRunOnce: true,
  };
}

/** Every follower has to see every change. */
function watched(name: string, followers: number, changesPerSecond: number, { site, home }: Parts): Contender {
  return {
    name,
    program: RADFERRY,
    async run() {
      await using opened = new AsyncDisposableStack();
      const streams = await Promise.all(Array.from({ length: followers }, () => followEvents(site.url, site.token)));
      for (const stream of streams) opened.use(stream);
      using changer = openChanger(home);
      const seen = streams.map((stream) => countStudies(stream, changesPerSecond * FOLLOW_SECONDS));
      const before = await site.processorSeconds();
      const startedAtMs = performance.now();
      for (let change = 1; change <= changesPerSecond * FOLLOW_SECONDS; change += 1) {
        changer.change();
        await delay(Math.max(0, startedAtMs + (change * 1_000) / changesPerSecond - performance.now()));
      }
      await Promise.all(seen);
      if (changesPerSecond === 0) await delay(FOLLOW_SECONDS * 1_000);
      const used = (await site.processorSeconds()) - before;
      const seconds = (performance.now() - startedAtMs) / 1_000;
      return { figures: { [PROCESSOR]: (100 * used) / seconds }, peakRssBytes: 0 };
    },
  };
}

async function countStudies(stream: Awaited<ReturnType<typeof followEvents>>, changes: number): Promise<void> {
  let seen = 0;
  await stream.until(({ event }) => {
    if (event === "study") seen += 1;
    return seen >= changes;
  });
}

function settingsFor(place: string, port: number) {
  return {
    home: join(place, "home"),
    dicom: { port: 0 },
    http: { port: 0 },
    staging: { reserveGigabytes: 0 },
    archives: [{ name: "pacs", kind: "dimse", address: `SILENT@127.0.0.1:${port}`, retrieve: "get" }],
    destinations: [{ name: "research", kind: "folder", path: join(place, "research") }],
    projects: PROJECTS.map((name) => ({
      name,
      archives: ["pacs"],
      destinations: ["research"],
      profile: "basic",
      keyFile: join(place, `${name}.key`),
    })),
  };
}

interface SilentArchive extends AsyncDisposable {
  readonly port: number;
  /** Connections that wait for an answer now. */
  readonly asked: number;
}

/** Takes every connection and never says a word. */
async function silentArchive(): Promise<SilentArchive> {
  const sockets = new Set<import("node:net").Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => sockets.delete(socket));
    socket.resume();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    get asked() {
      return sockets.size;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

interface Site extends AsyncDisposable {
  readonly url: string;
  readonly token: string;
  get(path: string, token?: string): Promise<string>;
  /** Waits for the first bytes alone. */
  begin(path: string): Promise<void>;
  tokenOf(projects: readonly string[]): Promise<string>;
  processorSeconds(): Promise<number>;
}

async function startSite(file: string, cwd: string, known?: string): Promise<Site> {
  const [node, script] = benchScript("api-main.ts");
  const child = spawn(node, [script, file], { cwd, stdio: ["ignore", "pipe", "inherit"] });
  const stopping = new AsyncDisposableStack();
  stopping.defer(() => stopProcess(child, STOP_MS));
  const [line] = await Promise.race([
    once(createInterface(child.stdout), "line"),
    once(child, "exit").then(() => Promise.reject(new Error("the gateway did not start"))),
  ]);
  const ready: { readonly port: number; readonly token?: string } = JSON.parse(String(line));
  const { port, token = known ?? "" } = ready;
  const url = `http://127.0.0.1:${port}`;
  const ask = async (path: string, by: string, more: RequestInit = {}): Promise<Response> => {
    const headers = { authorization: `Bearer ${by}`, "content-type": "application/json" };
    const response = await fetch(url + path, { ...more, headers });
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return response;
  };
  return {
    url,
    token,
    get: async (path, by = token) => await (await ask(`/api/v1${path}`, by)).text(),
    async begin(path) {
      const stop = new AbortController();
      const response = await ask(`/api/v1${path}`, token, { signal: stop.signal });
      await response.body?.getReader().read();
      stop.abort();
    },
    async tokenOf(projects) {
      const body = JSON.stringify({ name: "limited", role: "viewer", projects });
      const response = await ask("/api/v1/tokens", token, { method: "POST", body });
      const made: { readonly token: string } = JSON.parse(await response.text());
      return made.token;
    },
    async processorSeconds() {
      const text = await (await ask("/metrics", token)).text();
      return Number(/^radferry_process_cpu_seconds_total (\S+)/m.exec(text)?.[1]);
    },
    [Symbol.asyncDispose]: () => stopping.disposeAsync(),
  };
}
