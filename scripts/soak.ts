/**
 * `npm run soak -- [--studies N] [--minutes N] [--instances N] [--speed N]`: as many made-up studies through a service, one after the other, and a table of how
 * it is meanwhile. Ends with 1 when it does not stay as it was.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { stringify } from "yaml";
import { parseAeTitle, parseDicomAddress } from "../src/dicom/ae-title.ts";
import { startDimseServer } from "../src/network/dimse/server.ts";
import { freePort } from "../test/peers/free-port.ts";
import { endlessArchive, uidOfStudy } from "./soak-archive.ts";
import type { ServiceAnswer, ServiceQuestion } from "./soak-protocol.ts";
import { rateOf, type SoakSample, verdictOf } from "./soak-verdict.ts";

const { values: options } = parseArgs({
  options: {
    studies: { type: "string", default: "1000" },
    /** Nothing more is handed in behind this time. */
    minutes: { type: "string", default: "Infinity" },
    instances: { type: "string", default: "2" },
    /** How fast the service's hours pass: its retention is kept once an hour. */
    speed: { type: "string", default: "1" },
  },
});
const STUDIES = Math.max(1, Number(options.studies));
const PROJECT = "soak";
/** Handed in at once, so that the store is asked about few of them. */
const COHORT_ROWS = Math.min(100, STUDIES);
const LIMIT_MS = Number(options.minutes) * 60_000;
const LOOK_MS = STUDIES < 500 ? 500 : 10_000;
/** What was delivered this long ago is taken away, as research takes it. */
const TAKEN_AFTER_MS = 60_000;
const PIXELS = 32;
/** As bin/radferry starts a service. */
const FLAGS = [
  ...["--max-semi-space-size=8", "--heap-growing-percent=20"],
  ...["--no-concurrent-recompilation", "--no-allocation-site-pretenuring"],
];
const UNDER_WAY: ReadonlySet<string> = new Set(["queued", "running", "waiting"]);
const COLUMNS = [
  "seconds | studies | studies/s | CPU ms/study | RSS MB | heap MB | handles | open files | loop p99 ms | store MB | staging MB",
  "--- | --- | --- | --- | --- | --- | --- | --- | --- | --- | ---",
];

async function soak(): Promise<number> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "radferry-soak-"));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const dicomPort = await freePort();
  const own = parseDicomAddress(`RADFERRY@127.0.0.1:${dicomPort}`);
  const shape = { instances: Number(options.instances), pixels: PIXELS };
  const archive = opened.use(
    await startDimseServer({
      ...{ host: "127.0.0.1", port: 0, aeTitle: parseAeTitle("ARCHIVE") },
      handlers: endlessArchive(shape, (aeTitle) => (aeTitle === own.aeTitle ? own : undefined)),
    }),
  );
  const service = opened.use(await startService(folder, dicomPort, archive.port));
  for (const line of COLUMNS) console.log(`| ${line} |`);
  const samples = await workOff(folder, service);
  console.log("");
  const findings = verdictOf(samples);
  for (const { what, measured, met } of findings) console.log(`- ${met ? "met" : "MISSED"}: ${what}: ${measured}`);
  return findings.every(({ met }) => met) ? 0 : 1;
}

interface SoakService extends AsyncDisposable {
  ask(question: ServiceQuestion): Promise<ServiceAnswer>;
}

/** Cohort by cohort, the next one handed in while the one before is worked on. */
async function workOff(folder: string, service: SoakService): Promise<readonly SoakSample[]> {
  const samples: SoakSample[] = [];
  const waiting: { readonly cohort: string; readonly rows: number }[] = [];
  const startedAtMs = performance.now();
  const done = { studies: 0, delivered: 0 };
  let submitted = 0;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  for (;;) {
    const isOpen = submitted < STUDIES && (submitted === 0 || performance.now() - startedAtMs < LIMIT_MS);
    while (isOpen && submitted < STUDIES && waiting.length < 2) {
      const rows = Math.min(COHORT_ROWS, STUDIES - submitted);
      waiting.push({ cohort: await submit(folder, service, submitted + 1, rows), rows });
      submitted += rows;
    }
    const [first, second] = waiting;
    if (first === undefined) return samples;
    const states = [await look(service, first.cohort), ...(second ? [await look(service, second.cohort)] : [])];
    const isOver = states[0]?.done === true;
    const isLast = isOver && waiting.length === 1;
    if (isLast || performance.now() - lookedAtMs >= LOOK_MS) {
      lookedAtMs = performance.now();
      const { kind: _, done: __, states: ___, ...state } = states.at(-1) ?? (await look(service, first.cohort));
      await takeAway(join(folder, "delivered", PROJECT));
      samples.push({
        ...state,
        atMs: lookedAtMs - startedAtMs,
        studies: done.studies + sumOf(states, (of) => endedOf(of.states)),
        deliveredStudies: done.delivered + sumOf(states, (of) => of.states.delivered ?? 0),
        submittedStudies: submitted,
        storeBytes: await storeSize(join(folder, "home", "radferry.db")),
        stagingBytes: await sizeOf(join(folder, "home", "staging")),
      });
      say(samples);
    }
    if (isOver) {
      done.studies += first.rows;
      done.delivered += states[0]?.states.delivered ?? 0;
      waiting.shift();
    } else await delay(Math.min(LOOK_MS, 1_000));
  }
}

