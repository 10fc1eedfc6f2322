import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { stringify } from "yaml";
import { freePort } from "../test/peers/free-port.ts";
import { processorSecondsOf, RADFERRY, type RunningServer, startServer } from "./processes.ts";

export interface GatewayWork {
  /** AET@host:port of the archive. */
  readonly archive: string;
  readonly aeTitle: string;
  readonly dicomPort: number;
  readonly associations: number;
  readonly studies: readonly string[];
}

/** Of one cohort. */
export interface GatewayFigures {
  /** From the moment that the cohort was handed in to that at which its last study is known to be delivered. */
  readonly seconds: number;
  /** Of the service's process, all threads, within that time. */
  readonly processorSeconds: number;
  readonly peakRssBytes: number;
}

/** Each gets the studies once. By the second one the service's code is compiled and optimised, as in one that has run for days. */
const PROJECTS = ["first", "next"] as const;
/** The API is asked this often; what it costs is the service's. */
const LOOK_MS = 100;
const TIMEOUT_MS = 600_000;

export type GatewayRun = Readonly<Record<(typeof PROJECTS)[number], GatewayFigures>>;

/**
 * Two cohorts of the same studies, one after the other, through one `radferry serve`; the second repeats all the work of the first.
 * @throws Error when not every study is delivered in time
 */
export async function runGateway(folder: string, work: GatewayWork): Promise<GatewayRun> {
  const httpPort = await freePort();
  const config = await configure(folder, work, httpPort);
  await using service = await startServer(RADFERRY, ["-c", config, "serve", "--json"], work.dicomPort, folder);
  const call = caller(httpPort, await tokenOf(service.stdout));
  const first = await runCohort("first", work, service, call);
  await removeStaged(join(folder, "home", "staging", "studies"));
  return { first, next: await runCohort("next", work, service, call) };
}

/** Empties staging: what lies there would not be fetched again for the second project. */
async function removeStaged(studies: string): Promise<void> {
  const names = await readdir(studies);
  if (names.length === 0) throw new Error("nothing is staged: the cohorts would not be alike");
  for (const name of names) await rm(join(studies, name), { recursive: true });
}

async function runCohort(
  project: string,
  work: GatewayWork,
  service: RunningServer,
  call: ReturnType<typeof caller>,
): Promise<GatewayFigures> {
  const before = processorSecondsOf(service.pid);
  const startedAtMs = performance.now();
  const rows = ["study_instance_uid", ...work.studies];
  const { cohort } = await call("POST", `/cohorts?project=${project}`, rows.join("\n"));
  for (;;) {
    const { done, states } = await call("GET", `/cohorts/${String(cohort)}`);
    if (done === true) {
      const seconds = (performance.now() - startedAtMs) / 1_000;
      const processorSeconds = processorSecondsOf(service.pid) - before;
      if (!isAll(states, work.studies.length))
        throw new Error(`not everything was delivered: ${JSON.stringify(states)}`);
      return { seconds, processorSeconds, peakRssBytes: service.peakRssBytes() };
    }
    if (performance.now() - startedAtMs > TIMEOUT_MS) throw new Error(`not done in time: ${JSON.stringify(states)}`);
    await delay(LOOK_MS);
  }
}

async function configure(folder: string, work: GatewayWork, httpPort: number): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const [index, name] of PROJECTS.entries())
    await writeFile(join(folder, `${name}.key`), `${`${index}a`.repeat(32)}\n`, { mode: 0o600 });
  const config = join(folder, "radferry.yaml");
  const { associations } = work;
  const settings = {
    home: join(folder, "home"),
    dicom: { aeTitle: work.aeTitle, host: "127.0.0.1", port: work.dicomPort },
    http: { port: httpPort },
    staging: { reserveGigabytes: 0 },
    archives: [
      { name: "archive", kind: "dimse", address: work.archive, retrieve: "move", availability: { associations } },
    ],
    destinations: [{ name: "folder", kind: "folder", path: join(folder, "delivered") }],
    projects: PROJECTS.map((name) => ({
      ...{ name, archives: ["archive"], destinations: ["folder"], profile: "research", keyFile: `${name}.key` },
    })),
  };
  await writeFile(config, stringify(settings));
  return config;
}

async function tokenOf(stdout: () => string): Promise<string> {
  for (let look = 0; look < 100 && !stdout().includes("\n"); look += 1) await delay(LOOK_MS);
  const { firstToken }: { readonly firstToken: string } = JSON.parse(stdout());
  return firstToken;
}

function caller(httpPort: number, token: string) {
  return async (method: string, path: string, body?: string): Promise<Readonly<Record<string, unknown>>> => {
    const answer = await fetch(`http://127.0.0.1:${httpPort}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "content-type": "text/csv" }) },
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`the service answered ${answer.status}: ${text}`);
    return JSON.parse(text);
  };
}

function isAll(states: unknown, studies: number): boolean {
  return typeof states === "object" && states !== null && "delivered" in states && states.delivered === studies;
}
