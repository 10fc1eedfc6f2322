import { availableParallelism } from "node:os";
import type { Work, WorkResult } from "./protocol.ts";
import type { EngineRecipe } from "./recipe.ts";
import { TIME_LIMITS } from "./time-limits.ts";
import { createWorkerCrew } from "./worker-crew.ts";
import type { ThreadLimits, WorkEnd, WorkerThread } from "./worker-thread.ts";

/** Threads that de-identify, a file at a time each, shared by all who have work for them. They start when they are first needed. */
export interface WorkerPool extends AsyncDisposable {
  readonly threads: number;
  /** Work that it takes at once: what each thread does, and what it does next. */
  readonly capacity: number;
  /** Whether threads are there to take work. */
  readonly isReady: boolean;
  /** Starts the threads unless they run. Resolves when one is ready, with false when none can be had. */
  start(): Promise<boolean>;
  /** A number for an engine: every thread is sent its recipe once, and makes it. */
  openEngine(recipe: EngineRecipe): number;
  /** No work needs it any more: it is forgotten here and in every thread. */
  closeEngine(engine: number): void;
  /** A number for a study whose instances are verified together. */
  openStudy(): number;
  closeStudy(study: number): void;
  /**
   * Waits for a thread and has it do the work. `not-begun`: there is none, and none can be had.
   * @throws the signal's reason
   */
  work(work: Work, signal: AbortSignal): Promise<PoolEnd>;
}

export type PoolEnd = Exclude<WorkEnd, { readonly kind: "done" }> | PoolResult;

export interface PoolResult {
  readonly kind: "done";
  readonly result: WorkResult;
  /** Tells one thread from another, also from the one that took its place. */
  readonly thread: WorkerThread;
}

export interface WorkerPoolOptions extends Partial<ThreadLimits> {
  /** @default os.availableParallelism() */
  readonly threads?: number | undefined;
  /** Without work for this long, the threads end and give back their memory. */
  readonly restAfterMs?: number;
  /** When none of them took work for this long, one thread more does until they get on. @default 2 s */
  readonly helpAfterMs?: number;
  /** What a thread runs. */
  readonly main?: URL;
}

/** One under way, one waiting, so that no thread waits for this one. */
const CALLS_PER_THREAD = 2;
const REST_AFTER_MS = 60_000;
const HELP_AFTER_MS = 2_000;
const LIMITS: ThreadLimits = { ...TIME_LIMITS, startTimeoutMs: 30_000 };

export function createWorkerPool(options: WorkerPoolOptions = {}): WorkerPool {
  const threads = Math.max(1, options.threads ?? availableParallelism());
  const main = options.main ?? new URL("./worker-main.ts", import.meta.url);
  const crew = createWorkerCrew(main, threads, { ...LIMITS, ...options });
  const recipes = new Map<number, EngineRecipe>();
  let engines = 0;
  let studies = 0;
  let underWay = 0;
  let rest: NodeJS.Timeout | undefined;

  const idlest = (): WorkerThread | undefined => {
    const [first] = [...crew.ready].sort((a, b) => a.load - b.load);
    return first !== undefined && first.load < CALLS_PER_THREAD ? first : undefined;
  };
  const doWork = async (work: Work, signal: AbortSignal): Promise<PoolEnd> => {
    const recipe = work.kind === "instance" ? recipes.get(work.engine) : undefined;
    while (await crew.start()) {
      signal.throwIfAborted();
      const thread = idlest();
      if (thread === undefined) {
        const helping = setTimeout(crew.help, options.helpAfterMs ?? HELP_AFTER_MS);
        await crew.change().finally(() => clearTimeout(helping));
        continue;
      }
      const end = await thread.work(work, recipe, signal);
      crew.relieve(thread);
      crew.wake();
      if (end.kind === "not-begun") continue;
      return end.kind === "done" ? { ...end, thread } : end;
    }
    return { kind: "not-begun" };
  };
  return {
    threads,
    capacity: threads * CALLS_PER_THREAD,
    get isReady() {
      return crew.ready.size > 0;
    },
    start: crew.start,
    openEngine(recipe) {
      recipes.set(++engines, recipe);
      return engines;
    },
    closeEngine(engine) {
      recipes.delete(engine);
      for (const thread of crew.ready) thread.forgetEngine(engine);
    },
    openStudy: () => ++studies,
    closeStudy(study) {
      for (const thread of crew.ready) thread.forgetStudy(study);
    },
    async work(work, signal) {
      clearTimeout(rest);
      underWay += 1;
      try {
        return await doWork(work, signal);
      } finally {
        underWay -= 1;
        if (underWay === 0) rest = setTimeout(crew.rest, options.restAfterMs ?? REST_AFTER_MS).unref();
      }
    },
    async [Symbol.asyncDispose]() {
      await crew[Symbol.asyncDispose]();
      clearTimeout(rest);
    },
  };
}
