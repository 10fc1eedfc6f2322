import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isFieldUid, type StudyInstanceUid, trimUid } from "../dicom/uid.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { Disk } from "../units/disk.ts";
import { isDiskFull } from "../units/durable-files.ts";
import { type Logger, silentLogger } from "../units/logger.ts";
import { openPartFile, type PartFile } from "./incoming-file.ts";
import { inspectInstance } from "./inspect-instance.ts";
import type { IncomingFile, IncomingFileOptions, StagedInstance, StagingArea } from "./staging-area.ts";
import { fileName, loadStudyIndex, type StudyIndex, syncStudy } from "./study-index.ts";

export interface StagingOptions {
  readonly path: string;
  readonly reserveBytes: number;
  readonly disk: Disk;
  readonly logger?: Logger;
}

interface Area {
  readonly incoming: string;
  readonly studies: string;
  readonly logger: Logger;
  /** Folders are read once; a promise so that two readers share one reading. */
  readonly indexes: Map<StudyInstanceUid, Promise<StudyIndex>>;
}

/** `incoming/<random>.part` while bytes arrive, `studies/<Study UID>/<SOP Instance UID>.dcm` once whole. What was incoming at the last end is removed. */
export async function openStagingArea({
  path,
  reserveBytes,
  disk,
  logger = silentLogger,
}: StagingOptions): Promise<StagingArea> {
  const area: Area = { incoming: join(path, "incoming"), studies: join(path, "studies"), logger, indexes: new Map() };
  await rm(area.incoming, { recursive: true, force: true });
  await mkdir(area.incoming, { recursive: true, mode: 0o700 });
  await mkdir(area.studies, { recursive: true, mode: 0o700 });
  return {
    begin: (options) => begin(area, options),
    list: async (study) => [...(await indexOf(area, study)).instances.values()],
    sync: async (study) => syncStudy(folderOf(area, study), await indexOf(area, study)),
    removeInstance: (instance) => removeInstance(area, instance),
    async removeStudy(study) {
      area.indexes.delete(study);
      await rm(folderOf(area, study), { recursive: true, force: true });
    },
    studies: () => listStudies(area),
    isBelowReserve: async () => (await disk.freeBytes(path)) < reserveBytes,
    async [Symbol.asyncDispose]() {},
  };
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
  for (const [study, index] of area.indexes) {
    if (area.indexes.size <= MAXIMUM_INDEXES) return;
    if ((await index).unsynced.size === 0) area.indexes.delete(study);
  }
}

async function begin(area: Area, options: IncomingFileOptions): Promise<IncomingFile> {
  const part = await openPartFile(join(area.incoming, `${randomUUID()}.part`), options);
  return {
    write: (chunk) => part.write(chunk),
    commit: (admit) => commit(area, part, options, admit),
    abort: () => part.discard(),
  };
}

async function commit(
  area: Area,
  part: PartFile,
  options: IncomingFileOptions,
  admit: (instance: StagedInstance) => boolean,
): Promise<StagedInstance> {
  try {
    await part.finish();
    const instance = await inspectInstance(part.path);
    if (
      instance.sopInstanceUid !== trimUid(options.sopInstanceUid) ||
      instance.sopClassUid !== trimUid(options.sopClassUid)
    ) {
      throw new GatewayError("INSTANCE_MISMATCH", { what: "UIDs of the command" });
    }
    if (!admit(instance)) throw new GatewayError("INSTANCE_UNSOLICITED");
    return await keep(area, instance);
  } catch (thrown) {
    throw isDiskFull(thrown) ? new GatewayError("STAGING_FULL", {}, thrown) : thrown;
  } finally {
    await part.discard();
  }
}

/** An instance that is there already is kept as it was: what counts as received does not change under a job's hands. */
async function keep(area: Area, instance: StagedInstance): Promise<StagedInstance> {
  const index = await indexOf(area, instance.studyInstanceUid);
  const staged = index.instances.get(instance.sopInstanceUid);
  if (staged !== undefined) return staged;
  const folder = folderOf(area, instance.studyInstanceUid);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, fileName(instance.sopInstanceUid));
  await rename(instance.path, path);
  const kept = { ...instance, path };
  index.instances.set(kept.sopInstanceUid, kept);
  index.unsynced.add(kept.sopInstanceUid);
  return kept;
}

async function removeInstance(area: Area, { studyInstanceUid, sopInstanceUid, path }: StagedInstance): Promise<void> {
  const index = await indexOf(area, studyInstanceUid);
  index.instances.delete(sopInstanceUid);
  index.unsynced.delete(sopInstanceUid);
  await rm(path, { force: true });
}

async function listStudies({ studies }: Area) {
  const found: { study: StudyInstanceUid; changedAtMs: number }[] = [];
  for (const name of await readdir(studies)) {
    if (!isFieldUid(name)) continue;
    const { mtimeMs } = await stat(join(studies, name));
    found.push({ study: name as StudyInstanceUid, changedAtMs: mtimeMs });
  }
  return found;
}
