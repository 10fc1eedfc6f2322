import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { loadProfile } from "../../deid/profiles/load-profile.ts";
import { projectKeyOf } from "../../deid/pseudonyms/project-key.ts";
import { ctImage, part10Bytes, put, text } from "../../deid/testing/objects.ts";
import { createStudyDeidentifier } from "../../deid/workers/study-run.ts";
import { createFolderDestination } from "../../delivery/folder/folder-destination.ts";
import type { JobChange } from "../../store/records.ts";
import { unpackJson } from "../../units/packed-json.ts";
import { createSemaphore } from "../../units/semaphore.ts";
import { deidentifyAndDeliver } from "../deliver.ts";
import type { StepContext, StepResult } from "../step.ts";
import type { HookSettings } from "./hook.ts";
import { findLaunch, type Launch } from "./isolation.ts";

/** Of the test that runs. */
export let folder = "";

/** A new folder for each test of a file. */
export function useFolder(): void {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hook-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
}

export const INSTANCES = ["1.2.826.0.1.3680043.9.7.3.1", "1.2.826.0.1.3680043.9.7.3.2"];
const profile = await loadProfile("research");
const key = projectKeyOf(Buffer.alloc(32, 4));
const deidentifier = createStudyDeidentifier({ profile, key, filters: {} });
export const isolated = await findLaunch({ network: "none", maximumOutputBytes: 1e6 });

interface Outcome {
  readonly result: StepResult;
  /** Of the event that says why; empty where there is none. */
  readonly detail: Readonly<Record<string, unknown>>;
  /** What was delivered, below the study's folder. */
  readonly delivered: readonly string[];
  /** SHA-256 of copies as the account has them at last. */
  readonly sums: ReadonlyMap<string, string>;
  readonly report: Readonly<Record<string, unknown>>;
  /** What is left of the hook's workspace. */
  readonly left: readonly string[];
}

interface Given {
  /** A shell script: $1 is the input folder, $2 the output folder. */
  readonly script: string;
  readonly settings?: Partial<HookSettings>;
  /** The one of this machine unless told. */
  readonly launch?: Launch;
  readonly signal?: AbortSignal;
}

/** Runs the step on a study of two CT images of Meriadoc Brandybuck, with a script as its project's hook. */
export async function processed(given: Given): Promise<Outcome> {
  const context = await contextOf(given);
  const result = await deidentifyAndDeliver(context.step);
  return await outcomeOf(result, context.written);
}

export async function contextOf({ script, settings = {}, signal, launch }: Given) {
  const program = join(folder, "hook.sh");
  await writeFile(program, `#!/bin/sh\n${script}\n`);
  await chmod(program, 0o755);
  const hook: HookSettings = {
    command: [program],
    timeoutMs: 20_000,
    outputs: "both",
    maximumOutputBytes: 1e6,
    maximumOutputFiles: 100,
    network: isolated === undefined ? "allowed" : "none",
    parallel: 1,
    ...settings,
  };
  const staged = await stagedStudy();
  const written: JobChange[] = [];
  const project = {
    name: "trial",
    profile,
    keyId: key.id,
    archives: [],
    destinations: [await createFolderDestination({ name: "store", path: join(folder, "store") })],
    optOut: new Set(),
    deidentifier,
    hook: {
      settings: hook,
      folder: join(folder, "hooks"),
      launch: launch ?? (await findLaunch(hook)),
      turns: createSemaphore(1),
    },
  };
  const step = {
    services: {
      store: {
        ledger: async () => ledgerOf(staged, written),
        releaseOf: async () => undefined,
        linkPseudonyms: async () => [],
        studyReport: async () => undefined,
        recordDelivery: async () => true,
      },
      projects: new Map([["trial", project]]),
      isWithdrawn: async () => false,
      staging: { list: async () => staged },
      outbox: {
        folderOf: () => join(folder, "outbox"),
        remove: () => rm(join(folder, "outbox"), { recursive: true, force: true }),
      },
      clock: { nowMs: () => 0 },
      retry: { attempts: 3, firstDelayMs: 1, maximumDelayMs: 60_000 },
    },
    project,
    job: { id: "job-1", studyInstanceUid: "1.2.826.0.1.3680043.9.7.1", archive: "pacs", patientId: "P1" },
    signal: signal ?? new AbortController().signal,
    write: async (change: JobChange) => void written.push(change),
  } as unknown as StepContext;
  return { step, written };
}

