import { posix, relative, resolve, sep } from "node:path";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { orAborted } from "../../units/abort.ts";
import type { Clock } from "../../units/clock.ts";
import { concurrently } from "../../units/concurrently.ts";
import { contentsOf, sumOf } from "./file-contents.ts";
import { createFolderTree, type Tree } from "./folder-tree.ts";
import {
  canonicalName,
  type FileFacts,
  type IndexedInstance,
  type KnownFile,
  type ListedOnMedia,
} from "./indexed-instance.ts";
import { createKeeper, type IndexKeeping } from "./keeper.ts";

/** Headers read at once. */
const AT_ONCE = 8;
/** So often every file is asked for its size and time, folders to which nothing came too. */
const FULL_LOOK_MS = 60_000;
/** Of files, of files in zips, and of records of DICOMDIRs. */
const MAXIMUM_INSTANCES = 2_000_000;

/** What the folder holds, as of one look at it. */
export interface FolderSnapshot {
  readonly files: number;
  /** In the order of their paths; those that a DICOMDIR lists and no file holds come last. */
  readonly instances: readonly IndexedInstance[];
  readonly byStudy: ReadonlyMap<string, readonly IndexedInstance[]>;
  /** What is passed over, and what a DICOMDIR lists in vain, by reason. */
  readonly skipped: ReadonlyMap<ErrorCode, number>;
}

export interface FolderIndex extends AsyncDisposable {
  /**
   * As it is now: a look that began before it was asked for does not count.
   * @throws GatewayError FIND_LIMIT_REACHED, ARCHIVE_FOLDER_UNREADABLE
   */
  look(signal: AbortSignal): Promise<FolderSnapshot>;
  /** At the next look every file is asked again, and this one is read. */
  forget(path: string): void;
}

/**
 * Every instance below a folder. A file that has not changed is not read again, not even by another run of the program where the index is kept; who
 * asks at the same time shares one look.
 */
export function createFolderIndex(folder: string, clock: Clock, keeping?: IndexKeeping): FolderIndex {
  const root = resolve(folder);
  const keeper = createKeeper(root, clock, keeping);
  const readTree = createFolderTree(root, clock);
  const closing = new AbortController();
  let known: Map<string, KnownFile> | undefined;
  let snapshot: FolderSnapshot | undefined;
  let fullAtMs = Number.NEGATIVE_INFINITY;
  let running: Promise<FolderSnapshot> | undefined;
  let following: Promise<FolderSnapshot> | undefined;

  async function lookNow(): Promise<FolderSnapshot> {
    const { signal } = closing;
    const nowMs = clock.nowMs();
    // A clock that was set back says nothing of how long ago that was.
    const isFull = nowMs < fullAtMs || nowMs - fullAtMs >= FULL_LOOK_MS;
    const tree = await readTree(isFull, signal);
    known ??= await keeper.load(signal);
    const earlier = known;
    const now = new Map<string, KnownFile>();
    let isChanged = tree.files.length !== earlier.size;
    await concurrently(tree.files, AT_ONCE, async (file) => {
      const before = earlier.get(file.path);
      if (before !== undefined && isSame(before.file, file)) return void now.set(file.path, before);
      signal.throwIfAborted();
      isChanged = true;
      const contents = await contentsOf(file, root, signal);
      if (contents !== undefined) now.set(file.path, { file, contents });
    });
    known = now;
    if (isFull) fullAtMs = nowMs;
    if (isChanged) keeper.changed(now);
    if (isChanged || snapshot === undefined) snapshot = snapshotOf([...now.values()], tree, root);
    return snapshot;
  }
  function begin(): Promise<FolderSnapshot> {
    running = lookNow().finally(() => {
      running = undefined;
    });
    return running;
  }
  function shared(): Promise<FolderSnapshot> {
    if (running === undefined) return begin();
    following ??= running
      .catch(() => undefined)
      .then(() => {
        following = undefined;
        return begin();
      });
    return following;
  }
  return {
    async look(signal) {
      signal.throwIfAborted();
      return await orAborted(shared(), signal);
    },
    forget(path) {
      known?.delete(path);
      fullAtMs = Number.NEGATIVE_INFINITY;
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new GatewayError("CANCELLED"));
      await running?.catch(() => undefined);
      await keeper[Symbol.asyncDispose]();
    },
  };
}

function isSame(one: FileFacts, other: FileFacts): boolean {
  return one.sizeBytes === other.sizeBytes && one.mtimeMs === other.mtimeMs;
}

function snapshotOf(known: readonly KnownFile[], tree: Tree, root: string): FolderSnapshot {
  const inOrder = [...known].sort((a, b) => (a.file.path < b.file.path ? -1 : 1));
  const held = inOrder.flatMap(({ contents }) => contents.instances);
  const skipped = [tree.skipped, ...inOrder.map(({ contents }) => contents.skipped)];
  const lacking = lackingOf(inOrder, held, root);
  const instances = [...held, ...lacking.instances];
  if (instances.length > MAXIMUM_INSTANCES)
    throw new GatewayError("FIND_LIMIT_REACHED", { by: "us", maximum: MAXIMUM_INSTANCES });
  return {
    files: known.length,
    instances,
    byStudy: Map.groupBy(instances, ({ studyInstanceUid }) => studyInstanceUid),
    skipped: sumOf([...skipped, lacking.reasons]),
  };
}

/** What DICOMDIRs list and nobody holds: the file is not there, or is not what it should be. */
function lackingOf(
  known: readonly KnownFile[],
  instances: readonly IndexedInstance[],
  root: string,
): { readonly instances: readonly IndexedInstance[]; readonly reasons: ReadonlyMap<ErrorCode, number> } {
  const listings = known.flatMap(({ contents }) => contents.listed);
  if (listings.length === 0) return { instances: [], reasons: new Map() };
  const held = new Set<string>(instances.map(({ sopInstanceUid }) => sopInstanceUid));
  const lacking: IndexedInstance[] = [];
  const reasons = new Map<ErrorCode, number>();
  const names = new Set(known.map(({ file }) => canonicalName(relative(root, file.path).split(sep).join("/"))));
  for (const { folder, instances: listed, within = names } of listings) {
    for (const { instance, fileName } of notHeld(listed, held)) {
      const code = within.has(posix.join(folder, fileName)) ? "MEDIA_FILE_DAMAGED" : "MEDIA_FILE_MISSING";
      reasons.set(code, (reasons.get(code) ?? 0) + 1);
      lacking.push(instance);
    }
  }
  return { instances: lacking, reasons };
}

function notHeld(listed: readonly ListedOnMedia[], held: Set<string>): readonly ListedOnMedia[] {
  return listed.filter(({ instance }) => {
    const isHeld = held.has(instance.sopInstanceUid);
    held.add(instance.sopInstanceUid);
    return !isHeld;
  });
}
