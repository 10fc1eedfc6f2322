import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import {
  isFieldUid,
  parseSeriesInstanceUid,
  parseSopInstanceUid,
  parseStudyInstanceUid,
  type SopInstanceUid,
} from "../dicom/uid.ts";
import { toGatewayError } from "../errors/gateway-error.ts";
import { concurrently } from "../units/concurrently.ts";
import { syncFile, syncFolder, writeFileDurably } from "../units/durable-files.ts";
import type { Logger } from "../units/logger.ts";
import { inspectInstance } from "./inspect-instance.ts";
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
  }),
);

/** The staged instances of one study, as far as this process knows them. */
export interface StudyIndex {
  readonly instances: Map<SopInstanceUid, StagedInstance>;
  readonly unsynced: Set<SopInstanceUid>;
}

export function fileName(sopInstanceUid: SopInstanceUid): string {
  return `${sopInstanceUid}${EXTENSION}`;
}

/** Reads a study's folder after a start: the manifest's files of equal size are trusted, every other is checked for wholeness, and removed when it is not whole. */
export async function loadStudyIndex(folder: string, logger: Logger): Promise<StudyIndex> {
  const index: StudyIndex = { instances: new Map(), unsynced: new Set() };
  const names = await readdir(folder).catch(() => []);
  const trusted = await readManifest(folder);
  const files = names.filter((name) => name.endsWith(EXTENSION) && isFieldUid(name.slice(0, -EXTENSION.length)));
  await concurrently(files, PARALLEL_FILES, async (name) => {
    const path = join(folder, name);
    const known = trusted.get(name);
    if (known !== undefined && (await stat(path)).size === known.sizeBytes) {
      index.instances.set(known.sopInstanceUid, { ...known, path });
      return;
    }
    try {
      const instance = await inspectInstance(path);
      index.instances.set(instance.sopInstanceUid, instance);
      index.unsynced.add(instance.sopInstanceUid);
    } catch (thrown) {
      logger.warn("staged file is not whole and is fetched again", { code: toGatewayError(thrown).code });
      await rm(path, { force: true });
    }
  });
  return index;
}

async function readManifest(folder: string): Promise<ReadonlyMap<string, Omit<StagedInstance, "path">>> {
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
  await concurrently(syncing, PARALLEL_FILES, ({ path }) => syncFile(path));
  await syncFolder(folder);
  const lines = [...index.instances.values()]
    .filter(
      ({ sopInstanceUid }) =>
        !index.unsynced.has(sopInstanceUid) || syncing.some((one) => one.sopInstanceUid === sopInstanceUid),
    )
    .map(({ path: _, ...facts }) => facts);
  await writeFileDurably(join(folder, MANIFEST), JSON.stringify(lines));
  for (const { sopInstanceUid } of syncing) index.unsynced.delete(sopInstanceUid);
}
