import { readdir, readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { readZip } from "../../../test/peers/xnat/zip.ts";
import { isMissing } from "../../units/durable-files.ts";

const INSTANCE = /^([0-9.]+)\.dcm$/;

/** From the study's folder: what a processing hook made. */
const ATTACHED = /(?:^|\/)(processed\/.+)$/;

/** What a server of files holds of instances, whatever folders they are in, those within zips too. */
export async function instancesBelow(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for (const [name, bytes] of await filesBelow(folder)) {
    const [, uid] = INSTANCE.exec(basename(name)) ?? [];
    if (uid !== undefined) found.set(uid, bytes);
  }
  return found;
}

/** What it holds beside them, by name from the study's folder. What is under way there is not counted. */
export async function attachedBelow(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for (const [path, bytes] of await filesBelow(folder)) {
    const [, name] = ATTACHED.exec(path) ?? [];
    if (name !== undefined && !basename(name).startsWith(".")) found.set(name, bytes);
  }
  return found;
}

async function filesBelow(folder: string): Promise<readonly (readonly [string, Buffer])[]> {
  const found: (readonly [string, Buffer])[] = [];
  for (const path of await pathsBelow(folder)) {
    const bytes = await readFile(join(folder, path));
    if (path.endsWith(".zip")) for (const entry of readZip(bytes)) found.push([entry.name, entry.bytes]);
    else found.push([path, bytes]);
  }
  return found;
}

async function pathsBelow(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length));
  } catch (thrown) {
    if (isMissing(thrown)) return [];
    throw thrown;
  }
}

export async function emptyFolder(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
}
