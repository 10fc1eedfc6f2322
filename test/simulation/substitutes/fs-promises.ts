/** What the product has for `node:fs/promises` while it is simulated. */
import * as real from "node:fs/promises";
import {
  append,
  createFile,
  cutTo,
  fileAt,
  folderAt,
  isSimulated,
  linkEntry,
  makeFolder,
  makeFolders,
  removeEntry,
  renameEntry,
  syncFile,
  syncFolder,
  systemCall,
  theMachine,
  writeAt,
} from "../machine.ts";
import type { MemoryFile, MemoryFolder } from "../memory-disk.ts";

export * from "node:fs/promises";

const OWNER_ONLY = 0o600;
/** Of every folder. */
const FOLDER_MODE = 0o755;

interface Stats {
  readonly size: number;
  readonly mtimeMs: number;
  readonly mode: number;
  isFile(): boolean;
  isDirectory(): boolean;
}

function statsOf(entry: MemoryFile | MemoryFolder): Stats {
  return {
    size: entry.kind === "file" ? entry.content.length : 0,
    mtimeMs: entry.modifiedAtMs,
    mode: entry.kind === "file" ? entry.mode : FOLDER_MODE,
    isFile: () => entry.kind === "file",
    isDirectory: () => entry.kind === "folder",
  };
}

export async function mkdir(path: string, options?: { recursive?: boolean; mode?: number }): Promise<unknown> {
  if (!isSimulated(path)) return await real.mkdir(path, options);
  return await systemCall("write", "mkdir", () => {
    if (options?.recursive) return makeFolders(path);
    makeFolder(path, false);
    return undefined;
  });
}

interface Entry extends Pick<Stats, "isFile" | "isDirectory"> {
  readonly name: string;
}

export async function readdir(
  path: string,
  { withFileTypes = false }: { readonly withFileTypes?: boolean } = {},
): Promise<readonly (string | Entry)[]> {
  if (!isSimulated(path)) return withFileTypes ? await real.readdir(path, { withFileTypes }) : await real.readdir(path);
  return await systemCall("read", "readdir", () => {
    const entries = [...folderAt(path).entries];
    return withFileTypes
      ? entries.map(([name, entry]) => ({ ...statsOf(entry), name }))
      : entries.map(([name]) => name);
  });
}

export async function readFile(path: string, encoding?: BufferEncoding): Promise<string | Buffer> {
  if (!isSimulated(path)) return await real.readFile(path, encoding === undefined ? {} : { encoding });
  return await systemCall("read", "readFile", () => {
    const bytes = Buffer.from(fileAt(path).content);
    return encoding === undefined ? bytes : bytes.toString(encoding);
  });
}

export async function rm(path: string, options: { recursive?: boolean; force?: boolean } = {}): Promise<void> {
  if (!isSimulated(path)) return await real.rm(path, options);
  const { recursive = false, force = false } = options;
  return await systemCall("write", "rm", () => removeEntry(path, { recursive, force }));
}

export async function unlink(path: string): Promise<void> {
  if (!isSimulated(path)) return await real.unlink(path);
  return await systemCall("write", "unlink", () => removeEntry(path, { recursive: false, force: false }));
}

export async function link(from: string, to: string): Promise<void> {
  if (!isSimulated(from)) return await real.link(from, to);
  return await systemCall("write", "link", () => linkEntry(from, to));
}

export async function rmdir(path: string): Promise<void> {
  if (!isSimulated(path)) return await real.rmdir(path);
  return await systemCall("write", "rmdir", () => removeEntry(path, { recursive: false, force: false }));
}

export async function stat(path: string): Promise<unknown> {
  if (!isSimulated(path)) return await real.stat(path);
  return await systemCall("read", "stat", () => {
    const { entry } = theMachine().disk.find(path);
    return statsOf(entry ?? fileAt(path));
  });
}

export async function statfs(path: string): Promise<unknown> {
  if (!isSimulated(path)) return await real.statfs(path);
  return await systemCall("read", "statfs", () => ({ bavail: theMachine().freeBytes(path), bsize: 1 }));
}

