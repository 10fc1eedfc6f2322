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
  /** Those that are to work, and those that are about to end. */
  const running = new Set<WorkerThread>();
  const team = new Set<WorkerThread>();
  const ready = new Set<WorkerThread>();
  const bell = createBell();
  let failedStarts = 0;
  let isOpen = true;
  let isWanted = false;
  let helper: WorkerThread | undefined;
  const canStart = (): boolean => isOpen && failedStarts < FAILED_STARTS;
  const follow = (thread: WorkerThread): WorkerThread => {
    running.add(thread);
    void thread.ready.then((isReady) => {
      if (isReady && (team.has(thread) || thread === helper)) ready.add(thread);
      if (isReady) failedStarts = 0;
      bell.ring();
    });
    void thread.ended.then(() => {
      running.delete(thread);
      const wasReady = ready.delete(thread);
      if (thread === helper) helper = undefined;
      // One that was dismissed is not replaced, and did not fail.
      if (team.delete(thread)) {
        if (!wasReady) failedStarts += 1;
        if (canStart()) startOne();
      }
      bell.ring();
    });
    return thread;
  };
  const startOne = (): void => void team.add(follow(startThread(main, limits)));
  const endAll = async (): Promise<void> => {
    isWanted = false;
    helper = undefined;
    team.clear();
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
      while (ready.size === 0 && isWanted && canStart()) await bell.next();
      return ready.size > 0;
    },
    rest: () => void endAll(),
    help() {
      if (helper !== undefined || !isWanted || !canStart()) return;
      helper = follow(startThread(main, limits));
    },
    relieve(thread) {
      if (helper === undefined) return;
      if (thread !== helper) ready.delete(helper);
      if (!ready.has(helper) && helper.load === 0) void helper.terminate();
    },
    change: bell.next,
    wake: bell.ring,
    async [Symbol.asyncDispose]() {
      isOpen = false;
      bell.ring();
      await endAll();
    },
  };
}

/** Wakes all who wait for the next ring. */
function createBell(): { ring(): void; next(): Promise<void> } {
  let rung = Promise.withResolvers<void>();
  return {
    ring() {
      rung.resolve();
      rung = Promise.withResolvers<void>();
    },
    next: () => rung.promise,
  };
}
