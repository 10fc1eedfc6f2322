import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { tagOf } from "../../dicom/tag.ts";
import { element } from "../../dicom/values.ts";
import { neverAborted } from "../../units/abort.ts";
import type { DeidentifierOptions } from "../deidentifier.ts";
import type { InstanceOutcome } from "../outcome.ts";
import { loadProfile } from "../profiles/load-profile.ts";
import { projectKeyOf } from "../pseudonyms/project-key.ts";
import { deidentifyFolder, type FolderResult } from "../run-folder.ts";
import { ctImage, part10Bytes, put, SOP_CLASSES, text } from "../testing/objects.ts";
import type { StudyVerdict } from "../verification/study-verification.ts";
import type { StudyTask } from "./protocol.ts";
import { recipeOf } from "./recipe.ts";
import { createStudyDeidentifier } from "./study-run.ts";
import { createWorkerPool, type WorkerPool } from "./worker-pool.ts";

const STUDIES = 3;
const INSTANCES = 12;
const LONG_TABLE_BYTES = 40_000;
const engine: DeidentifierOptions = {
  profile: loadProfile("research"),
  key: projectKeyOf(Buffer.alloc(32, 4)),
  filters: {},
};

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "study-run-"));
  for (let study = 0; study < STUDIES; study += 1) {
    for (let instance = 0; instance < INSTANCES; instance += 1) {
      const uid = `1.2.826.0.1.3680043.9.7.${study}`;
      const own = [
        text(0x00080018, `${uid}.3.${instance}`),
        text(0x0020000d, `${uid}.1`),
        text(0x0020000e, `${uid}.2`),
      ];
      const path = join(folder, "in", `${instance % 4}`, `${study}-${instance}.dcm`);
      await put(path, await part10Bytes(ctImage([...own, ...(SPECIAL.get(instance) ?? [])])));
    }
  }
  await put(join(folder, "in", "0", "not-dicom.dcm"), Buffer.alloc(200, 0x41));
});
afterAll(() => rm(folder, { recursive: true }));

/** Tables that hold what only the last instance tells: one that is kept in memory, one that is read again. */
const SPECIAL = new Map([
  [2, [element(tagOf(0x00283006), "OW", Buffer.from("..borogove"))]],
  [5, [element(tagOf(0x00283006), "OW", Buffer.from(`${"..".repeat(LONG_TABLE_BYTES)}borogove`))]],
  [7, [text(0x00080016, SOP_CLASSES.secondaryCapture)]],
  // What an instance tells that cannot be composed, and a table that holds it.
  [3, [element(tagOf(0x00283006), "OW", Buffer.from("..jubjub"))]],
  [9, [element(tagOf(0x7fe00010), "OW", Buffer.alloc(4)), text(0x00081070, "Jubjub^Tulgey")]],
  [INSTANCES - 1, [text(0x00081070, "Borogove^Mimsy")]],
]);

async function filesOf(root: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const read = async (path: string) => [relative(root, path), await readFile(path, "latin1")] as const;
  return new Map(await Promise.all(paths.sort().map(read)));
}

async function run(
  threads: number,
  blocking = false,
): Promise<{ result: FolderResult; files: ReadonlyMap<string, string> }> {
  const output = join(folder, `out-${threads}-${blocking}`);
  const task = { ...engine, input: join(folder, "in"), output, project: "trial", signal: neverAborted() };
  return { result: await deidentifyFolder({ ...task, threads, blocking }), files: await filesOf(output) };
}

it("comes to the same bytes, reports and counts with any number of threads, and where this one works too", async () => {
  const alone = await run(0);
  expect(alone.result.instances).toMatchObject({ delivered: STUDIES * (INSTANCES - 5), rejected: STUDIES * 5 });
  expect(alone.files.size).toBe(STUDIES * (INSTANCES - 5) + STUDIES);
  expect(await run(2)).toEqual(alone);
  expect(await run(1, true)).toEqual(alone);
});

interface Done {
  readonly byPath: ReadonlyMap<string, string>;
  readonly verdict: Omit<StudyVerdict, "durationMs" | "search">;
}

/** One study's instances in an order of their own, on threads that are there already or on this one. */
async function deidentify(order: readonly number[], name: string, threads: number): Promise<Done> {
  await using pool = createWorkerPool({ threads: Math.max(1, threads) });
  if (threads > 0) await pool.start();
  using study = createStudyDeidentifier(engine, threads > 0 ? pool : undefined).study({ signal: neverAborted() });
  const outcomes = await study.instances(order.map((instance) => task(instance, name)));
  const { durationMs: _duration, search: _search, ...verdict } = await study.finish();
  const byNumber = outcomes.map(
    (outcome, index) => [`${order[index]}`, JSON.stringify(described(outcome, name))] as const,
  );
  const findings = verdict.findings.map((finding) => ({
    ...finding,
    outputPath: finding.outputPath.replace(name, ""),
  }));
  return { byPath: new Map(byNumber.sort()), verdict: { ...verdict, findings: findings.sort(byOutput) } };
}

function task(instance: number, name: string): StudyTask {
  return {
    path: join(folder, "in", `${instance % 4}`, `0-${instance}.dcm`),
    outputPath: join(folder, name, `${instance}.dcm`),
    participantId: undefined,
    seriesInstanceCount: INSTANCES,
  };
}

function described(outcome: InstanceOutcome, name: string): unknown {
  if (outcome.kind !== "deidentified") return outcome;
  return { ...outcome, file: { ...outcome.file, path: outcome.file.path.replace(name, "") } };
}

function byOutput({ outputPath: a }: { outputPath: string }, { outputPath: b }: { outputPath: string }): number {
  return a < b ? -1 : 1;
}

