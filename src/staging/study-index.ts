import { readdir, readFile, rm, stat } from "node:fs/promises";
import { uptime } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import {
  isFieldUid,
  parseSeriesInstanceUid,
  parseSopInstanceUid,
  parseStudyInstanceUid,
  type SopInstanceUid,
} from "../dicom/uid.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { systemClock } from "../units/clock.ts";
import { concurrently } from "../units/concurrently.ts";
import { isMissing, syncFile, syncFolder, writeFileDurably } from "../units/durable-files.ts";
import type { Logger } from "../units/logger.ts";
import { readStagedInstance } from "./read-staged-instance.ts";
import type { StagedInstance } from "./staging-area.ts";

/** What was synced, so that it need not be checked again after a restart. */
const MANIFEST = "manifest.json";
const EXTENSION = ".dcm";
const PARALLEL_FILES = 4;

const manifestSchema = z.array(
  z.object({
    studyInstanceUid: z.string(),
    seriesInstanceUid: z.string(),
    sopInstanceUid: z.string(),
    sopClassUid: z.string(),
    transferSyntaxUid: z.string(),
    modality: z.string(),
    sizeBytes: z.number(),
    modifiedAtMs: z.number(),
  }),
);

/** The staged instances of one study, as far as this process knows them. */
export interface StudyIndex {
  readonly instances: Map<SopInstanceUid, StagedInstance>;
  readonly unsynced: Set<SopInstanceUid>;
  /** When the files that the manifest vouches for were written: another file of the same name is not vouched for. */
  readonly modifiedAtMs: Map<SopInstanceUid, number>;
}

type ManifestLine = Omit<StagedInstance, "path"> & { readonly modifiedAtMs: number };

export function fileName(sopInstanceUid: SopInstanceUid): string {
  return `${sopInstanceUid}${EXTENSION}`;
}

/**
 * Reads a study's folder after a start: the manifest's files are trusted, every other is checked for wholeness, and removed when it is not whole.
 * One from before the machine's own start was not synced when the power went: its length may be right and its content not, so it is removed unread.
 */
export async function loadStudyIndex(folder: string, logger: Logger): Promise<StudyIndex> {
  const index: StudyIndex = { instances: new Map(), unsynced: new Set(), modifiedAtMs: new Map() };
  const names = await namesIn(folder);
  const trusted = await readManifest(folder);
  const files = names.filter((name) => name.endsWith(EXTENSION) && isFieldUid(name.slice(0, -EXTENSION.length)));
  const machineStartedAtMs = systemClock.nowMs() - uptime() * 1_000;
  let removed = 0;
  await concurrently(files, PARALLEL_FILES, async (name) => {
    const path = join(folder, name);
    const known = trusted.get(name);
    const { size, mtimeMs } = await stat(path);
    if (known !== undefined && size === known.sizeBytes && mtimeMs === known.modifiedAtMs) {
      const { modifiedAtMs, ...facts } = known;
      index.instances.set(known.sopInstanceUid, { ...facts, path });
      index.modifiedAtMs.set(known.sopInstanceUid, modifiedAtMs);
      return;
    }
    const instance = mtimeMs < machineStartedAtMs ? undefined : await inspectWhole(path);
    if (instance === undefined) {
      removed += 1;
      await rm(path, { force: true });
      return;
    }
    index.instances.set(instance.sopInstanceUid, instance);
    index.unsynced.add(instance.sopInstanceUid);
  });
  if (removed > 0) logger.warn("staged files are not whole and are fetched again", { files: removed });
  return index;
}

/** Undefined for what is no whole instance. @throws what the disk says */
async function inspectWhole(path: string): Promise<StagedInstance | undefined> {
  try {
    return await readStagedInstance(path);
  } catch (thrown) {
    if (thrown instanceof GatewayError) return undefined;
    throw thrown;
  }
}

/** None where there is no folder. */
async function namesIn(folder: string): Promise<readonly string[]> {
  return await readdir(folder).catch((thrown: unknown) => {
    if (isMissing(thrown)) return [];
    throw thrown;
  });
}

/** The instances whose files are there: what was removed by hand is forgotten, and so fetched again. */
export async function listPresent(folder: string, index: StudyIndex): Promise<readonly StagedInstance[]> {
  // Taken before the folder is read: what is staged meanwhile is not mistaken for removed.
  const known = [...index.instances.values()];
  const names = new Set(await namesIn(folder));
  return known.filter(({ sopInstanceUid }) => {
    const present = names.has(fileName(sopInstanceUid));
    if (!present) forget(index, sopInstanceUid);
    return present;
  });
}

export function forget(index: StudyIndex, sopInstanceUid: SopInstanceUid): void {
  index.instances.delete(sopInstanceUid);
  index.unsynced.delete(sopInstanceUid);
  index.modifiedAtMs.delete(sopInstanceUid);
}

async function readManifest(folder: string): Promise<ReadonlyMap<string, ManifestLine>> {
  try {
    const lines = manifestSchema.parse(JSON.parse(await readFile(join(folder, MANIFEST), "utf8")));
    return new Map(
      lines.map((line) => {
        const sopInstanceUid = parseSopInstanceUid(line.sopInstanceUid);
        return [
          fileName(sopInstanceUid),
          {
            ...line,
            sopInstanceUid,
            studyInstanceUid: parseStudyInstanceUid(line.studyInstanceUid),
            seriesInstanceUid: parseSeriesInstanceUid(line.seriesInstanceUid),
          },
        ];
      }),
    );
  } catch {
    // Missing, or cut short by hand: every file is checked instead.
    return new Map();
  }
}

/** Files first, then their names, then the manifest that vouches for both. */
export async function syncStudy(folder: string, index: StudyIndex): Promise<void> {
  const syncing = [...index.unsynced].flatMap((uid) => index.instances.get(uid) ?? []);
  if (syncing.length === 0) return;
  const synced = new Map<SopInstanceUid, number>();
  await concurrently(syncing, PARALLEL_FILES, async ({ path, sopInstanceUid }) => {
    try {
      await syncFile(path);
      synced.set(sopInstanceUid, (await stat(path)).mtimeMs);
    } catch (thrown) {
      if (!isMissing(thrown)) throw thrown;
      forget(index, sopInstanceUid);
    }
  });
  if (synced.size === 0) return;
  await syncFolder(folder);
  await syncFolder(dirname(folder));
  for (const [uid, modifiedAtMs] of synced) index.modifiedAtMs.set(uid, modifiedAtMs);
  const lines = [...index.instances.values()].flatMap(({ path: _, ...facts }): ManifestLine[] => {
    const modifiedAtMs = index.modifiedAtMs.get(facts.sopInstanceUid);
    return modifiedAtMs === undefined ? [] : [{ ...facts, modifiedAtMs }];
  });
  await writeFileDurably(join(folder, MANIFEST), JSON.stringify(lines));
  for (const uid of synced.keys()) index.unsynced.delete(uid);
}
