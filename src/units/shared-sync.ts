import { syncFolder } from "./durable-files.ts";

/**
 * Makes the names in a folder survive a power cut, once for all who ask while one sync is under way: what was renamed before this is called is safe
 * when it resolves.
 */
export type SharedSync = (folder: string) => Promise<void>;

/** @param sync what a folder is synced with */
export function createSharedSync(sync: (folder: string) => Promise<void> = syncFolder): SharedSync {
  const running = new Map<string, Promise<void>>();
  const next = new Map<string, Promise<void>>();

  const begin = (folder: string): Promise<void> => {
    const begun = sync(folder).finally(() => {
      if (running.get(folder) === begun) running.delete(folder);
    });
    running.set(folder, begun);
    return begun;
  };
  return (folder) => {
    const before = running.get(folder);
    if (before === undefined) return begin(folder);
    // The one under way may have begun before the rename.
    const waiting =
      next.get(folder) ??
      before
        .catch(() => undefined)
        .then(() => {
          next.delete(folder);
          return begin(folder);
        });
    next.set(folder, waiting);
    return waiting;
  };
}
