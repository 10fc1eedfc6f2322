import { stat } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { abortAfter, neverAborted } from "../../units/abort.ts";
import { errorOf } from "./failures.ts";
import type { FromWorker, ToWorker, Work, WorkResult } from "./protocol.ts";
import type { EngineRecipe } from "./recipe.ts";
import { allowedMs, type TimeLimits, withinTime } from "./time-limits.ts";

type Loss = "worker-ended" | "worker-out-of-memory" | "worker-timed-out";

/** What became of work: done, thrown in the thread, or the thread ended over it. */
export type WorkEnd =
  | { readonly kind: "done"; readonly result: WorkResult }
  | { readonly kind: "thrown"; readonly error: Error }
  /** It was under way when the thread ended. */
  | { readonly kind: "lost"; readonly why: Loss }
  /** It was not begun: another thread can do it. */
  | { readonly kind: "not-begun" };

export interface WorkerThread {
  /** Resolves with false when the thread ended before it took work. */
  readonly ready: Promise<boolean>;
  /** Resolves once it is gone. */
  readonly ended: Promise<void>;
  /** Calls that are not answered. */
  readonly load: number;
  /** @throws DOMException DataCloneError */
  work(work: Work, recipe: EngineRecipe | undefined, signal: AbortSignal): Promise<WorkEnd>;
  forgetStudy(study: number): void;
  forgetEngine(engine: number): void;
  terminate(): Promise<void>;
}

export interface ThreadLimits extends TimeLimits {
  readonly startTimeoutMs: number;
}

interface Call {
  readonly number: number;
  readonly work: Work;
  readonly end: (end: WorkEnd) => void;
}

const MEBIBYTES = {
  /** Most of what an instance makes is gone with it: a small young generation keeps the process small. */
  maxYoungGenerationSizeMb: 4,
  maxOldGenerationSizeMb: 2_048,
} as const;

export function startThread(main: URL, limits: ThreadLimits): WorkerThread {
  const worker = new Worker(main, { resourceLimits: MEBIBYTES });
  const tell = (message: ToWorker): void => worker.postMessage(message);
  const { calls, ready, ended, giveUp } = followWorker(worker, limits);
  const engines = new Set<number>();
  let numbers = 0;
  return {
    ready,
    ended,
    get load() {
      return calls.length;
    },
    async work(work, recipe, signal) {
      if (work.kind === "instance" && recipe !== undefined && !engines.has(work.engine)) {
        engines.add(work.engine);
        tell({ engine: work.engine, recipe });
      }
      const call = ++numbers;
      tell({ call, work });
      const end = calls.add(call, work);
      let abortLimit: NodeJS.Timeout | undefined;
      const abort = (): void => {
        tell({ abort: call });
        // What never gives way hears no message.
        abortLimit = setTimeout(giveUp, limits.abortTimeoutMs);
      };
      signal.addEventListener("abort", abort, { once: true });
      try {
        return await end;
      } finally {
        signal.removeEventListener("abort", abort);
        clearTimeout(abortLimit);
      }
    },
    forgetStudy: (study) => tell({ forgetStudy: study }),
    forgetEngine(engine) {
      if (engines.delete(engine)) tell({ forgetEngine: engine });
    },
    async terminate() {
      void worker.terminate();
      using limit = abortAfter(limits.abortTimeoutMs);
      await Promise.race([ended, new Promise((resolve) => limit.addEventListener("abort", resolve))]);
    },
  };
}

interface Following {
  readonly calls: Calls;
  readonly ready: Promise<boolean>;
  readonly ended: Promise<void>;
  /** Ends the thread; it has ended as far as its callers are concerned. */
  giveUp(): void;
}

