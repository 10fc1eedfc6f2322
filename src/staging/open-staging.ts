import { readdir, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isFieldUid, type StudyInstanceUid } from "../dicom/uid.ts";
import type { Disk } from "../units/disk.ts";
import { isMissing } from "../units/durable-files.ts";
import { type Logger, silentLogger } from "../units/logger.ts";
import { makeFolders } from "../units/make-folders.ts";
import type { CreateFile } from "./incoming-file.ts";
import { createIntake } from "./intake.ts";
import { openShredding, plainRemoval, type Removal } from "./removal.ts";
import type { StagedInstance, StagingArea } from "./staging-area.ts";
import { rethrowStaging } from "./staging-error.ts";
import { fileName, forget, listPresent, loadStudyIndex, type StudyIndex, syncStudy } from "./study-index.ts";

export interface StagingOptions {
  readonly path: string;
  readonly reserveBytes: number;
  readonly disk: Disk;
  readonly logger?: Logger;
  /** Whether bytes are overwritten before files are removed. */
  readonly shred?: boolean;
  /** Tests give one whose disk is full. */
  readonly createFile?: CreateFile;
}

interface Area extends Removal {
  readonly incoming: string;
  readonly studies: string;
  readonly logger: Logger;
  /** Folders are read once; a promise so that two readers share one reading. */
  readonly indexes: Map<StudyInstanceUid, Promise<StudyIndex>>;
  /** Instances being given their name, by that name: of two at the same time the first is kept. */
  readonly placing: Map<string, Promise<StagedInstance>>;
}

/**
 * `incoming/<random>.part` while bytes arrive, `studies/<Study UID>/<SOP Instance UID>.dcm` once whole. What was incoming at the last end is removed.
 * @throws GatewayError STAGING_FULL, STAGING_UNAVAILABLE, as every method does
 */
export async function openStagingArea(options: StagingOptions): Promise<StagingArea> {
  const { path, reserveBytes, disk } = options;
  const incoming = join(path, "incoming");
  const area: Area = {
    ...(await openRemoval(path, options.shred ?? false).catch(rethrowStaging)),
    incoming,
    studies: join(path, "studies"),
    logger: options.logger ?? silentLogger,
    indexes: new Map(),
    placing: new Map(),
  };
  await layOut(area).catch(rethrowStaging);
  const intake = createIntake({
    folder: area.incoming,
    createFile: options.createFile,
    remove: area.remove,
    keep: (instance) => keep(area, instance),
  });
  return {
    ...intake,
    list: (study) => list(area, study).catch(rethrowStaging),
    sync: (study) => sync(area, study).catch(rethrowStaging),
    markSpent: async (study) => (await indexOf(area, study)).unsynced.clear(),
    removeInstance: (instance) => removeInstance(area, instance).catch(rethrowStaging),
    removeStudy: (study) => removeStudy(area, study).catch(rethrowStaging),
    studies: () => listStudies(area).catch(rethrowStaging),
    isBelowReserve: async () => (await disk.freeBytes(path).catch(rethrowStaging)) < reserveBytes,
    async [Symbol.asyncDispose]() {},
  };
}

/** What was leaving when shredding was switched off is still to go. */
async function openRemoval(path: string, isShredding: boolean): Promise<Removal> {
  await makeFolders(path, { mode: 0o700 });
  const folder = join(path, "leaving");
  if (isShredding) return await openShredding(folder);
  await plainRemoval.remove(folder);
  return plainRemoval;
}

async function layOut({ incoming, studies, remove }: Area): Promise<void> {
  await remove(incoming);
  await makeFolders(incoming, { mode: 0o700 });
  await makeFolders(studies, { mode: 0o700 });
}

async function list(area: Area, study: StudyInstanceUid): Promise<readonly StagedInstance[]> {
  return await listPresent(folderOf(area, study), await indexOf(area, study));
}

async function sync(area: Area, study: StudyInstanceUid): Promise<void> {
  await syncStudy(folderOf(area, study), await indexOf(area, study));
}

async function removeStudy(area: Area, study: StudyInstanceUid): Promise<void> {
  area.indexes.delete(study);
  await area.remove(folderOf(area, study));
}

function folderOf({ studies }: Area, study: StudyInstanceUid): string {
  return join(studies, study);
}

function indexOf(area: Area, study: StudyInstanceUid): Promise<StudyIndex> {
  const known = area.indexes.get(study);
  if (known !== undefined) return known;
  const loading = loadStudyIndex(folderOf(area, study), area.logger);
  area.indexes.set(study, loading);
  // A folder that could not be read is tried again; one that was is forgotten when newer ones need the room.
  loading.then(
    () => forgetOldest(area),
    () => area.indexes.delete(study),
  );
  return loading;
}

/** Indexes held in memory; those with files not yet synced stay whatever their number. */
const MAXIMUM_INDEXES = 256;

async function forgetOldest(area: Area): Promise<void> {
  for (const [study, loading] of area.indexes) {
    if (area.indexes.size <= MAXIMUM_INDEXES) return;
    // One that cannot be read is a matter of who asked for it, and is forgotten by itself.
    const index = await loading.catch(() => undefined);
    if (index?.unsynced.size === 0 && area.indexes.get(study) === loading) area.indexes.delete(study);
  }
}

/** An instance that is there already is kept as it was: what counts as received does not change under a job's hands. */
async function keep(area: Area, instance: StagedInstance): Promise<StagedInstance> {
  const { instances } = await indexOf(area, instance.studyInstanceUid);
  const path = join(folderOf(area, instance.studyInstanceUid), fileName(instance.sopInstanceUid));
  const first = instances.get(instance.sopInstanceUid) ?? area.placing.get(path);
  if (first !== undefined) {
    const kept = await first;
    await area.remove(instance.path);
    return kept;
  }
  const placing = place(area, instance, path);
  area.placing.set(path, placing);
  try {
    return await placing;
  } finally {
    area.placing.delete(path);
  }
}

async function place(area: Area, instance: StagedInstance, path: string): Promise<StagedInstance> {
  await moveIn(instance.path, path);
  const kept = { ...instance, path };
  // Asked for again: the index may have been forgotten meanwhile.
  const index = await indexOf(area, instance.studyInstanceUid);
  index.instances.set(kept.sopInstanceUid, kept);
  index.unsynced.add(kept.sopInstanceUid);
  return kept;
}

/** The study's folder is made for its first instance. */
async function moveIn(from: string, path: string): Promise<void> {
  try {
    await rename(from, path);
  } catch (thrown) {
    if (!isMissing(thrown)) throw thrown;
    await makeFolders(dirname(path), { mode: 0o700 });
    await rename(from, path);
  }
}

async function removeInstance(area: Area, { studyInstanceUid, sopInstanceUid, path }: StagedInstance): Promise<void> {
  const index = await indexOf(area, studyInstanceUid);
  forget(index, sopInstanceUid);
  await area.remove(path);
}

async function listStudies({ studies }: Area) {
  const found: { study: StudyInstanceUid; changedAtMs: number }[] = [];
  for (const name of await readdir(studies)) {
    if (!isFieldUid(name)) continue;
    const there = await stat(join(studies, name)).catch((thrown: unknown) => {
      // Removed since it was listed: jobs and withdrawals do that at any time.
      if (isMissing(thrown)) return undefined;
      throw thrown;
    });
    if (there !== undefined) found.push({ study: name as StudyInstanceUid, changedAtMs: there.mtimeMs });
  }
  return found;
}