/** Two images, as an archive gave them. */
async function stagedStudy() {
  return await Promise.all(
    INSTANCES.map(async (sopInstanceUid, index) => ({
      path: await put(
        join(folder, "in", `${index}.dcm`),
        await part10Bytes(ctImage([text(0x00080018, sopInstanceUid)])),
      ),
      ...{ sopInstanceUid, seriesInstanceUid: "1.2.826.0.1.3680043.9.7.2", modality: "CT", receivedAtMs: 1 },
    })),
  );
}

/** With what was journalled since. */
function ledgerOf(staged: Awaited<ReturnType<typeof stagedStudy>>, written: readonly JobChange[]) {
  const made = new Map<string, object>();
  for (const each of written.flatMap(({ ledger = [] }) => ledger))
    if (each.kind === "deidentified") made.set(each.sopInstanceUid, each);
  return staged.map((each) => ({ ...each, ...made.get(each.sopInstanceUid), deidentifiedAtMs: 2 }));
}

export async function outcomeOf(result: StepResult, written: readonly JobChange[]): Promise<Outcome> {
  const events = result.kind === "end" ? (result.change?.events ?? []) : [];
  const names = await readdir(join(folder, "store"), { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const changes = written.flatMap(({ ledger = [] }) => ledger);
  const packed = written.map(({ report }) => report).findLast((report) => report instanceof Uint8Array);
  const report = packed instanceof Uint8Array ? await unpackJson(packed) : {};
  return {
    result,
    detail: events[0]?.detail ?? {},
    delivered: files.map((path) => path.split("/").slice(-2).join("/")).sort(),
    sums: new Map(
      changes.flatMap((each) => (each.kind === "deidentified" ? [[each.sopInstanceUid, each.sha256]] : [])),
    ),
    report: report as Readonly<Record<string, unknown>>,
    left: (await readdir(join(folder, "hooks", "job-1")).catch(() => [])).sort(),
  };
}

export function quarantined(code: string) {
  return { result: { kind: "end", state: "quarantined", code }, delivered: [], left: ["stderr.txt", "stdout.txt"] };
}

/** Whether a process with the word in its command line is there. */
export async function isRunning(word: string): Promise<boolean> {
  const lines = await Promise.all(
    (await readdir("/proc")).map((id) => readFile(`/proc/${id}/cmdline`, "utf8").catch(() => "")),
  );
  return lines.some((line) => line.includes(word) && !line.includes("sh\0-c"));
}

/** A process that was ended takes a moment to go; the test's own time is the limit. */
export async function untilGone(word: string): Promise<void> {
  while (await isRunning(word)) await new Promise(setImmediate);
}

/** Writes the input's images to the output with `edit` done to their bytes. */
export function editing(edit: string): string {
  const program = [
    'const { readdirSync, readFileSync, writeFileSync, mkdirSync } = require("node:fs");',
    'const [input, output] = process.argv.slice(-2); mkdirSync(output + "/instances", { recursive: true });',
    "for (const name of readdirSync(input, { recursive: true })) if (name.endsWith('.dcm')) {",
    '  let bytes = readFileSync(input + "/" + name);',
    `  ${edit};`,
    '  writeFileSync(output + "/instances/" + name.split("/")[1], bytes); }',
  ].join("\n");
  return `exec '${process.execPath}' -e '${program.replaceAll("'", "'\\''")}' "$1" "$2"`;
}
