import { parseAeTitle, parseDicomAddress } from "../../src/dicom/ae-title.ts";
import type { DataElement, DataSet } from "../../src/dicom/data-set.ts";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import type { Tag } from "../../src/dicom/tag.ts";
import { dataSetOf, textElement, textOf } from "../../src/dicom/values.ts";
import { startDimseServer } from "../../src/network/dimse/server.ts";
import type { DimseServerOptions, OutgoingInstance } from "../../src/network/dimse/service-types.ts";
import type { SyntheticInstance, SyntheticStudy } from "./synthetic-studies.ts";

/** What the archive does wrong. Every hook sees how often its study was asked for before. */
export interface ArchiveFaults {
  /** What is sent instead of what was asked for. */
  readonly select?: (instances: readonly SyntheticInstance[], timesAsked: number) => readonly SyntheticInstance[];
  /** How the bytes of one instance go out, instead of whole and at once. */
  readonly send?: (instance: SyntheticInstance) => AsyncIterable<Uint8Array>;
  /** Answers to a query are cut at so many, without a word. */
  readonly answersAtMost?: number;
  /** Whether a query is refused. */
  readonly refuses?: (identifier: DataSet) => boolean;
  /** Only these may associate. */
  readonly callingAeTitles?: readonly string[];
}

export interface PracticeArchiveOptions {
  readonly studies: readonly SyntheticStudy[];
  readonly aeTitle?: string;
  /** 0: any free port. */
  readonly port?: number;
  /** `AET@host:port` of those it may send to. */
  readonly destinations?: readonly string[];
  readonly faults?: ArchiveFaults;
  /** How it listens and whom it accepts. */
  readonly settings?: Pick<DimseServerOptions, "tls" | "rules">;
}

export interface PracticeArchive extends AsyncDisposable {
  readonly address: string;
  /** Retrievals asked for, by Study Instance UID. */
  readonly timesAsked: ReadonlyMap<string, number>;
  /** Instances sent, by SOP Instance UID. */
  readonly timesSent: ReadonlyMap<string, number>;
}

/** The attributes that make a match of each level distinct. PS3.4 C.6.2.1. */
const LEVEL_KEYS: Readonly<Record<string, Tag>> = {
  PATIENT: tags.PatientID,
  STUDY: tags.StudyInstanceUID,
  SERIES: tags.SeriesInstanceUID,
  IMAGE: tags.SOPInstanceUID,
};

/** A query/retrieve archive over made-up studies: C-ECHO, C-FIND, C-MOVE, C-GET. To rehearse on, and to fail on purpose. */
export async function startPracticeArchive(options: PracticeArchiveOptions): Promise<PracticeArchive> {
  const { studies, aeTitle = "PRACTICE", faults = {} } = options;
  const instances = studies.flatMap((study) => study.instances);
  const counts = new Map(studies.map((study) => [study.studyInstanceUid, study.instances.length]));
  const destinations = new Map(
    (options.destinations ?? []).map(parseDicomAddress).map((address) => [address.aeTitle as string, address]),
  );
  const timesAsked = new Map<string, number>();
  const timesSent = new Map<string, number>();

  function selectFor(identifier: DataSet): readonly SyntheticInstance[] {
    const study = textOf(identifier, tags.StudyInstanceUID) ?? "";
    const asked = timesAsked.get(study) ?? 0;
    timesAsked.set(study, asked + 1);
    const selected = instances.filter(({ dataSet }) => matches(dataSet, identifier));
    return faults.select?.(selected, asked) ?? selected;
  }

  function outgoing(instance: SyntheticInstance): OutgoingInstance {
    const { sopClassUid, sopInstanceUid, transferSyntaxUid } = instance;
    return {
      sopClassUid,
      sopInstanceUid,
      transferSyntaxUid,
      async *open() {
        timesSent.set(sopInstanceUid, (timesSent.get(sopInstanceUid) ?? 0) + 1);
        if (faults.send === undefined) yield instance.bytes;
        else yield* faults.send(instance);
      },
    };
  }

  const server = await startDimseServer({
    host: "127.0.0.1",
    port: options.port ?? 0,
    aeTitle: parseAeTitle(aeTitle),
    ...(faults.callingAeTitles === undefined ? {} : { rules: { callingAeTitles: faults.callingAeTitles } }),
    ...options.settings,
    handlers: {
      find(identifier) {
        if (faults.refuses?.(identifier)) throw new Error("not supported");
        return firstOf(answersTo(identifier, instances, counts), faults.answersAtMost);
      },
      select: async (identifier) => selectFor(identifier).map(outgoing),
      resolveDestination: (title) => destinations.get(title),
    },
  });
  return {
    address: `${aeTitle}@127.0.0.1:${server.port}`,
    timesAsked,
    timesSent,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function* firstOf<T>(answers: AsyncIterable<T>, atMost = Number.POSITIVE_INFINITY): AsyncGenerator<T> {
  let given = 0;
  for await (const answer of answers) {
    if (given >= atMost) return;
    given += 1;
    yield answer;
  }
}

async function* answersTo(
  identifier: DataSet,
  instances: readonly SyntheticInstance[],
  counts: ReadonlyMap<string, number>,
): AsyncGenerator<DataSet> {
  const level = textOf(identifier, tags.QueryRetrieveLevel) ?? "STUDY";
  const key = LEVEL_KEYS[level] ?? tags.StudyInstanceUID;
  const answered = new Set<string>();
  for (const { dataSet, studyInstanceUid } of instances) {
    const value = textOf(dataSet, key) ?? "";
    if (answered.has(value) || !matches(dataSet, identifier)) continue;
    answered.add(value);
    const elements = [...identifier.keys()]
      .map((tag) => dataSet.get(tag))
      .filter((one): one is DataElement => one !== undefined);
    const count = textElement(tags.NumberOfStudyRelatedInstances, `${counts.get(studyInstanceUid) ?? 0}`);
    const counted = identifier.has(tags.NumberOfStudyRelatedInstances) ? [count] : [];
    yield dataSetOf([...elements, ...counted, textElement(tags.QueryRetrieveLevel, level)]);
  }
}

/** Single value, list of UID, wildcard, range of dates and universal matching. PS3.4 C.2.2.2. */
function matches(dataSet: DataSet, identifier: DataSet): boolean {
  for (const tag of identifier.keys()) {
    if (
      tag === tags.QueryRetrieveLevel ||
      tag === tags.SpecificCharacterSet ||
      // Orthanc asks for the UID of the file meta information besides; keys that are not supported match everything. PS3.4 C.2.2.1.3.
      tag === tags.MediaStorageSOPInstanceUID ||
      tag === tags.NumberOfStudyRelatedInstances
    )
      continue;
    const wanted = textsIn(identifier, tag);
    const has = textOf(dataSet, tag) ?? "";
    if (wanted.length > 0 && !wanted.some((pattern) => matchesPattern(has, pattern))) return false;
  }
  return true;
}

function textsIn(dataSet: DataSet, tag: Tag): readonly string[] {
  const value = dataSet.get(tag)?.value;
  if (value?.kind !== "bytes") return [];
  const text = Buffer.from(value.bytes)
    .toString("utf8")
    .replace(/[\0 ]+$/, "");
  return text === "" ? [] : text.split("\\");
}

function matchesPattern(text: string, pattern: string): boolean {
  const range = /^(\d{8})?-(\d{8})?$/.exec(pattern);
  if (range !== null) return text >= (range[1] ?? "") && text <= (range[2] ?? "99999999");
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${expression}$`).test(text);
}
