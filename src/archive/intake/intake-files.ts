import { randomUUID } from "node:crypto";
import { constants, copyFile, readdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { PackSizes, WriteBytes } from "../../staging/pack-file.ts";
import { isPacked } from "../../staging/pack-ranges.ts";
import { openPacks, type PackNames } from "../../staging/packs.ts";
import { plainRemoval, type Removal } from "../../staging/removal.ts";
import { rethrowStaging } from "../../staging/staging-error.ts";
import type { IntakeStore } from "../../store/intake.ts";
import type { Clock } from "../../units/clock.ts";
import { syncFile, syncFolder } from "../../units/durable-files.ts";
import { makeFolders } from "../../units/make-folders.ts";
import { createSharedSync, type SharedSync } from "../../units/shared-sync.ts";
import { createUnnamedFiles, type UnnamedFiles } from "./unnamed-files.ts";

/** A whole instance: its bytes, or where its file is. */
export type KeptWhole = { readonly pieces: readonly Uint8Array[] } | { readonly path: string };

/** What was sent unasked, on the file system of staging: small instances in packs, larger ones in files. Their names say nothing. */
export interface IntakeFiles extends AsyncDisposable {
  /**
   * Keeps an instance, whose file is moved, and has its name written down once it survives a power cut. False from `note`: it is not wanted, and
   * removed. Answers what `note` answers, and throws what it throws.
   */
  keep(whole: KeptWhole, note: (file: string) => Promise<boolean>): Promise<boolean>;
  /** To where no file is yet. */
  copy(file: string, path: string): Promise<void>;
  remove(files: readonly string[]): Promise<void>;
  /** Removes what could not be written down an hour ago: its sender was told so. @throws as `remove`, and what the store throws */
  removeUnnamed(): Promise<void>;
}

export interface IntakeFilesOptions {
  readonly store: Pick<IntakeStore, "intakeFiles" | "moveIntakeFile">;
  readonly clock: Clock;
  readonly remove?: Removal["remove"];
  readonly syncShared?: SharedSync;
  readonly packSizes?: PackSizes;
  /** Writes packs; by default this thread does. */
  readonly writePacked?: WriteBytes;
}

/** By the first two digits of their names: no folder becomes very large. */
const FOLDERS = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, "0"));

/** One folder after the other: what comes at the same moment shares the sync of its folder. */
const IN_A_ROW = 256;

/** What was kept and not acknowledged before the last end is removed: its sender has it still. */
export async function openIntakeFiles(path: string, options: IntakeFilesOptions): Promise<IntakeFiles> {
  const { store, clock, remove = plainRemoval.remove, syncShared = createSharedSync() } = options;
  const { packSizes: sizes, writePacked: write } = options;
  const pathOf = (file: string): string => join(path, file.slice(0, 2), file);
  const removeAll = async (files: readonly string[]): Promise<void> => {
    const [packed, single] = [files.filter(isPacked), files.filter((file) => !isPacked(file))];
    for (const file of single) await remove(pathOf(file)).catch(rethrowStaging);
    if (packed.length > 0) await packs.remove(packed);
  };
  const unnamed = createUnnamedFiles({
    names: (file) => store.intakeFiles(file),
    remove: (file) => removeAll([file]),
    clock,
  });
  const names: PackNames = {
    beginning: (prefix) => store.intakeFiles(prefix),
    change: (from, to) => orUnnamed(unnamed, to, () => store.moveIntakeFile(from, to)),
    isInDoubt: (prefix) => unnamed.has(prefix),
  };
  const packs = await openPacks({ folder: join(path, "packs"), names, remove, clock, sizes, write });
  for (const folder of FOLDERS) {
    await makeFolders(join(path, folder), { mode: 0o700 });
    const found = await readdir(join(path, folder));
    if (found.length === 0) continue;
    const acknowledged = new Set(await store.intakeFiles(folder));
    for (const name of found) if (!acknowledged.has(name)) await remove(join(path, folder, name));
  }
  // What is kept is found again only where all folders on the way to it are.
  for (const folder of [path, dirname(path), dirname(dirname(path))]) await syncFolder(folder);
  let kept = 0;

  const nextName = (): string => {
    const folder = FOLDERS[Math.floor(kept / IN_A_ROW) % FOLDERS.length] ?? "00";
    kept += 1;
    return `${folder}${randomUUID().slice(folder.length)}.dcm`;
  };
  const moveIn = async (from: string, file: string): Promise<void> => {
    await syncFile(from);
    await rename(from, pathOf(file));
    await syncShared(dirname(pathOf(file)));
  };
  const noted = async (file: string, keeping: Promise<void>, note: (file: string) => Promise<boolean>) =>
    await orUnnamed(unnamed, file, async () => {
      await keeping;
      const isWanted = await note(file);
      if (!isWanted) await removeAll([file]);
      return isWanted;
    });
  const keepFile = (path: string, note: (file: string) => Promise<boolean>): Promise<boolean> => {
    const file = nextName();
    return noted(file, moveIn(path, file).catch(rethrowStaging), note);
  };
  return {
    keep: async (whole, note) =>
      "pieces" in whole
        ? await packs.add(whole.pieces, (file) => noted(file, Promise.resolve(), note))
        : await keepFile(whole.path, note),
    copy: (file, to) =>
      isPacked(file)
        ? packs.copy(file, to)
        : copyFile(pathOf(file), to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE).catch(rethrowStaging),
    remove: removeAll,
    removeUnnamed: unnamed.removeOld,
    [Symbol.asyncDispose]: () => packs[Symbol.asyncDispose](),
  };
}

async function orUnnamed<T>(unnamed: UnnamedFiles, file: string, naming: () => Promise<T>): Promise<T> {
  try {
    return await naming();
  } catch (thrown) {
    unnamed.add(file);
    throw thrown;
  }
}
