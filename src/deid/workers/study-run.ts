import { isDeepStrictEqual } from "node:util";
import { concurrently } from "../../units/concurrently.ts";
import { createDeidentifier, type Deidentifier, type DeidentifierOptions } from "../deidentifier.ts";
import type { InstanceOutcome, InstanceSummary } from "../outcome.ts";
import type { Identifiers } from "../verification/needles.ts";
import { type FileHit, type FileToSearch, searchFiles } from "../verification/search-files.ts";
import type { Observation } from "../verification/study-observer.ts";
import {
  createStudyVerification,
  type StudyVerdict,
  type StudyVerification,
  type StudyVerificationOptions,
} from "../verification/study-verification.ts";
import { createInstanceHere } from "./instance-here.ts";
import type { SearchWork, StudyTask } from "./protocol.ts";
import { type EngineRecipe, recipeOf } from "./recipe.ts";
import { createSummaryListener, type ToldSummary } from "./shared-summaries.ts";
import { TIME_LIMITS } from "./time-limits.ts";
import type { PoolResult, WorkerPool } from "./worker-pool.ts";
import type { WorkerThread } from "./worker-thread.ts";

/**
 * De-identifies the studies of one project, on this thread or on those of a pool: what comes of it is the same. Disposed, it is forgotten by
 * the pool's threads with the last study that runs.
 */
export interface StudyDeidentifier extends AsyncDisposable {
  study(options: StudyRunOptions): StudyRun;
  /** Whether another one made of these would do the same. */
  isMadeOf(options: DeidentifierOptions): boolean;
}

export interface StudyRunOptions extends Omit<StudyVerificationOptions, "searchFiles"> {
  readonly signal: AbortSignal;
}

/** Instances that are verified together. */
export interface StudyRun extends Disposable {
  /**
   * Outcomes in the order of the tasks, whichever was done first. What a thread did not bring back is rejected.
   * @throws as `Deidentifier.instance`
   */
  instances(tasks: readonly StudyTask[], onDone?: () => void): Promise<readonly InstanceOutcome[]>;
  /** As `StudyVerification.leaveOut`. */
  leaveOut(outputPath: string): void;
  /** As `StudyVerification.finish`. */
  finish(): Promise<StudyVerdict>;
}

/** Each waits for the disk most of the time. */
const PARALLEL_INSTANCES = 4;
/** While one waits for the disk, this thread works on the other. */
const PARALLEL_HERE = 2;
/** This thread has the others to listen to: larger ones are left to them. */
const LARGEST_HERE_BYTES = 256 * 2 ** 20;
/** Fewer are done before a thread has started. */
const FEWEST_FOR_THREADS = 16;
/** Less is searched before every thread knows what for. */
const FEWEST_BYTES_FOR_THREADS = 16 * 2 ** 20;

/** @throws GatewayError PSEUDONYM_SOURCE_MISSING */
export function createStudyDeidentifier(options: DeidentifierOptions, pool?: WorkerPool): StudyDeidentifier {
  // A wait within a blocking call cannot be given up: threads that can be ended wait so, this one does not.
  const engine = createDeidentifier({ ...options, blocking: false });
  const recipe = recipeOf(options);
  const { blocking: takesPart = false } = options;
  const isMadeOf = (others: DeidentifierOptions): boolean =>
    recipe !== undefined && isDeepStrictEqual(recipe, recipeOf(others));
  if (pool === undefined || recipe === undefined)
    return { study: (of) => studyRunHere(engine, of), isMadeOf, async [Symbol.asyncDispose]() {} };
  const shared = shareEngine(recipe, pool);
  return {
    study: (of) => studyRunShared({ engine, pool, takesPart, ...shared.use() }, of),
    isMadeOf,
    async [Symbol.asyncDispose]() {
      shared.close();
    },
  };
}

/** An engine that the pool's threads have. */
interface SharedEngine {
  readonly engineNumber: number;
  /** In all its studies. */
  readonly summaries: Listeners<ToldSummary, InstanceSummary>;
}

/** The pool has the engine from its first use on, until it is closed and the last use has ended. */
function shareEngine(recipe: EngineRecipe, pool: WorkerPool) {
  let shared: SharedEngine | undefined;
  let uses = 0;
  let isClosed = false;
  const forgetUnused = (): void => {
    if (shared === undefined || !isClosed || uses > 0) return;
    pool.closeEngine(shared.engineNumber);
    shared = undefined;
  };
  return {
    use(): SharedEngine & { readonly endUse: () => void } {
      shared ??= { engineNumber: pool.openEngine(recipe), summaries: listenersByThread(createSummaryListener) };
      uses += 1;
      return {
        ...shared,
        endUse() {
          uses -= 1;
          forgetUnused();
        },
      };
    },
    close() {
      isClosed = true;
      forgetUnused();
    },
  };
}

function studyRunHere(engine: Deidentifier, { signal, ...options }: StudyRunOptions): StudyRun {
  const verification = createStudyVerification(options);
  const here = createInstanceHere(engine, verification, TIME_LIMITS, signal);
  return {
    async instances(tasks, onDone) {
      const outcomes: InstanceOutcome[] = [];
      await concurrently(tasks.entries(), PARALLEL_INSTANCES, async ([index, task]) => {
        outcomes[index] = await here(task);
        onDone?.();
      });
      return outcomes;
    },
    leaveOut: verification.leaveOut,
    finish: () => verification.finish(signal),
    [Symbol.dispose]() {},
  };
}

