import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import type { Clock } from "../../units/clock.ts";
import { concurrently } from "../../units/concurrently.ts";
import { isMissing } from "../../units/durable-files.ts";
import type { FileFacts } from "./indexed-instance.ts";

/** More is no folder but an archive, and wants a program that is one. */
const MAXIMUM_FILES = 1_000_000;
const MAXIMUM_DEPTH = 64;
/** Questions to the file system at once: more than its threads, so that none waits for us. */
const AT_ONCE = 16;
/** A folder that changed so shortly before it was read may have changed again within the same tick of its file system. */
const SETTLING_MS = 3_000;

export interface Tree {
  readonly files: readonly FileFacts[];
  readonly skipped: ReadonlyMap<ErrorCode, number>;
}

interface Folder {
  readonly mtimeMs: number;
  /** Nothing in it was new when it was read. */
  readonly isSettled: boolean;
  readonly folders: readonly string[];
  readonly files: readonly FileFacts[];
  readonly links: number;
}

/**
 * All files below a root that may be a file itself. Names and folders that begin with a dot are left out; links are not followed, so that no
 * ring of them holds anybody up.
 * @param isFull asks for the facts of every file; else those of a folder to which nothing came and from which nothing went are taken as they were
 * @throws GatewayError FIND_LIMIT_REACHED, ARCHIVE_FOLDER_UNREADABLE
 */
export function createFolderTree(root: string, clock: Clock): (isFull: boolean, signal: AbortSignal) => Promise<Tree> {
  let known: ReadonlyMap<string, Folder> = new Map();
  return async (isFull, signal) => {
    const alone = await rootFile(root);
    if (alone !== undefined) return { files: [alone], skipped: new Map() };
    const now = new Map<string, Folder>();
    let [files, tooDeep] = [0, 0];
    let level: readonly string[] = [root];
    for (let depth = 0; level.length > 0; depth += 1) {
      const below: string[] = [];
      await concurrently(level, AT_ONCE, async (path) => {
        signal.throwIfAborted();
        const folder = await readFolder(path, isFull ? undefined : known.get(path), clock).catch(
          unlessGone(root, path),
        );
        if (folder === undefined) return;
        now.set(path, folder);
        // One by one: a call takes some hundred thousand arguments at most.
        for (const each of folder.folders) below.push(each);
        files += folder.files.length;
        if (files > MAXIMUM_FILES) throw new GatewayError("FIND_LIMIT_REACHED", { by: "us", maximum: MAXIMUM_FILES });
      });
      tooDeep = depth === MAXIMUM_DEPTH ? below.length : 0;
      level = depth === MAXIMUM_DEPTH ? [] : below;
    }
    known = now;
    const links = [...now.values()].reduce((sum, folder) => sum + folder.links, 0);
    const skipped = new Map<ErrorCode, number>();
    if (links > 0) skipped.set("MEDIA_LINK_SKIPPED", links);
    if (tooDeep > 0) skipped.set("MEDIA_TOO_DEEP", tooDeep);
    return { files: [...now.values()].flatMap((folder) => folder.files), skipped };
  };
}

/** Undefined: the root is a folder. */
async function rootFile(root: string): Promise<FileFacts | undefined> {
  const facts = await stat(root).catch((thrown: unknown) => {
    throw new GatewayError("ARCHIVE_FOLDER_UNREADABLE", {}, thrown);
  });
  return facts.isFile() ? { path: root, sizeBytes: facts.size, mtimeMs: facts.mtimeMs } : undefined;
}

function unlessGone(root: string, path: string): (thrown: unknown) => undefined {
  return (thrown) => {
    if (path === root || !isMissing(thrown)) throw new GatewayError("ARCHIVE_FOLDER_UNREADABLE", {}, thrown);
  };
}

async function readFolder(path: string, before: Folder | undefined, clock: Clock): Promise<Folder> {
  const { mtimeMs } = await stat(path);
  if (before?.isSettled && before.mtimeMs === mtimeMs) return before;
  const nowMs = clock.nowMs();
  const entries = (await readdir(path, { withFileTypes: true })).filter(({ name }) => !name.startsWith("."));
  const files = await factsOf(path, entries);
  const newestMs = files.reduce((newest, file) => Math.max(newest, file.mtimeMs), mtimeMs);
  return {
    mtimeMs,
    isSettled: nowMs - newestMs > SETTLING_MS,
    folders: entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name)),
    files,
    links: entries.filter((entry) => !entry.isDirectory() && !entry.isFile()).length,
  };
}

async function factsOf(folder: string, entries: readonly Dirent[]): Promise<readonly FileFacts[]> {
  const files: FileFacts[] = [];
  const names = entries.filter((entry) => entry.isFile()).map(({ name }) => join(folder, name));
  await concurrently(names, AT_ONCE, async (path) => {
    const facts = await stat(path).catch((thrown: unknown) => {
      if (!isMissing(thrown)) throw thrown;
    });
    if (facts?.isFile()) files.push({ path, sizeBytes: facts.size, mtimeMs: facts.mtimeMs });
  });
  return files;
}