/** Passes on what the thread answers, and what becomes of its calls when it ends. */
function followWorker(worker: Worker, limits: ThreadLimits): Following {
  const ready = Promise.withResolvers<boolean>();
  const ended = Promise.withResolvers<void>();
  let why: Loss = "worker-ended";
  const giveUp = (): void => {
    // One that waits for the disk within the system may take long to end: nobody waits with it.
    void worker.terminate();
    clearTimeout(startLimit);
    ready.resolve(false);
    ended.resolve();
    calls.lose(why);
  };
  const startLimit = setTimeout(giveUp, limits.startTimeoutMs);
  const calls = createCalls(limits.workTimeoutMs, () => {
    why = "worker-timed-out";
    giveUp();
  });
  worker.on("message", (message: FromWorker) => {
    if ("ready" in message) {
      clearTimeout(startLimit);
      ready.resolve(true);
      return;
    }
    const isAsked = calls.answer(
      message.call,
      "result" in message
        ? { kind: "done", result: message.result }
        : { kind: "thrown", error: errorOf(message.failure) },
    );
    // Whatever it answers to is not what was asked: it is not trusted any further.
    if (!isAsked) giveUp();
  });
  worker.on("messageerror", giveUp);
  worker.on("error", (error) => {
    if ("code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY") why = "worker-out-of-memory";
  });
  worker.on("exit", giveUp);
  return { calls, ready: ready.promise, ended: ended.promise, giveUp };
}

interface Calls {
  readonly length: number;
  /** After the thread has ended, nothing is begun. */
  add(number: number, work: Work): Promise<WorkEnd>;
  /** @returns false when this is not the oldest call */
  answer(number: number, end: WorkEnd): boolean;
  lose(why: Loss): void;
}

/** What a thread was given and has not answered, oldest first: that one is under way. */
function createCalls(timeoutMs: number, onTimeout: () => void): Calls {
  const calls: Call[] = [];
  const watch = createWatch(timeoutMs, onTimeout);
  let isOver = false;
  return {
    get length() {
      return calls.length;
    },
    add(number, work) {
      const { promise, resolve } = Promise.withResolvers<WorkEnd>();
      if (isOver) return Promise.resolve({ kind: "not-begun" });
      calls.push({ number, work, end: resolve });
      if (calls.length === 1) watch.over(work);
      return promise;
    },
    answer(number, end) {
      const [call] = calls;
      if (call?.number !== number) return false;
      calls.shift();
      watch.over(calls[0]?.work);
      call.end(end);
      return true;
    },
    lose(why) {
      isOver = true;
      watch.over(undefined);
      for (const [index, { end }] of calls.splice(0).entries())
        end(index === 0 ? { kind: "lost", why } : { kind: "not-begun" });
    },
  };
}

/** Holds a limit over the oldest work of a thread: nothing keeps a run waiting for ever. */
function createWatch(workTimeoutMs: number, onTimeout: () => void): { over(work: Work | undefined): void } {
  let timer: NodeJS.Timeout | undefined;
  let current: Work | undefined;
  const extend = async (work: Work): Promise<void> => {
    const limitMs = allowedMs(await sizeOf(work, workTimeoutMs), { workTimeoutMs });
    if (work !== current) return;
    timer = setTimeout(() => onTimeout(), limitMs - workTimeoutMs);
  };
  return {
    over(work) {
      clearTimeout(timer);
      current = work;
      if (work !== undefined) timer = setTimeout(() => void extend(work), workTimeoutMs);
    },
  };
}

/** What the thread reads; 0 where the disk does not say in time. */
async function sizeOf(work: Work, timeoutMs: number): Promise<number> {
  if (work.kind === "search") {
    return work.files.reduce((sum, { inFile }) => sum + inFile.reduce((bytes, { length }) => bytes + length, 0), 0);
  }
  const { path, sizeBytes } = work.task;
  if (sizeBytes !== undefined) return sizeBytes;
  const asked = stat(path).then(
    ({ size }) => size,
    () => 0,
  );
  const size = await withinTime(() => asked, { timeoutMs, abortTimeoutMs: 0, signal: neverAborted() });
  return size === "timed-out" ? 0 : size;
}
