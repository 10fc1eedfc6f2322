import { constants, copyFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import type { Tag } from "../../dicom/tag.ts";
import { dataSetOfTexts, textOf } from "../../dicom/values.ts";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import { isDiskFull } from "../../units/durable-files.ts";
import { exactMatch } from "../answers.ts";
import type { Archive, RetrieveOutcome, RetrieveRequest, StudyMatch, StudyQuery } from "../archive.ts";
import type { InstanceTaker } from "../http/staging-store.ts";
import { createFolderIndex, INDEXED_TAGS, type IndexedInstance } from "./folder-index.ts";

export interface FolderArchiveOptions {
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  readonly associations: number;
  readonly taker: InstanceTaker;
}

type Index = ReturnType<typeof createFolderIndex>;

/** DICOM files below a folder that others write: a research scanner's data lake, an export. They are read, and never changed. */
export function createFolderArchive({ name, path, associations, taker }: FolderArchiveOptions): Archive {
  const index = createFolderIndex(path);
  return {
    name,
    kind: "folder",
    capabilities: { search: "itself", lists: "instances", retrieves: "instance", connects: "us" },
    associations,
    echo: async (signal) => void (await index(signal)),
    findStudies: (query, signal) => findStudies(index, query, signal),
    find: (identifier, maximumAnswers, signal) => find(index, identifier, maximumAnswers, signal),
    async listStudy(study, signal) {
      const held = (await index(signal)).filter(({ studyInstanceUid }) => studyInstanceUid === study);
      const instances = oneOfEach(held).map(({ seriesInstanceUid, sopInstanceUid, values }) => ({
        seriesInstanceUid,
        sopInstanceUid,
        sopClassUid: values.get(tags.SOPClassUID),
      }));
      return instances.length === 0 ? { kind: "unknown" } : { kind: "instances", instances };
    },
    retrieve: (request, signal) => retrieve(index, taker, request, signal),
    async rehearseRetrieval(signal) {
      const isAny = (await index(signal)).length > 0;
      return isAny ? { kind: "tried", status: 0, completed: 1, failed: 0 } : { kind: "nothing-to-try" };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** An instance may lie there twice; the first path counts. */
function oneOfEach(instances: readonly IndexedInstance[]): readonly IndexedInstance[] {
  const first = new Map<string, IndexedInstance>();
  for (const each of instances) if (!first.has(each.sopInstanceUid)) first.set(each.sopInstanceUid, each);
  return [...first.values()];
}

function answerOf({ values }: IndexedInstance): DataSet {
  return dataSetOfTexts([...values]);
}

async function findStudies(index: Index, query: StudyQuery, signal: AbortSignal): Promise<readonly StudyMatch[]> {
  const matches = new Map<string, StudyMatch>();
  for (const instance of await index(signal)) {
    if (matches.has(instance.studyInstanceUid)) continue;
    const match = exactMatch(query, answerOf(instance));
    if (match !== undefined) matches.set(match.studyInstanceUid, match);
  }
  return [...matches.values()];
}

/** What makes an answer another one, by level. */
const UNIQUE: Readonly<Record<string, Tag>> = {
  PATIENT: tags.PatientID,
  STUDY: tags.StudyInstanceUID,
  SERIES: tags.SeriesInstanceUID,
  IMAGE: tags.SOPInstanceUID,
};

async function* find(
  index: Index,
  identifier: DataSet,
  maximumAnswers: number,
  signal: AbortSignal,
): AsyncGenerator<DataSet> {
  const unique = UNIQUE[textOf(identifier, tags.QueryRetrieveLevel)?.trim() ?? ""] ?? tags.StudyInstanceUID;
  const matches = matcherOf(identifier);
  const seen = new Set<string>();
  for (const instance of await index(signal)) {
    const key = instance.values.get(unique) ?? "";
    if (seen.has(key) || !matches(instance)) continue;
    if (seen.size === maximumAnswers)
      throw new GatewayError("FIND_LIMIT_REACHED", { by: "us", maximum: maximumAnswers });
    seen.add(key);
    yield answerOf(instance);
  }
}

/** Single values and wildcards, PS3.4 C.2.2.2. By what is not indexed nothing is found. */
function matcherOf(identifier: DataSet): (instance: IndexedInstance) => boolean {
  const known = new Set<Tag>(INDEXED_TAGS);
  const wanted: (readonly [Tag, RegExp])[] = [];
  for (const { tag } of identifier.values()) {
    const text = textOf(identifier, tag)?.trim() ?? "";
    if (tag === tags.QueryRetrieveLevel || text === "" || text === "*") continue;
    if (!known.has(tag)) return () => false;
    const pattern = text
      .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".");
    wanted.push([tag, new RegExp(`^${pattern}$`, "s")]);
  }
  return ({ values }) => wanted.every(([tag, pattern]) => pattern.test(values.get(tag) ?? ""));
}

async function retrieve(
  index: Index,
  taker: InstanceTaker,
  { studyInstanceUid, seriesInstanceUids, instances }: RetrieveRequest,
  signal: AbortSignal,
): Promise<RetrieveOutcome> {
  const series = seriesInstanceUids && new Set<string>(seriesInstanceUids);
  const named = instances && new Set<string>(instances.map(({ sopInstanceUid }) => sopInstanceUid));
  const held = (await index(signal)).filter(
    (each) =>
      each.studyInstanceUid === studyInstanceUid &&
      (series?.has(each.seriesInstanceUid) ?? true) &&
      (named?.has(each.sopInstanceUid) ?? true),
  );
  let failed = 0;
  const wanted = oneOfEach(held);
  for (const instance of wanted) {
    signal.throwIfAborted();
    await taker.pace.take(instance.sizeBytes, signal);
    if (!(await takeIn(taker, instance))) failed += 1;
  }
  signal.throwIfAborted();
  return { status: 0, completed: wanted.length - failed, failed };
}

/** A copy goes into staging; the original stays. False when it was refused. */
async function takeIn({ staging, expectations, refusals, random }: InstanceTaker, instance: IndexedInstance) {
  const { path, studyInstanceUid, sopInstanceUid } = instance;
  const copy = join(staging.incoming, `${Buffer.from(random.bytes(16)).toString("hex")}.part`);
  expectations.noteActivity();
  try {
    await copyFile(path, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE).catch((thrown: unknown) => {
      throw new GatewayError(isDiskFull(thrown) ? "STAGING_FULL" : "STAGING_UNAVAILABLE", {}, thrown);
    });
    await staging.adopt(copy, (staged) => staged.studyInstanceUid === studyInstanceUid);
    expectations.noteArrival(studyInstanceUid, sopInstanceUid);
    return true;
  } catch (thrown) {
    const { code } = toGatewayError(thrown);
    if (code === "STAGING_FULL" || code === "STAGING_UNAVAILABLE") throw thrown;
    refusals.noteRefusal(sopInstanceUid, code);
    return false;
  } finally {
    await rm(copy, { force: true });
  }
}
