import { opendir } from "node:fs/promises";
import { join } from "node:path";
import { tags } from "../dicom/dictionary/tags.ts";
import { readPart10File } from "../dicom/reader.ts";
import type { FileSourceOptions } from "../dicom/sources.ts";
import { type Tag, tagOf } from "../dicom/tag.ts";
import { uidOf } from "../dicom/values.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { concurrently } from "../units/concurrently.ts";
import { isMissing, systemCodeOf } from "../units/durable-files.ts";

/** A file of the input folder; its number stands for its name, which may be a patient's. */
export interface FolderInput {
  /** From 1, in the order of the files' paths. */
  readonly number: number;
  readonly path: string;
}

export interface StudyInput extends FolderInput {
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly sizeBytes: number;
  /** An earlier file has the same SOP Instance UID. */
  readonly isRepeated: boolean;
}

/** The instances of one study, in the order of their UIDs: what is told of the study does not depend on the files' names. */
export interface StudyInputs {
  /** Files without a Study Instance UID, such as a DICOMDIR, stand together and are no study. */
  readonly isStudy: boolean;
  readonly inputs: readonly StudyInput[];
}

export interface UnreadableInput extends FolderInput {
  readonly code: "FILE_UNREADABLE" | "INSTANCE_NOT_PARSABLE";
  /** A code of the error registry or of the operating system. */
  readonly reason: string;
}

export interface SortedInputs {
  readonly studies: readonly StudyInputs[];
  readonly unreadable: readonly UnreadableInput[];
}

/** More files than this are not one folder's work: their paths alone would fill the memory. */
const FILE_LIMIT = 1_000_000;
const PARALLEL_READS = 8;
const BEHIND_SERIES_UID = tagOf(0x0020000f);
/** The UIDs of nearly every file are in its first bytes. */
const WINDOW_BYTES = 8 * 1024;

/** What lies below a folder, numbered together in the order of the paths. */
export interface FolderContents {
  readonly files: readonly FolderInput[];
  /** Folders that cannot be looked into, such as the `lost+found` of a disk. */
  readonly closed: readonly UnreadableInput[];
  /** Symbolic links, and whatever else is no file: not followed. */
  readonly links: number;
}

/** Files named `.dcm` below a folder; none where it is not there. */
export async function countObjects(root: string, signal: AbortSignal): Promise<number> {
  let count = 0;
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    signal.throwIfAborted();
    try {
      for await (const entry of await opendir(folder)) {
        if (entry.isDirectory()) folders.push(join(folder, entry.name));
        else if (entry.name.endsWith(".dcm")) count += 1;
      }
    } catch (thrown) {
      if (!isMissing(thrown)) throw thrown;
    }
  }
  return count;
}

/** Every file below a folder. @throws GatewayError DEID_TOO_MANY_FILES, FILE_UNREADABLE of the folder itself */
export async function filesBelow(root: string, signal: AbortSignal): Promise<FolderContents> {
  const paths: string[] = [];
  const reasons = new Map<string, string>();
  let links = 0;
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    signal.throwIfAborted();
    try {
      for await (const entry of await opendir(folder)) {
        if (entry.isDirectory()) folders.push(join(folder, entry.name));
        else if (entry.isFile()) paths.push(join(folder, entry.name));
        else links += 1;
        if (paths.length > FILE_LIMIT) throw new GatewayError("DEID_TOO_MANY_FILES", { limit: FILE_LIMIT });
      }
    } catch (thrown) {
      const reason = thrown instanceof GatewayError ? undefined : systemCodeOf(thrown);
      if (reason === undefined) throw thrown;
      if (folder === root) throw new GatewayError("FILE_UNREADABLE", { reason }, thrown);
      reasons.set(folder, reason);
      paths.push(folder);
    }
  }
  return { ...numbered(paths.sort(), reasons), links };
}

function numbered(
  paths: readonly string[],
  reasons: ReadonlyMap<string, string>,
): Pick<FolderContents, "files" | "closed"> {
  const files: FolderInput[] = [];
  const closed: UnreadableInput[] = [];
  for (const [index, path] of paths.entries()) {
    const input = { number: index + 1, path };
    const reason = reasons.get(path);
    if (reason === undefined) files.push(input);
    else closed.push({ ...input, code: "FILE_UNREADABLE", reason });
  }
  return { files, closed };
}

interface SortOptions extends FileSourceOptions {
  readonly signal: AbortSignal;
}

/** Puts files to studies by their heads; what has no head stands alone. */
export async function sortByStudy(
  files: readonly FolderInput[],
  { signal, blocking }: SortOptions,
): Promise<SortedInputs> {
  const heads: (Head | UnreadableInput)[] = [];
  await concurrently(files.entries(), PARALLEL_READS, async ([index, input]) => {
    signal.throwIfAborted();
    heads[index] = await headOf(input, blocking);
  });
  const studies = new Map<string, { readonly inputs: StudyInput[]; readonly sopInstanceUids: Set<string> }>();
  const unreadable: UnreadableInput[] = [];
  for (const head of heads) {
    if ("code" in head) {
      unreadable.push(head);
      continue;
    }
    const { studyInstanceUid, seriesInstanceUid, sopInstanceUid, sizeBytes } = head;
    const study = studies.get(studyInstanceUid) ?? { inputs: [], sopInstanceUids: new Set() };
    studies.set(studyInstanceUid, study);
    const isRepeated = sopInstanceUid !== "" && study.sopInstanceUids.has(sopInstanceUid);
    study.inputs.push({ ...head.input, seriesInstanceUid, sopInstanceUid, sizeBytes, isRepeated });
    study.sopInstanceUids.add(sopInstanceUid);
  }
  for (const { inputs } of studies.values()) inputs.sort(byInstance);
  return { studies: [...studies].map(([uid, { inputs }]) => ({ inputs, isStudy: uid !== "" })), unreadable };
}

function byInstance(a: StudyInput, b: StudyInput): number {
  if (a.sopInstanceUid !== b.sopInstanceUid) return a.sopInstanceUid < b.sopInstanceUid ? -1 : 1;
  return a.number - b.number;
}

interface Head {
  readonly input: FolderInput;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly sizeBytes: number;
}

async function headOf(input: FolderInput, blocking: boolean | undefined): Promise<Head | UnreadableInput> {
  try {
    const options = { stopBefore: BEHIND_SERIES_UID, windowBytes: WINDOW_BYTES, blocking };
    await using file = await readPart10File(input.path, options);
    const read = (tag: Tag): string => uidOf(file.dataSet, tag) ?? "";
    return {
      input,
      studyInstanceUid: read(tags.StudyInstanceUID),
      seriesInstanceUid: read(tags.SeriesInstanceUID),
      sopInstanceUid: read(tags.SOPInstanceUID),
      sizeBytes: file.file.sizeBytes,
    };
  } catch (thrown) {
    const system = systemCodeOf(thrown);
    if (thrown instanceof GatewayError) return { ...input, code: "INSTANCE_NOT_PARSABLE", reason: thrown.code };
    if (system !== undefined) return { ...input, code: "FILE_UNREADABLE", reason: system };
    throw thrown;
  }
}
