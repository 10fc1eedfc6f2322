export interface SyncBehind {
  /** So much was written. A sync of it may begin; it is not waited for. */
  wrote(sizeBytes: number): void;
  /**
   * When no sync is under way any more.
   * @throws what the first that failed did: the system tells of an error of its disk once, and a later sync would say that all is well
   */
  settled(): Promise<void>;
}

/** Syncs a file every so many bytes beside what is written to it, one sync at a time: so much at most is left for the last one. */
export function createSyncBehind(sync: () => Promise<void>, everyBytes: number): SyncBehind {
  let unsyncedBytes = 0;
  let isSyncing = false;
  let last = Promise.resolve();
  return {
    wrote(sizeBytes) {
      unsyncedBytes += sizeBytes;
      if (unsyncedBytes < everyBytes || isSyncing) return;
      unsyncedBytes = 0;
      isSyncing = true;
      // Behind the one before: after one that failed there is none.
      last = last.then(sync).finally(() => {
        isSyncing = false;
      });
      // Its failure is met by who waits for the end.
      last.catch(() => undefined);
    },
    settled: () => last,
  };
}
