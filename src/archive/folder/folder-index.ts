import { open, readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { tags } from "../../dicom/dictionary/tags.ts";
import { readPart10File } from "../../dicom/reader.ts";
import type { Tag } from "../../dicom/tag.ts";
import {
  isFieldUid,
  type SeriesInstanceUid,
  type SopInstanceUid,
  type StudyInstanceUid,
  trimUid,
} from "../../dicom/uid.ts";
import { textOf } from "../../dicom/values.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { isMissing } from "../../units/durable-files.ts";

/** What a file of the folder says of itself. */
export interface IndexedInstance {
  readonly path: string;
  readonly sizeBytes: number;
  readonly studyInstanceUid: StudyInstanceUid;
  readonly seriesInstanceUid: SeriesInstanceUid;
  readonly sopInstanceUid: SopInstanceUid;
  /** Values of INDEXED_TAGS that it has, trimmed. */
  readonly values: ReadonlyMap<Tag, string>;
}

/** By these a folder can be searched. */
export const INDEXED_TAGS = [
  tags.StudyInstanceUID,
  tags.SeriesInstanceUID,
  tags.SOPInstanceUID,
  tags.SOPClassUID,
  tags.PatientID,
  tags.PatientName,
  tags.AccessionNumber,
  tags.StudyDate,
  tags.StudyTime,
  tags.StudyDescription,
  tags.Modality,
  tags.SeriesNumber,
  tags.InstanceNumber,
] as const;

/** More is no folder but an archive, and wants a program that is one. */
const MAXIMUM_FILES = 1_000_000;
/** PS3.10 7.1. */
const DICM_OFFSET = 128;

interface Known {
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  /** Undefined: it is no DICOM. */
  readonly instance: IndexedInstance | undefined;
}

/**
 * Every DICOM file below a folder; names and folders that begin with a dot are left out. A file that has not changed is not read again.
 * @throws GatewayError FIND_LIMIT_REACHED, ARCHIVE_FOLDER_UNREADABLE
 */
export function createFolderIndex(folder: string): (signal: AbortSignal) => Promise<readonly IndexedInstance[]> {
  const root = resolve(folder);
  let known: ReadonlyMap<string, Known> = new Map();
  return async (signal) => {
    const now = new Map<string, Known>();
    for (const path of await filesBelow(root)) {
      signal.throwIfAborted();
      const facts = await stat(path).catch(unlessMissing);
      if (facts === undefined) continue;
      const { size: sizeBytes, mtimeMs } = facts;
      const before = known.get(path);
      const isSame = before?.sizeBytes === sizeBytes && before.mtimeMs === mtimeMs;
      now.set(path, isSame ? before : { sizeBytes, mtimeMs, instance: await indexed(path, sizeBytes) });
    }
    known = now;
    return [...now.values()].flatMap(({ instance }) => (instance === undefined ? [] : [instance]));
  };
}

async function filesBelow(root: string): Promise<readonly string[]> {
  const files: string[] = [];
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = await readdir(folder, { withFileTypes: true }).catch((thrown: unknown) => {
      throw new GatewayError("ARCHIVE_FOLDER_UNREADABLE", {}, thrown);
    });
    for (const entry of entries) {
      if (entry.name.startsWith(".")) continue;
      if (entry.isDirectory()) folders.push(join(folder, entry.name));
      else if (entry.isFile()) files.push(join(folder, entry.name));
    }
    if (files.length > MAXIMUM_FILES)
      throw new GatewayError("FIND_LIMIT_REACHED", { by: "us", maximum: MAXIMUM_FILES });
  }
  return files.sort();
}

function unlessMissing(thrown: unknown): undefined {
  if (!isMissing(thrown)) throw thrown;
}

async function indexed(path: string, sizeBytes: number): Promise<IndexedInstance | undefined> {
  try {
    if (!(await isPart10(path))) return undefined;
    await using file = await readPart10File(path, { stopBefore: tags.PixelData });
    const values = new Map<Tag, string>();
    for (const tag of INDEXED_TAGS) {
      const text = textOf(file.dataSet, tag)?.trim();
      if (text !== undefined && text !== "") values.set(tag, text);
    }
    const uid = (tag: Tag): string => trimUid(values.get(tag) ?? "");
    const uids = [tags.StudyInstanceUID, tags.SeriesInstanceUID, tags.SOPInstanceUID].map(uid);
    const [study = "", series = "", sop = ""] = uids;
    if (!uids.every(isFieldUid)) return undefined;
    return {
      path,
      sizeBytes,
      studyInstanceUid: study as StudyInstanceUid,
      seriesInstanceUid: series as SeriesInstanceUid,
      sopInstanceUid: sop as SopInstanceUid,
      values,
    };
  } catch (thrown) {
    // Half written, or damaged: staging would refuse it.
    if (thrown instanceof GatewayError || isMissing(thrown)) return undefined;
    throw thrown;
  }
}

async function isPart10(path: string): Promise<boolean> {
  await using file = await open(path, "r");
  const magic = Buffer.alloc(4);
  await file.read(magic, 0, magic.length, DICM_OFFSET);
  return magic.toString("latin1") === "DICM";
}
