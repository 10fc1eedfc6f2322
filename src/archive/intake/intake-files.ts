import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { plainRemoval, type Removal } from "../../staging/removal.ts";
import type { IntakeStore } from "../../store/intake.ts";
import { syncFile, syncFolder } from "../../units/durable-files.ts";
import { createSharedSync, type SharedSync } from "../../units/shared-sync.ts";

/** What was sent unasked, on the file system of staging. Files have names that say nothing. */
export interface IntakeFiles {
  /** Moves a whole file in. Its bytes and its name survive a power cut when this resolves. */
  keep(path: string): Promise<string>;
  pathOf(file: string): string;
  remove(file: string): Promise<void>;
}

/** By the first two digits of their names: no folder becomes very large. */
const FOLDERS = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, "0"));

/** One folder after the other: what comes at the same moment shares the sync of its folder. */
const IN_A_ROW = 256;

/** What was kept and not acknowledged before the last end is removed: its sender has it still. */
export async function openIntakeFiles(
  path: string,
  store: Pick<IntakeStore, "intakeFiles">,
  { remove }: Removal = plainRemoval,
  syncShared: SharedSync = createSharedSync(),
): Promise<IntakeFiles> {
  const pathOf = (file: string): string => join(path, file.slice(0, 2), file);
  for (const folder of FOLDERS) {
    await mkdir(join(path, folder), { recursive: true, mode: 0o700 });
    const names = await readdir(join(path, folder));
    if (names.length === 0) continue;
    const acknowledged = new Set(await store.intakeFiles(folder));
    for (const name of names) if (!acknowledged.has(name)) await remove(join(path, folder, name));
  }
  await syncFolder(path);
  let kept = 0;
  return {
    async keep(from) {
      const folder = FOLDERS[Math.floor(kept / IN_A_ROW) % FOLDERS.length] ?? "00";
      kept += 1;
      const file = `${folder}${randomUUID().slice(folder.length)}.dcm`;
      await syncFile(from);
      await rename(from, pathOf(file));
      await syncShared(join(path, folder));
      return file;
    },
    pathOf,
    remove: (file) => remove(pathOf(file)),
  };
}
