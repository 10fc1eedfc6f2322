import { type MemoryDisk, type MemoryFile, type MemoryFolder, type Place, SystemError } from "./memory-disk.ts";
import { type Life, lives, type Scheduler } from "./scheduler.ts";

/** Everything below it is on simulated disks; everything else is this machine's own. */
export const SIMULATED = "/simulated/";

export type CrashMoment = "before" | "after";

/** What programs run on: time, disk and chance, all of one seed. */
export interface Machine {
  readonly scheduler: Scheduler;
  readonly disk: MemoryDisk;
  /** Whether the program's life ends with this write. */
  crashAt(life: Life, what: string): CrashMoment | undefined;
  kill(life: Life): void;
  /** For showing that invariants can fail. */
  readonly ignoresSyncs: boolean;
  /** Whether the share that is delivered to is on the gateway's own file system. */
  readonly isShareOwn: boolean;
  /** @throws SystemError ENOSPC */
  checkRoom(path: string, bytes: number): void;
  freeBytes(path: string): number;
}

let machine: Machine | undefined;

export function useMachine(next: Machine | undefined): void {
  machine = next;
}

export function theMachine(): Machine {
  if (machine === undefined) throw new Error("no simulation runs");
  return machine;
}

export function isSimulating(): boolean {
  return machine !== undefined;
}

export function isSimulated(path: unknown): path is string {
  return machine !== undefined && typeof path === "string" && `${path}/`.startsWith(SIMULATED);
}

const LEAST_DISK_MS = 0.02;
const MOST_DISK_MS = 0.8;

/** A call of the system, which takes its time. A write may be the last thing that a program does, or the first that it does not. */
export function systemCall<T>(kind: "read" | "write", what: string, perform: () => T): Promise<T> {
  const { scheduler, crashAt, kill } = theMachine();
  const life = lives.getStore();
  if (life === undefined) return Promise.resolve().then(perform);
  return new Promise((resolve, reject) => {
    scheduler.at(scheduler.nowMs + scheduler.between(LEAST_DISK_MS, MOST_DISK_MS), () => {
      const crash = kind === "write" ? crashAt(life, what) : undefined;
      if (crash === "before") return kill(life);
      try {
        const result = perform();
        if (crash === undefined) resolve(result);
      } catch (thrown) {
        if (crash === undefined) reject(thrown);
      }
      if (crash === "after") kill(life);
    });
  });
}

export function wallClockMs(): number {
  const { scheduler } = theMachine();
  return Math.floor(scheduler.nowMs + (lives.getStore()?.skewMs ?? 0));
}

function writerNow(): string {
  return lives.getStore()?.node ?? "";
}

export function fileAt(path: string): MemoryFile {
  const { entry } = theMachine().disk.find(path);
  if (entry === undefined) throw new SystemError("ENOENT", "open");
  if (entry.kind !== "file") throw new SystemError("EISDIR", "read");
  return entry;
}

export function folderAt(path: string): MemoryFolder {
  const { entry } = theMachine().disk.find(path);
  if (entry === undefined) throw new SystemError("ENOENT", "scandir");
  if (entry.kind !== "folder") throw new SystemError("ENOTDIR", "scandir");
  return entry;
}

/** @param flags as of `open`: `wx` refuses what is there, `w` empties it */
export function createFile(path: string, flags: string, mode: number): MemoryFile {
  const { disk, checkRoom } = theMachine();
  const place = disk.find(path);
  if (place.entry?.kind === "folder") throw new SystemError("EISDIR", "open");
  if (place.entry !== undefined && flags.includes("x")) throw new SystemError("EEXIST", "open");
  checkRoom(path, 0);
  const file: MemoryFile = {
    kind: "file",
    content: Buffer.alloc(0),
    synced: undefined,
    writer: writerNow(),
    modifiedAtMs: wallClockMs(),
    mode,
  };
  disk.name([[place, file]], writerNow(), wallClockMs());
  return file;
}

export function append(path: string, file: MemoryFile, bytes: Uint8Array): void {
  theMachine().checkRoom(path, bytes.length);
  file.content = Buffer.concat([file.content, bytes]);
  file.writer = writerNow();
  file.modifiedAtMs = wallClockMs();
}

/** What lies between the end and the place is zeros. */
export function writeAt(path: string, file: MemoryFile, bytes: Uint8Array, position: number): void {
  const before = file.content;
  theMachine().checkRoom(path, Math.max(position + bytes.length - before.length, 0));
  const after = Buffer.alloc(Math.max(before.length, position + bytes.length));
  after.set(before);
  after.set(bytes, position);
  file.content = after;
  file.writer = writerNow();
  file.modifiedAtMs = wallClockMs();
}

export function cutTo(file: MemoryFile, length: number): void {
  file.content = file.content.subarray(0, length);
  file.writer = writerNow();
  file.modifiedAtMs = wallClockMs();
}

export function syncFile(file: MemoryFile): void {
  if (!theMachine().ignoresSyncs) file.synced = file.content;
}

export function syncFolder(folder: MemoryFolder): void {
  if (!theMachine().ignoresSyncs) theMachine().disk.syncFolder(folder);
}

/** False: it was there. */
export function makeFolder(path: string, isRecursive: boolean): boolean {
  const { disk } = theMachine();
  const place = disk.find(path.replace(/\/+$/, ""));
  if (place.entry !== undefined) {
    if (isRecursive && place.entry.kind === "folder") return false;
    throw new SystemError("EEXIST", "mkdir");
  }
  disk.name([[place, { kind: "folder", entries: new Map(), modifiedAtMs: wallClockMs() }]], writerNow(), wallClockMs());
  return true;
}

/** Every missing folder on the way; the topmost of them. */
export function makeFolders(path: string): string | undefined {
  const parts = path.split("/").filter((part) => part !== "");
  const folders = parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
  return folders.filter((folder) => makeFolder(folder, true))[0];
}

export function renameEntry(from: string, to: string): void {
  const { disk } = theMachine();
  const source = disk.find(from);
  const target = disk.find(to);
  if (source.entry === undefined) throw new SystemError("ENOENT", "rename");
  if (target.entry?.kind === "folder" && target.entry.entries.size > 0) throw new SystemError("ENOTEMPTY", "rename");
  disk.name(
    [
      [target, source.entry],
      [source, undefined],
    ],
    writerNow(),
    wallClockMs(),
  );
}

/** Another name for the same file. */
export function linkEntry(from: string, to: string): void {
  const { disk, isShareOwn } = theMachine();
  if (!isShareOwn && diskOf(from) !== diskOf(to)) throw new SystemError("EXDEV", "link");
  const file = fileAt(from);
  const target = disk.find(to);
  if (target.entry !== undefined) throw new SystemError("EEXIST", "link");
  disk.name([[target, file]], writerNow(), wallClockMs());
}

function diskOf(path: string): string {
  return path.slice(SIMULATED.length).split("/")[0] ?? "";
}

export function removeEntry(path: string, { recursive, force }: { recursive: boolean; force: boolean }): void {
  const { disk } = theMachine();
  let place: Place;
  try {
    place = disk.find(path);
  } catch (thrown) {
    if (force) return;
    throw thrown;
  }
  if (place.entry === undefined) {
    if (force) return;
    throw new SystemError("ENOENT", "rm");
  }
  if (place.entry.kind === "folder" && place.entry.entries.size > 0 && !recursive)
    throw new SystemError("ENOTEMPTY", "rm");
  disk.name([[place, undefined]], writerNow(), wallClockMs());
}
