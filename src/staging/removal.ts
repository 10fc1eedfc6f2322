import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { chmod, type FileHandle, lstat, mkdir, open, opendir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { isMissing, systemCodeOf } from "../units/durable-files.ts";
import { makeFolders } from "../units/make-folders.ts";

/** How files of people are removed. */
export interface Removal {
  /** A file, or a folder with all that is in it; nothing when it is not there. */
  remove(path: string): Promise<void>;
}

export const plainRemoval: Removal = { remove: (path) => rm(path, { recursive: true, force: true }) };

const BLOCK_BYTES = 1 << 20;

/**
 * Overwrites every file with zeros, syncs it, and removes it then. It is moved out of the way first, so that nobody takes for an instance what was
 * overwritten in part; what a crash leaves of it in `folder` is overwritten at the next start.
 * @param folder on the file system of what is removed
 */
export async function openShredding(folder: string): Promise<Removal> {
  await makeFolders(folder, { mode: 0o700 });
  await shred(folder);
  await mkdir(folder, { mode: 0o700 });
  return {
    async remove(path) {
      const leaving = join(folder, randomUUID());
      try {
        await rename(path, leaving);
      } catch (thrown) {
        if (isMissing(thrown)) return;
        throw thrown;
      }
      await shred(leaving);
    },
  };
}

async function shred(path: string): Promise<void> {
  for await (const file of filesBelow(path)) await overwrite(file);
  await rm(path, { recursive: true, force: true });
}

/** Links are not followed, nor is the path one that is: they lead to files of others. */
async function* filesBelow(path: string): AsyncGenerator<string> {
  const there = await lstat(path);
  if (there.isFile()) yield path;
  if (!there.isDirectory()) return;
  for await (const entry of await opendir(path, { recursive: true }))
    if (entry.isFile()) yield join(entry.parentPath, entry.name);
}

async function overwrite(path: string): Promise<void> {
  await using file = await openToWrite(path).catch(async (thrown: unknown) => {
    // What was copied from elsewhere may have come read only.
    if (systemCodeOf(thrown) !== "EACCES") throw thrown;
    await chmod(path, 0o600);
    return await openToWrite(path);
  });
  const { size } = await file.stat();
  const zeros = Buffer.alloc(Math.min(size, BLOCK_BYTES));
  for (let at = 0; at < size; at += zeros.length) await file.write(zeros, 0, Math.min(zeros.length, size - at), at);
  await file.sync();
}

function openToWrite(path: string): Promise<FileHandle> {
  return open(path, constants.O_WRONLY | constants.O_NOFOLLOW);
}
