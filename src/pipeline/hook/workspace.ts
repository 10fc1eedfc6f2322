import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, constants, copyFile, link, lstat, opendir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { DeidentifiedFile } from "../../staging/deidentified-file.ts";
import { isMissing, syncFile, writeFileDurably } from "../../units/durable-files.ts";
import { makeFolders } from "../../units/make-folders.ts";

/** Where a hook works on one job's study. */
export interface Workspace {
  readonly folder: string;
  /** The study's de-identified copies, `<series>/<instance>.dcm`. */
  readonly input: string;
  readonly output: string;
  /** Its images as they are delivered. */
  readonly accepted: string;
  /** Its working folder, its home and its temporary files. */
  readonly scratch: string;
  /** What the study is. */
  readonly description: string;
  /** The beginning of its standard output and of its standard error. */
  readonly printed: string;
  readonly complained: string;
  /** Tells, once the hook is done, of which input the output is. */
  readonly done: string;
}

export function workspaceOf(hooksFolder: string, jobId: string): Workspace {
  const folder = join(hooksFolder, jobId);
  return {
    folder,
    input: join(folder, "input"),
    output: join(folder, "output"),
    accepted: join(folder, "accepted"),
    scratch: join(folder, "scratch"),
    description: join(folder, "study.json"),
    printed: join(folder, "stdout.txt"),
    complained: join(folder, "stderr.txt"),
    done: join(folder, "done.json"),
  };
}

const READ_ONLY_FILE = 0o400;
const READ_ONLY_FOLDER = 0o500;
const OWNER_ONLY = 0o700;
const READ_BYTES = 1024 * 1024;

export function inputNameOf({ seriesInstanceUid, sopInstanceUid }: DeidentifiedFile): string {
  return `${seriesInstanceUid}/${sopInstanceUid}.dcm`;
}

/** Empties the workspace and puts the copies into it: as links where the disk has any, so that no byte is written. */
export async function prepareWorkspace(
  workspace: Workspace,
  files: readonly DeidentifiedFile[],
  description: object,
): Promise<void> {
  await removeTree(workspace.folder);
  for (const folder of [workspace.input, workspace.output, workspace.scratch])
    await makeFolders(folder, { mode: OWNER_ONLY });
  for (const file of files) {
    const path = join(workspace.input, inputNameOf(file));
    await makeFolders(dirname(path), { mode: OWNER_ONLY });
    await link(file.path, path).catch(() => copyFile(file.path, path, constants.COPYFILE_FICLONE));
    await chmod(path, READ_ONLY_FILE);
  }
  await writeFile(workspace.description, `${JSON.stringify(description, undefined, 2)}\n`, { mode: READ_ONLY_FILE });
  for (const folder of await readdir(workspace.input)) await chmod(join(workspace.input, folder), READ_ONLY_FOLDER);
  await chmod(workspace.input, READ_ONLY_FOLDER);
}

/**
 * Whether the copies are what they were, by the sums that were taken when they were written, and the input folder holds them and nothing else. One
 * reading is cheaper than a copy, and sure: what will be delivered is compared itself.
 */
export async function isInputUnchanged(
  { input }: Workspace,
  files: readonly DeidentifiedFile[],
  signal: AbortSignal,
): Promise<boolean> {
  const wanted = new Map(files.map((file) => [inputNameOf(file), file]));
  const folders = new Set([...wanted.keys()].map((name) => dirname(name)));
  for await (const entry of entriesBelow(input)) {
    const { name, isFolder } = entry;
    if (isFolder ? !folders.has(name) : !wanted.delete(name)) return false;
  }
  if (wanted.size > 0) return false;
  for (const file of files) {
    signal.throwIfAborted();
    const path = join(input, inputNameOf(file));
    const [copy, seen] = await Promise.all([lstat(file.path), lstat(path)]);
    if (!copy.isFile() || !seen.isFile() || (await sha256Of(file.path, signal)) !== file.sha256) return false;
    const isLink = copy.ino === seen.ino && copy.dev === seen.dev;
    if (!isLink && (await sha256Of(path, signal)) !== file.sha256) return false;
  }
  return true;
}

/** Links and whatever else is no folder counts as a file. */
async function* entriesBelow(folder: string, below = ""): AsyncGenerator<{ name: string; isFolder: boolean }> {
  for await (const entry of await opendir(join(folder, below))) {
    const name = below === "" ? entry.name : `${below}/${entry.name}`;
    yield { name, isFolder: entry.isDirectory() };
    if (entry.isDirectory() && below === "") yield* entriesBelow(folder, name);
  }
}

/** Lower-case hexadecimal. */
export async function sha256Of(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: READ_BYTES }), hash, { signal });
  return hash.digest("hex");
}

/** From here on the output stays as it is, also over a power cut. */
export async function markDone(
  { done }: Workspace,
  key: string,
  outputs: readonly { readonly path: string }[],
): Promise<void> {
  for (const { path } of outputs) await syncFile(path);
  await writeFileDurably(done, `${key}\n`);
}

/** Whether the hook was done with exactly this; false also where it never ran. */
export async function isDone({ done }: Workspace, key: string): Promise<boolean> {
  try {
    return (await readFile(done, "utf8")) === `${key}\n`;
  } catch (thrown) {
    if (isMissing(thrown)) return false;
    throw thrown;
  }
}

/** All but what it printed: that may tell an operator why it failed. */
export async function keepPrinted({ input, output, accepted, scratch, description, done }: Workspace): Promise<void> {
  for (const path of [done, input, output, accepted, scratch, description]) await removeTree(path);
}

/** Also where a program took the rights to its folders away from us. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    await takeRights(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function takeRights(path: string): Promise<void> {
  const waiting = [path];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if ((await lstat(next).catch(() => undefined))?.isDirectory() !== true) continue;
    await chmod(next, OWNER_ONLY);
    for (const entry of await readdir(next, { withFileTypes: true }))
      if (entry.isDirectory()) waiting.push(join(next, entry.name));
  }
}
