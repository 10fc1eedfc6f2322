import { concurrently } from "../../../units/concurrently.ts";
import { isMissing, syncFile, syncFolder } from "../../../units/durable-files.ts";

/** When files survive a power cut: before each is acknowledged, or a moment after the association that brought them has ended. */
export type SyncPolicy = "instance" | "association";

const PARALLEL_FILES = 4;
/** An association that brings more is made to wait for these. */
const MAXIMUM_UNSYNCED_FILES = 10_000;

/** Whoever asks while one is under way shares the next: a folder is synced once for many files. */
export function sharedSync(sync: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const begin = (): Promise<void> => {
    next = undefined;
    const begun = sync().finally(() => {
      if (running === begun) running = undefined;
    });
    running = begun;
    return begun;
  };
  return () => {
    if (running === undefined) return begin();
    next ??= running.then(begin, begin);
    return next;
  };
}

/** Files of associations that are still open. */
export interface UnsyncedFiles {
  /** A promise holds the sender back. */
  add(path: string, association: AbortSignal): void | Promise<void>;
  /** Resolves when the files of all associations that have ended are on disk. @throws what the disk said */
  settled(): Promise<void>;
}

export function unsyncedFiles(folder: string): UnsyncedFiles {
  const batches = new Map<AbortSignal, string[]>();
  const failures: unknown[] = [];
  let syncing: Promise<void> = Promise.resolve();
  const sync = (paths: readonly string[]): Promise<void> => {
    const synced = syncing.then(() => syncFiles(folder, paths));
    // Told by `settled`: what comes later is synced all the same.
    syncing = synced.catch((thrown: unknown) => {
      if (failures.length === 0) failures.push(thrown);
    });
    return synced;
  };
  const batchOf = (association: AbortSignal): string[] => {
    const known = batches.get(association);
    if (known !== undefined) return known;
    const batch: string[] = [];
    const end = (): void => {
      batches.delete(association);
      if (batch.length > 0) sync(batch).catch(() => undefined);
    };
    batches.set(association, batch);
    association.addEventListener("abort", end, { once: true });
    return batch;
  };
  return {
    add(path, association) {
      if (association.aborted) return sync([path]);
      const batch = batchOf(association);
      batch.push(path);
      if (batch.length >= MAXIMUM_UNSYNCED_FILES) return sync(batch.splice(0));
    },
    async settled() {
      await syncing;
      for (const thrown of failures) throw thrown;
    },
  };
}

/** Several at once share a commit of the file system's journal. One that the disk does not take keeps no other from it. */
async function syncFiles(folder: string, paths: readonly string[]): Promise<void> {
  const failures: unknown[] = [];
  await concurrently(paths, PARALLEL_FILES, async (path) => {
    await syncFile(path).catch((thrown: unknown) => {
      // Taken away by whoever it was meant for.
      if (!isMissing(thrown)) failures.push(thrown);
    });
  });
  await syncFolder(folder);
  for (const thrown of failures) throw thrown;
}