type Look = Extract<ServiceAnswer, { readonly kind: "state" }>;

function endedOf(states: Look["states"]): number {
  return Object.entries(states).reduce((sum, [state, count]) => sum + (UNDER_WAY.has(state) ? 0 : count), 0);
}

function sumOf(states: readonly Look[], figure: (state: Look) => number): number {
  return states.reduce((sum, state) => sum + figure(state), 0);
}

async function look(service: SoakService, cohort: string): Promise<Look> {
  const answer = await service.ask({ kind: "look", cohort });
  if (answer.kind !== "state") throw new Error(`the service answers otherwise: ${JSON.stringify(answer)}`);
  return answer;
}

async function submit(folder: string, service: SoakService, first: number, rows: number): Promise<string> {
  const path = join(folder, "cohort.csv");
  const lines = Array.from({ length: rows }, (_, row) => uidOfStudy(first + row));
  await writeFile(path, ["study_instance_uid", ...lines, ""].join("\n"));
  const answer = await service.ask({ kind: "submit", path, project: PROJECT });
  if (answer.kind !== "submitted") throw new Error(`the cohort was not taken: ${JSON.stringify(answer)}`);
  return answer.cohort;
}

function say(samples: readonly SoakSample[]): void {
  const now = samples.at(-1);
  const before = samples.at(-2);
  if (now === undefined) return;
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(bytes < 10e6 ? 1 : 0);
  const studies = now.studies - (before?.studies ?? 0);
  const processorMs = now.processorMs - (before?.processorMs ?? 0);
  const cells = [
    (now.atMs / 1_000).toFixed(0),
    now.studies,
    rateOf(before === undefined ? [now] : [before, now]).toFixed(1),
    studies === 0 ? "" : (processorMs / studies).toFixed(0),
    ...[now.rssBytes, now.heapBytes].map(megabytes),
    ...[now.handles, now.openFiles, now.delayMs.toFixed(0)],
    ...[now.storeBytes, now.stagingBytes].map(megabytes),
  ];
  console.log(`| ${cells.join(" | ")} |`);
}

/** Patients whose folder nothing was written into for a while: research has taken them over. */
async function takeAway(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    if (Date.now() - (await stat(path)).mtimeMs > TAKEN_AFTER_MS) await rm(path, { recursive: true, force: true });
  }
}

/** The database and its log. */
async function storeSize(path: string): Promise<number> {
  return (await sizeOfFile(path)) + (await sizeOfFile(`${path}-wal`));
}

/** 0 when it has gone. */
function sizeOfFile(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []))
    if (entry.isFile()) bytes += await sizeOfFile(join(entry.parentPath, entry.name));
  return bytes;
}

async function startService(folder: string, dicomPort: number, archivePort: number): Promise<SoakService> {
  await mkdir(join(folder, "home"));
  await writeFile(join(folder, "project.key"), `${"5a".repeat(32)}\n`, { mode: 0o600 });
  const config = join(folder, "radferry.yaml");
  await writeFile(config, stringify(settingsOf(folder, dicomPort, archivePort)));
  const script = fileURLToPath(new URL("soak-service.ts", import.meta.url));
  const child = fork(script, [config, options.speed], {
    execArgv: FLAGS,
    env: { ...process.env, MALLOC_ARENA_MAX: "1" },
  });
  const ready = await answerOf(child);
  if (ready.kind !== "ready") throw new Error(`the service did not start: ${JSON.stringify(ready)}`);
  return {
    async ask(question) {
      child.send(question);
      return await answerOf(child);
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || !child.connected) return;
      child.send({ kind: "stop" } satisfies ServiceQuestion);
      await once(child, "exit");
    },
  };
}

/** One question at a time: the next message is its answer. @throws Error when the service ends instead */
async function answerOf(child: ChildProcess): Promise<ServiceAnswer> {
  const stop = new AbortController();
  const ended = once(child, "exit", { signal: stop.signal }).then(([code]): never => {
    throw new Error(`the service ended with ${String(code)}`);
  });
  try {
    const [answer]: ServiceAnswer[] = await Promise.race([once(child, "message", { signal: stop.signal }), ended]);
    if (answer === undefined) throw new Error("the service did not answer");
    return answer;
  } finally {
    ended.catch(() => undefined);
    stop.abort();
  }
}

function settingsOf(folder: string, dicomPort: number, archivePort: number): unknown {
  return {
    home: join(folder, "home"),
    dicom: { aeTitle: "RADFERRY", host: "127.0.0.1", port: dicomPort },
    http: { port: 0 },
    staging: { reserveGigabytes: 0, keepDays: 0 },
    archives: [{ name: "archive", kind: "dimse", address: `ARCHIVE@127.0.0.1:${archivePort}`, retrieve: "move" }],
    destinations: [{ name: "folder", kind: "folder", path: join(folder, "delivered") }],
    projects: [
      { name: PROJECT, archives: ["archive"], destinations: ["folder"], profile: "research", keyFile: "project.key" },
    ],
  };
}

process.exitCode = await soak();