export async function rename(from: string, to: string): Promise<void> {
  if (!isSimulated(from)) return await real.rename(from, to);
  return await systemCall("write", "rename", () => renameEntry(from, to));
}

export async function chmod(path: string, mode: number): Promise<void> {
  if (!isSimulated(path)) return await real.chmod(path, mode);
  return await systemCall("write", "chmod", () => {
    const { entry } = theMachine().disk.find(path);
    if (entry?.kind !== "folder") fileAt(path).mode = mode;
  });
}

/** In two pieces: what is there after the first is half a file. */
export async function copyFile(from: string, to: string, mode = 0): Promise<void> {
  if (!isSimulated(from)) return await real.copyFile(from, to, mode);
  const flags = (mode & real.constants.COPYFILE_EXCL) === 0 ? "w" : "wx";
  const file = await systemCall("write", "copyFile begins", () => createFile(to, flags, OWNER_ONLY));
  await systemCall("write", "copyFile goes on", () => {
    const { content } = fileAt(from);
    append(to, file, content.subarray(0, content.length >> 1));
  });
  await systemCall("write", "copyFile ends", () => {
    const { content } = fileAt(from);
    append(to, file, content.subarray(content.length >> 1));
  });
}

export async function writeFile(
  path: string,
  data: string | Uint8Array,
  options: { mode?: number; flush?: boolean } = {},
): Promise<void> {
  if (!isSimulated(path)) return await real.writeFile(path, data, options);
  const file = await systemCall("write", "writeFile opens", () => createFile(path, "w", options.mode ?? OWNER_ONLY));
  await systemCall("write", "writeFile", () => append(path, file, Buffer.from(data)));
  if (options.flush === true) await systemCall("write", "writeFile syncs", () => syncFile(file));
}

export async function open(path: string, flags: string | number = "r", mode = OWNER_ONLY): Promise<unknown> {
  if (!isSimulated(path)) return await real.open(path, flags, mode);
  if (typeof flags === "number") throw new TypeError("flags of this kind are not simulated");
  if (flags !== "r" && flags !== "r+") {
    const file = await systemCall("write", "open", () => createFile(path, flags, mode));
    return handleOf(path, file);
  }
  return await systemCall("read", "open", () => {
    const { entry } = theMachine().disk.find(path);
    return handleOf(path, entry ?? fileAt(path));
  });
}

function handleOf(path: string, entry: MemoryFile | MemoryFolder) {
  const close = (): Promise<void> => systemCall("read", "close", () => undefined);
  const sync = (): Promise<void> =>
    systemCall("write", "sync", () => (entry.kind === "file" ? syncFile(entry) : syncFolder(entry)));
  const writev = (batch: readonly Uint8Array[], position?: number): Promise<{ bytesWritten: number }> =>
    systemCall("write", "writev", () => {
      const bytes = Buffer.concat(batch);
      if (entry.kind === "file" && position === undefined) append(path, entry, bytes);
      if (entry.kind === "file" && position !== undefined) writeAt(path, entry, bytes, position);
      return { bytesWritten: bytes.length };
    });
  const read = (target: Uint8Array, start: number, length: number, position: number) =>
    systemCall("read", "read", () => {
      const bytes = entry.kind === "file" ? entry.content.subarray(position, position + length) : Buffer.alloc(0);
      target.set(bytes, start);
      return { bytesRead: bytes.length };
    });
  return {
    writev,
    write: (bytes: Uint8Array, from = 0, length = bytes.length - from, position?: number) =>
      writev([bytes.subarray(from, from + length)], position),
    read,
    truncate: (length = 0) =>
      systemCall("write", "truncate", () => {
        if (entry.kind === "file") cutTo(entry, length);
      }),
    chmod: (mode: number) =>
      systemCall("write", "fchmod", () => {
        if (entry.kind === "file") entry.mode = mode;
      }),
    writeFile: async (text: string) => void (await writev([Buffer.from(text)])),
    sync,
    datasync: sync,
    stat: () => systemCall("read", "stat", () => statsOf(entry)),
    close,
    [Symbol.asyncDispose]: close,
  };
}
