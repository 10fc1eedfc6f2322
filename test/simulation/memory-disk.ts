/** A disk in memory that forgets, when the power goes, what was not synced. */

export interface MemoryFile {
  readonly kind: "file";
  content: Buffer;
  /** What survives a power cut for certain; undefined: nothing does. */
  synced: Buffer | undefined;
  /** Whose machine holds what was not synced. */
  writer: string;
  modifiedAtMs: number;
  mode: number;
}

export interface MemoryFolder {
  readonly kind: "folder";
  readonly entries: Map<string, MemoryFile | MemoryFolder>;
  modifiedAtMs: number;
}

/** A change of names that is not synced yet. */
interface NameChange {
  readonly writer: string;
  readonly folders: readonly MemoryFolder[];
  readonly undo: () => void;
}

export interface Place {
  readonly folder: MemoryFolder;
  readonly name: string;
  readonly entry: MemoryFile | MemoryFolder | undefined;
}

export interface MemoryDisk {
  readonly root: MemoryFolder;
  /** How often names have changed. */
  readonly changes: number;
  /** @throws an error of the system: ENOENT, ENOTDIR */
  find(path: string): Place;
  /** Gives a name to an entry, or takes it away. */
  name(
    places: readonly (readonly [Place, MemoryFile | MemoryFolder | undefined])[],
    writer: string,
    nowMs: number,
  ): void;
  syncFolder(folder: MemoryFolder): void;
  /** What the machine wrote and did not sync is lost, torn, or there all the same. Returns how many files and names it hit. */
  cutPower(writer: string, chance: (probability: number) => boolean, random: () => number): number;
  files(path: string): readonly (readonly [string, MemoryFile])[];
  usedBytes(path: string): number;
}

export class SystemError extends Error {
  readonly code: string;
  readonly syscall: string;
  constructor(code: string, syscall: string) {
    super(`${code}: ${syscall}`);
    this.code = code;
    this.syscall = syscall;
  }
}

export function createMemoryDisk(): MemoryDisk {
  const root: MemoryFolder = { kind: "folder", entries: new Map(), modifiedAtMs: 0 };
  let unsynced: NameChange[] = [];
  const written = new Set<MemoryFile>();
  let changes = 0;

  const find = (path: string): Place => {
    const parts = path.split("/").filter((part) => part !== "");
    const name = parts.pop() ?? "";
    let folder = root;
    if (name === "") return { folder: root, name: "", entry: root };
    for (const part of parts) {
      const next = folder.entries.get(part);
      if (next === undefined) throw new SystemError("ENOENT", "open");
      if (next.kind !== "folder") throw new SystemError("ENOTDIR", "open");
      folder = next;
    }
    return { folder, name, entry: folder.entries.get(name) };
  };
  const put = (folder: MemoryFolder, name: string, entry: MemoryFile | MemoryFolder | undefined): void => {
    if (entry === undefined) folder.entries.delete(name);
    else folder.entries.set(name, entry);
    if (entry?.kind === "file") written.add(entry);
  };
  return {
    root,
    get changes() {
      return changes;
    },
    find,
    name(places, writer, nowMs) {
      changes += 1;
      const undos = places.map(([{ folder, name }, entry]) => {
        const before = folder.entries.get(name);
        folder.modifiedAtMs = nowMs;
        put(folder, name, entry);
        return () => put(folder, name, before);
      });
      const folders = places.map(([{ folder }]) => folder);
      const undo = (): void => {
        for (const undoOne of undos.toReversed()) undoOne();
      };
      unsynced.push({ writer, folders, undo });
    },
    syncFolder(folder) {
      unsynced = unsynced.filter(({ folders }) => !folders.includes(folder));
    },
    cutPower(writer, chance, random) {
      let hit = 0;
      const own = unsynced.filter((change) => change.writer === writer);
      // What was changed last is lost first: names are journalled in their order.
      const kept = chance(0.3) ? own.length : Math.floor(random() * (own.length + 1));
      for (const change of own.slice(kept).toReversed()) {
        change.undo();
        hit += 1;
      }
      unsynced = unsynced.filter((change) => change.writer !== writer);
      for (const file of written) if (file.writer === writer && tear(file, random)) hit += 1;
      return hit;
    },
    files: (path) => filesBelow(find(path).entry, path),
    usedBytes: (path) => filesBelow(find(path).entry, path).reduce((sum, [, { content }]) => sum + content.length, 0),
  };
}

/** Content that was not synced: nothing of it, some of it, zeros in its place, or all. What was synced stays where it was not written to since. */
function tear(file: MemoryFile, random: () => number): boolean {
  if (file.synced === file.content) return false;
  const whole = file.content;
  const synced = file.synced ?? Buffer.alloc(0);
  const changedAt = firstDifference(synced, whole);
  const tornAt = changedAt + Math.floor(random() * (whole.length - changedAt));
  const ends: readonly (() => Buffer)[] = [
    () => synced,
    () => Buffer.concat([whole.subarray(0, tornAt), synced.subarray(tornAt)]),
    () => {
      const torn = Buffer.alloc(whole.length);
      torn.set(synced.subarray(0, whole.length));
      torn.set(whole.subarray(0, tornAt));
      return torn;
    },
    () => whole,
  ];
  const end = ends[Math.floor(random() * ends.length)] ?? (() => whole);
  file.content = end();
  file.synced = file.content;
  return file.content !== whole;
}

function firstDifference(one: Buffer, other: Buffer): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at += 1) if (one[at] !== other[at]) return at;
  return length;
}

function filesBelow(
  entry: MemoryFile | MemoryFolder | undefined,
  path: string,
): readonly (readonly [string, MemoryFile])[] {
  if (entry === undefined) return [];
  if (entry.kind === "file") return [[path, entry]];
  return [...entry.entries].flatMap(([name, below]) => filesBelow(below, `${path}/${name}`));
}