it("comes to the same whatever the order of the instances, on threads and without", async () => {
  const inOrder = Array.from({ length: INSTANCES }, (_, index) => index);
  const shuffled = [7, 2, 11, 0, 5, 9, 1, 10, 4, 8, 3, 6];
  const expected = await deidentify(inOrder, "in-order", 0);
  expect(expected.verdict.findings.map(({ reason }) => reason)).toEqual(Array(3).fill("name in (0028,3006)"));
  expect(await deidentify(shuffled, "shuffled", 0)).toEqual(expected);
  expect(await deidentify(shuffled, "on-threads", 2)).toEqual(expected);
});

/** A thread like ours, but for one file: opening it ends the thread. */
function threadEndingOver(path: string): URL {
  const ours = new URL("./worker-main.ts", import.meta.url);
  const code = `
    import fs from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    const { openSync } = fs;
    fs.openSync = (path, ...rest) => (path === ${JSON.stringify(path)} ? process.exit(1) : openSync(path, ...rest));
    syncBuiltinESMExports();
    await import(${JSON.stringify(ours.href)});
  `;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}

it("rejects an instance over which a thread ends, and goes on", async () => {
  const bad = task(1, "ended");
  await using pool = createWorkerPool({ threads: 1, main: threadEndingOver(bad.path) });
  await pool.start();
  using study = createStudyDeidentifier(engine, pool).study({ signal: neverAborted() });
  const outcomes = await study.instances([task(0, "ended"), bad, task(3, "ended")]);
  expect(outcomes.map(({ kind }) => kind)).toEqual(["deidentified", "rejected", "deidentified"]);
  expect(outcomes[1]).toMatchObject({ code: "DEIDENTIFICATION_UNPROVEN", reason: "worker-ended" });
  expect((await study.finish()).findings).toEqual([]);
});

it.each([0, 1])("searches for what a repeated instance tells that never leaves, with %i threads", async (threads) => {
  await using pool = createWorkerPool({ threads: 1 });
  if (threads > 0) await pool.start();
  using study = createStudyDeidentifier(engine, threads > 0 ? pool : undefined).study({ signal: neverAborted() });
  const repeated = { ...task(INSTANCES - 1, `repeated-${threads}`), isAlone: true };
  await study.instances([task(2, `repeated-${threads}`), repeated]);
  expect((await study.finish()).findings.map(({ reason }) => reason)).toEqual(["name in (0028,3006)"]);
});

it("does alone what no thread can", async () => {
  await using pool = createWorkerPool({ threads: 1, main: new URL("data:text/javascript,process.exit(1)") });
  using study = createStudyDeidentifier(engine, pool).study({ signal: neverAborted() });
  const tasks = Array.from({ length: 20 }, (_, index) => ({ ...task(index % 2, "alone"), isAlone: true }));
  const outcomes = await study.instances(
    tasks
      .slice(0, 2)
      .concat(tasks.slice(2).map((one, index) => ({ ...one, outputPath: `${one.outputPath}-${index}` }))),
  );
  expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(["deidentified"]));
});

it("keeps to this thread what cannot be passed on", () => {
  const { profile, key, filters } = engine;
  expect(recipeOf(engine)).toMatchObject({ profileHash: profile.hash });
  expect(recipeOf({ profile: { ...profile }, key, filters })).toBeUndefined();
  expect(recipeOf({ profile, key: { ...key }, filters })).toBeUndefined();
  const allow = [{ source: "x", test: () => true }];
  expect(recipeOf({ profile, key, filters: { manufacturers: { allow, onMissing: "exclude" } } })).toBeUndefined();
});

it("is forgotten by the threads once it is disposed and its last study has ended, and can be used all the same", async () => {
  const engines = new Set<number>();
  await using threads = createWorkerPool({ threads: 1 });
  await threads.start();
  const pool: WorkerPool = {
    ...threads,
    isReady: true,
    openEngine(recipe) {
      const number = threads.openEngine(recipe);
      engines.add(number);
      return number;
    },
    closeEngine(number) {
      threads.closeEngine(number);
      engines.delete(number);
    },
  };
  const deidentifier = createStudyDeidentifier(engine, pool);
  const outcomesOf = async (name: string) => {
    using study = deidentifier.study({ signal: neverAborted() });
    const outcomes = await study.instances([task(0, name)]);
    return outcomes.map((outcome) => JSON.stringify(described(outcome, name)));
  };
  const first = await outcomesOf("kept");
  const [known] = engines;
  const running = deidentifier.study({ signal: neverAborted() });
  await deidentifier[Symbol.asyncDispose]();
  expect([...engines]).toEqual([known]);
  running[Symbol.dispose]();
  expect(engines).toEqual(new Set());
  // The thread has nothing of it any more.
  const work = { kind: "instance", engine: known ?? 0, study: 0, task: task(0, "gone") } as const;
  expect(await threads.work(work, neverAborted())).toMatchObject({ kind: "thrown" });
  expect(await outcomesOf("late")).toEqual(first);
  expect(engines).toEqual(new Set());
});

it("tells whether others would make the same of it", () => {
  const deidentifier = createStudyDeidentifier(engine);
  const { key, filters } = engine;
  expect(
    deidentifier.isMadeOf({ profile: loadProfile("research"), key: projectKeyOf(Buffer.alloc(32, 4)), filters: {} }),
  ).toBe(true);
  expect(deidentifier.isMadeOf({ ...engine, filters: { modalities: ["CT"] } })).toBe(false);
  expect(deidentifier.isMadeOf({ ...engine, key: projectKeyOf(Buffer.alloc(32, 5)) })).toBe(false);
  expect(deidentifier.isMadeOf({ profile: loadProfile("basic"), key, filters })).toBe(false);
});
