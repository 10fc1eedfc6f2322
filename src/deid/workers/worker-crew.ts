import { startThread, type ThreadLimits, type WorkerThread } from "./worker-thread.ts";

/** As many threads as asked for: one that ends is replaced. */
export interface WorkerCrew extends AsyncDisposable {
  readonly ready: ReadonlySet<WorkerThread>;
  /** Starts the threads unless they run. Resolves when one is ready, with false when none can be had. */
  start(): Promise<boolean>;
  /** Ends all threads until they are started again; only when none has work. */
  rest(): void;
  /** One thread more, until the others get on: a large object is in the way of small ones. */
  help(): void;
  /** `thread` got on: unless it is the helper, that one takes no more work, and ends with what it has. */
  relieve(thread: WorkerThread): void;
  /** Resolves when something has changed. */
  change(): Promise<void>;
  /** Something has changed: those who wait look again. */
  wake(): void;
}

/** Threads that end before they take work, one after the other: then there are none to be had. */
const FAILED_STARTS = 3;

export function createWorkerCrew(main: URL, size: number, limits: ThreadLimits): WorkerCrew {
  const running = new Set<WorkerThread>();
  const ready = new Set<WorkerThread>();
  let change = Promise.withResolvers<void>();
  let failedStarts = 0;
  let isOpen = true;
  let isWanted = false;
  let helper: WorkerThread | undefined;
  const wake = (): void => {
    change.resolve();
    change = Promise.withResolvers<void>();
  };
  const canStart = (): boolean => isOpen && failedStarts < FAILED_STARTS;
  const startOne = (): void => {
    const thread = startThread(main, limits);
    running.add(thread);
    void thread.ready.then((isReady) => {
      if (isReady && isWanted) ready.add(thread);
      if (isReady) failedStarts = 0;
      wake();
    });
    void thread.ended.then(() => {
      running.delete(thread);
      if (!ready.delete(thread) && isWanted) failedStarts += 1;
      if (isWanted && canStart()) startOne();
      wake();
    });
  };
  const startHelper = (): void => {
    const thread = startThread(main, limits);
    helper = thread;
    running.add(thread);
    void thread.ready.then((isReady) => {
      if (isReady && isWanted && helper === thread) ready.add(thread);
      wake();
    });
    void thread.ended.then(() => {
      running.delete(thread);
      ready.delete(thread);
      if (helper === thread) helper = undefined;
      wake();
    });
  };
  const endAll = async (): Promise<void> => {
    isWanted = false;
    ready.clear();
    await Promise.all([...running].map((thread) => thread.terminate()));
  };
  return {
    ready,
    async start() {
      if (!isWanted && isOpen) {
        isWanted = true;
        for (let index = 0; index < size && canStart(); index += 1) startOne();
      }
      while (ready.size === 0 && isWanted && canStart()) await change.promise;
      return ready.size > 0;
    },
    rest: () => void endAll(),
    help() {
      if (helper === undefined && isWanted && canStart()) startHelper();
    },
    relieve(thread) {
      if (helper === undefined) return;
      if (thread !== helper) ready.delete(helper);
      if (!ready.has(helper) && helper.load === 0) void helper.terminate();
    },
    change: () => change.promise,
    wake,
    async [Symbol.asyncDispose]() {
      isOpen = false;
      wake();
      await endAll();
    },
  };
}