/** Understands what each thread tells, by the thread. */
type Listeners<Told, Heard> = (thread: WorkerThread) => (told: Told) => Heard;

function listenersByThread<Told, Heard>(create: () => (told: Told) => Heard): Listeners<Told, Heard> {
  const known = new WeakMap<WorkerThread, (told: Told) => Heard>();
  return (thread) => {
    const listener = known.get(thread) ?? create();
    known.set(thread, listener);
    return listener;
  };
}

interface Sharing extends SharedEngine {
  readonly engine: Deidentifier;
  readonly pool: WorkerPool;
  /** This thread has nothing else to do: it works as the others do. */
  readonly takesPart: boolean;
  readonly endUse: () => void;
}

interface SharedRun extends SharedEngine {
  readonly study: number;
  readonly pool: WorkerPool;
  readonly verification: StudyVerification;
  readonly here: ReturnType<typeof createInstanceHere>;
  readonly observations: Listeners<Observation, void>;
  readonly signal: AbortSignal;
}

function studyRunShared(
  { engine, engineNumber, pool, takesPart, summaries, endUse }: Sharing,
  { signal, ...options }: StudyRunOptions,
): StudyRun {
  const verification = createStudyVerification({
    ...options,
    searchFiles: (...search) => searchShared(pool, takesPart, ...search),
  });
  const study = pool.openStudy();
  const here = createInstanceHere(engine, verification, TIME_LIMITS, signal);
  const observations = listenersByThread(() => verification.listen());
  const run: SharedRun = { here, engineNumber, study, pool, verification, summaries, observations, signal };
  return {
    async instances(tasks, onDone) {
      // A thread of its own starts in less time than this one would take for so many.
      const isShared = pool.isReady || (tasks.length >= FEWEST_FOR_THREADS && (takesPart || (await pool.start())));
      const one = !isShared ? here : takesPart ? createPart(run) : (task: StudyTask) => instanceShared(run, task);
      const limit = isShared ? pool.capacity + (takesPart ? PARALLEL_HERE : 0) : PARALLEL_INSTANCES;
      const outcomes: InstanceOutcome[] = [];
      await concurrently(tasks.entries(), limit, async ([index, task]) => {
        outcomes[index] = await one(task);
        onDone?.();
      });
      return outcomes;
    },
    leaveOut: verification.leaveOut,
    finish: () => verification.finish(signal),
    [Symbol.dispose]() {
      pool.closeStudy(study);
      endUse();
    },
  };
}

/** Some instances are done by this thread, the others by those of the pool. */
function createPart(run: SharedRun): (task: StudyTask) => Promise<InstanceOutcome> {
  let underWay = 0;
  return async (task) => {
    const { sizeBytes = Number.POSITIVE_INFINITY } = task;
    if (underWay >= PARALLEL_HERE || sizeBytes > LARGEST_HERE_BYTES) return await instanceShared(run, task);
    underWay += 1;
    try {
      return await run.here(task);
    } finally {
      underWay -= 1;
    }
  };
}

async function instanceShared(run: SharedRun, task: StudyTask): Promise<InstanceOutcome> {
  const { pool, engineNumber, study, signal } = run;
  const end = await pool.work({ kind: "instance", engine: engineNumber, study, task }, signal);
  // Also where nobody waits for it any more: what a thread told once it does not tell again.
  const heard = end.kind === "done" ? hear(run, end) : undefined;
  signal.throwIfAborted();
  if (heard !== undefined) return heard;
  if (end.kind === "not-begun") return run.here(task);
  if (end.kind === "thrown") throw end.error;
  const reason = end.kind === "lost" ? end.why : "worker-ended";
  return { kind: "rejected", code: "DEIDENTIFICATION_UNPROVEN", reason };
}

/** Undefined for what is no instance. */
function hear({ summaries, observations }: SharedRun, { thread, result }: PoolResult): InstanceOutcome | undefined {
  if (result.kind !== "instance") return undefined;
  const { outcome, observation } = result;
  if (observation !== undefined) observations(thread)(observation);
  return outcome.kind === "deidentified" ? { ...outcome, summary: summaries(thread)(outcome.summary) } : outcome;
}

/** Files go to the threads in turn where there is much to read; here when a thread did not bring its part back. */
async function searchShared(
  pool: WorkerPool,
  takesPart: boolean,
  files: readonly FileToSearch[],
  identifiers: Identifiers,
  signal: AbortSignal,
): Promise<readonly FileHit[]> {
  const bytes = files.reduce((sum, { inFile }) => sum + inFile.reduce((part, { length }) => part + length, 0), 0);
  if (!pool.isReady || files.length === 1 || bytes < FEWEST_BYTES_FOR_THREADS)
    return searchFiles(files, identifiers, signal);
  const texts = (["identifiers", "spellings", "rawValues"] as const).flatMap((source) =>
    [...identifiers.entries(source)].map(([text, kind]) => [source, text, kind] as const),
  );
  const count = pool.threads + (takesPart ? 1 : 0);
  const parts = Array.from({ length: count }, (_, part) => files.filter((_file, index) => index % count === part));
  const hits = await Promise.all(
    parts.map(async (part, number) => {
      if (number === pool.threads) return searchFiles(part, identifiers, signal);
      const work: SearchWork = { kind: "search", files: part, identifiers: texts };
      const end = await pool.work(work, signal);
      signal.throwIfAborted();
      if (end.kind === "thrown") throw end.error;
      return end.kind === "done" && end.result.kind === "search"
        ? end.result.hits
        : searchFiles(part, identifiers, signal);
    }),
  );
  return hits.flat();
}
