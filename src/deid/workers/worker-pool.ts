import { availableParallelism } from "node:os";
import type { Work, WorkResult } from "./protocol.ts";
import type { EngineRecipe } from "./recipe.ts";
import { startThread, type ThreadLimits, type WorkEnd, type WorkerThread } from "./worker-thread.ts";

/** Threads that de-identify, a file at a time each, shared by all who have work for them. */
export interface WorkerPool extends AsyncDisposable {
  readonly threads: number;
  /** Work that it takes at once: what one thread does, and what it does next. */
  readonly capacity: number;
  /** Whether threads are there to take work. */
  readonly isReady: boolean;
  /** Starts the threads unless they run. Resolves when one is ready, with false when none can be had. */
  start(): Promise<boolean>;
  /** A number for an engine that is sent to every thread once. */
  engineNumber(recipe: EngineRecipe): number;
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
  /** What a thread runs. */
  readonly main?: URL;
}

/** One under way, one waiting, so that no thread waits for this one. */
const CALLS_PER_THREAD = 2;
/** Threads that end before they take work, one after the other: then there are none to be had. */
const FAILED_STARTS = 3;
const LIMITS: ThreadLimits = { startTimeoutMs: 30_000, workTimeoutMs: 120_000, abortTimeoutMs: 2_000 };

export function createWorkerPool(options: WorkerPoolOptions = {}): WorkerPool {
  const size = Math.max(1, options.threads ?? availableParallelism());
  const main = options.main ?? new URL("./worker-main.ts", import.meta.url);
  const limits = { ...LIMITS, ...options };
  const engines = new Map<EngineRecipe, number>();
  const recipes = new Map<number, EngineRecipe>();
  const running = new Set<WorkerThread>();
  const ready = new Set<WorkerThread>();
  const waiting = createWaiting();
  let studies = 0;
  let failedStarts = 0;
  let isOpen = true;
  let hasStarted = false;

  const canStart = (): boolean => isOpen && failedStarts < FAILED_STARTS;
  const startOne = (): Promise<boolean> => {
    const thread = startThread(main, limits);
    running.add(thread);
    void thread.ended.then(() => {
      running.delete(thread);
      const wasReady = ready.delete(thread);
      failedStarts = wasReady ? 0 : failedStarts + 1;
      if (canStart()) void startOne();
      waiting.wake();
    });
    return thread.ready.then((isReady) => {
      if (isReady) ready.add(thread);
      waiting.wake();
      return isReady;
    });
  };
  const start = async (): Promise<boolean> => {
    if (!hasStarted) for (let index = 0; index < size && canStart(); index += 1) void startOne();
    hasStarted = true;
    while (ready.size === 0 && canStart()) await waiting.turn();
    return ready.size > 0;
  };
  const idlest = (): WorkerThread | undefined => {
    const [first] = [...ready].sort((a, b) => a.load - b.load);
    return first !== undefined && first.load < CALLS_PER_THREAD ? first : undefined;
  };

  return {
    threads: size,
    capacity: size * CALLS_PER_THREAD,
    get isReady() {
      return ready.size > 0;
    },
    start,
    engineNumber(recipe) {
      const number = engines.get(recipe) ?? engines.size;
      engines.set(recipe, number);
      recipes.set(number, recipe);
      return number;
    },
    openStudy: () => ++studies,
    closeStudy(study) {
      for (const thread of ready) thread.forgetStudy(study);
    },
    async work(work, signal) {
      const recipe = work.kind === "instance" ? recipes.get(work.engine) : undefined;
      while (await start()) {
        signal.throwIfAborted();
        const thread = idlest();
        if (thread === undefined) {
          await waiting.turn();
          continue;
        }
        const end = await thread.work(work, recipe, signal);
        waiting.wake();
        if (end.kind === "not-begun") continue;
        return end.kind === "done" ? { ...end, thread } : end;
      }
      return { kind: "not-begun" };
    },
    async [Symbol.asyncDispose]() {
      isOpen = false;
      waiting.wake();
      await Promise.all([...running].map((thread) => thread.terminate()));
    },
  };
}

/** Those who wait look again whenever something has changed. */
function createWaiting(): { turn(): Promise<void>; wake(): void } {
  let next = Promise.withResolvers<void>();
  return {
    turn: () => next.promise,
    wake() {
      next.resolve();
      next = Promise.withResolvers<void>();
    },
  };
}
