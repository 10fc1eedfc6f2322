import { stat } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { errorOf } from "./failures.ts";
import type { FromWorker, ToWorker, Work, WorkResult } from "./protocol.ts";
import type { EngineRecipe } from "./recipe.ts";

/** What became of work: done, thrown in the thread, or the thread ended over it. */
export type WorkEnd =
  | { readonly kind: "done"; readonly result: WorkResult }
  | { readonly kind: "thrown"; readonly error: Error }
  /** It was under way when the thread ended. */
  | { readonly kind: "lost"; readonly why: "worker-ended" | "worker-out-of-memory" | "worker-timed-out" }
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
  terminate(): Promise<void>;
}

export interface ThreadLimits {
  readonly startTimeoutMs: number;
  /** For an instance without its size, which is allowed besides, at 5 MB/s. */
  readonly workTimeoutMs: number;
  /** From the end of the signal to the end of the thread, unless it answers. */
  readonly abortTimeoutMs: number;
}

interface Call {
  readonly number: number;
  readonly work: Work;
  readonly end: (end: WorkEnd) => void;
}

const SLOWEST_BYTES_PER_MS = 5_000;
const MEBIBYTES = {
  /** Most of what an instance makes is gone with it: a small young generation keeps the process small. */
  maxYoungGenerationSizeMb: 8,
  maxOldGenerationSizeMb: 2_048,
} as const;

export function startThread(main: URL, limits: ThreadLimits): WorkerThread {
  const worker = new Worker(main, { resourceLimits: MEBIBYTES });
  const ready = Promise.withResolvers<boolean>();
  const ended = Promise.withResolvers<void>();
  const calls: Call[] = [];
  const engines = new Set<number>();
  let why: Extract<WorkEnd, { kind: "lost" }>["why"] = "worker-ended";
  let isOpen = true;
  let numbers = 0;
  const tell = (message: ToWorker): void => worker.postMessage(message);
  const startLimit = setTimeout(() => void worker.terminate(), limits.startTimeoutMs);
  const watch = createWatch(limits.workTimeoutMs, () => {
    why = "worker-timed-out";
    void worker.terminate();
  });

  worker.on("message", (message: FromWorker) => {
    if ("ready" in message) {
      clearTimeout(startLimit);
      ready.resolve(true);
      return;
    }
    const [call] = calls;
    // Whatever it answers to is not what was asked: it is not trusted any further.
    if (call?.number !== message.call) {
      void worker.terminate();
      return;
    }
    calls.shift();
    watch.over(calls[0]?.work);
    call.end(
      "result" in message
        ? { kind: "done", result: message.result }
        : { kind: "thrown", error: errorOf(message.failure) },
    );
  });
  worker.on("messageerror", () => void worker.terminate());
  worker.on("error", (error) => {
    if ("code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY") why = "worker-out-of-memory";
  });
  worker.on("exit", () => {
    isOpen = false;
    clearTimeout(startLimit);
    watch.over(undefined);
    ready.resolve(false);
    ended.resolve();
    for (const [index, { end }] of calls.splice(0).entries())
      end(index === 0 ? { kind: "lost", why } : { kind: "not-begun" });
  });

  return {
    ready: ready.promise,
    ended: ended.promise,
    get load() {
      return calls.length;
    },
    async work(work, recipe, signal) {
      if (!isOpen) return { kind: "not-begun" };
      if (work.kind === "instance" && recipe !== undefined && !engines.has(work.engine)) {
        engines.add(work.engine);
        tell({ engine: work.engine, recipe });
      }
      const call = ++numbers;
      const { promise, resolve } = Promise.withResolvers<WorkEnd>();
      tell({ call, work });
      calls.push({ number: call, work, end: resolve });
      if (calls.length === 1) watch.over(work);
      let abortLimit: NodeJS.Timeout | undefined;
      const abort = (): void => {
        tell({ abort: call });
        // What never gives way hears no message.
        abortLimit = setTimeout(() => void worker.terminate(), limits.abortTimeoutMs);
      };
      signal.addEventListener("abort", abort, { once: true });
      const end = await promise;
      signal.removeEventListener("abort", abort);
      clearTimeout(abortLimit);
      return end;
    },
    forgetStudy: (study) => {
      if (isOpen) tell({ forgetStudy: study });
    },
    async terminate() {
      await worker.terminate();
      await ended.promise;
    },
  };
}

/** Holds a limit over the oldest work of a thread: nothing keeps a run waiting for ever. */
function createWatch(timeoutMs: number, onTimeout: () => void): { over(work: Work | undefined): void } {
  let timer: NodeJS.Timeout | undefined;
  let current: Work | undefined;
  const allowed = async (work: Work, allowedMs: number): Promise<void> => {
    const limitMs = timeoutMs + (await sizeOf(work)) / SLOWEST_BYTES_PER_MS;
    if (work !== current) return;
    if (allowedMs >= limitMs) onTimeout();
    else timer = setTimeout(() => onTimeout(), limitMs - allowedMs);
  };
  return {
    over(work) {
      clearTimeout(timer);
      current = work;
      if (work !== undefined) timer = setTimeout(() => void allowed(work, timeoutMs), timeoutMs);
    },
  };
}

async function sizeOf(work: Work): Promise<number> {
  if (work.kind === "search") {
    return work.files.reduce((sum, { inFile }) => sum + inFile.reduce((bytes, { length }) => bytes + length, 0), 0);
  }
  return stat(work.task.path).then(
    ({ size }) => size,
    () => 0,
  );
}
