import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { type Tag, tagOf } from "../../dicom/tag.ts";
import { dataSetOfTexts, textOf, textsOf } from "../../dicom/values.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { exactMatch } from "../answers.ts";
import type { StudyMatch, StudyQuery } from "../archive.ts";
import type { FolderSnapshot } from "./folder-index.ts";
import { INDEXED_TAGS, type IndexedInstance, isIndexed, textIn } from "./indexed-instance.ts";
import { matchesWildcards } from "./wildcards.ts";

const NumberOfStudyRelatedSeries = tagOf(0x00201206);
const PatientBirthDate = tagOf(0x00100030);
const SeriesDescription = tagOf(0x0008103e);

/** An instance may lie there twice; the first path counts. */
export function oneOfEach(instances: readonly IndexedInstance[]): readonly IndexedInstance[] {
  const first = new Map<string, IndexedInstance>();
  for (const each of instances) if (!first.has(each.sopInstanceUid)) first.set(each.sopInstanceUid, each);
  return [...first.values()];
}

export function studiesMatching(snapshot: FolderSnapshot, query: StudyQuery): readonly StudyMatch[] {
  const matches = new Map<string, StudyMatch>();
  const candidates =
    query.by === "study-uid"
      ? (snapshot.byStudy.get(query.studyInstanceUid) ?? [])
      : snapshot.instances.filter((each) => textIn(each, tags.AccessionNumber) === query.accessionNumber);
  for (const instance of candidates) {
    if (matches.has(instance.studyInstanceUid)) continue;
    const match = exactMatch(query, dataSetOfTexts(textsOfInstance(instance)));
    if (match !== undefined) matches.set(match.studyInstanceUid, match);
  }
  return [...matches.values()];
}

function textsOfInstance(instance: IndexedInstance): (readonly [Tag, string])[] {
  return INDEXED_TAGS.map((tag) => [tag, textIn(instance, tag)] as const).filter(([, text]) => text !== "");
}

/** Attributes that are of one level below the one that is asked for are nobody's. PS3.4 C.6.2.1. */
const OF_SERIES: ReadonlySet<Tag> = new Set([
  tags.SeriesInstanceUID,
  tags.Modality,
  tags.SeriesNumber,
  SeriesDescription,
]);
const OF_INSTANCE: ReadonlySet<Tag> = new Set([tags.SOPInstanceUID, tags.SOPClassUID, tags.InstanceNumber]);

interface Level {
  /** What makes an answer another one. */
  readonly unique: Tag;
  isTold(tag: Tag): boolean;
}

const STUDY: Level = {
  unique: tags.StudyInstanceUID,
  isTold: (tag) => !OF_SERIES.has(tag) && !OF_INSTANCE.has(tag),
};
const LEVELS: Readonly<Record<string, Level>> = {
  PATIENT: { unique: tags.PatientID, isTold: STUDY.isTold },
  STUDY,
  SERIES: { unique: tags.SeriesInstanceUID, isTold: (tag) => !OF_INSTANCE.has(tag) },
  IMAGE: { unique: tags.SOPInstanceUID, isTold: () => true },
};

/**
 * Answers as an archive gives them.
 * @throws GatewayError FIND_LIMIT_REACHED
 */
export function* answersTo(
  snapshot: FolderSnapshot,
  identifier: DataSet,
  maximumAnswers: number,
): Generator<DataSet, void> {
  const level = LEVELS[textOf(identifier, tags.QueryRetrieveLevel)?.trim() ?? ""] ?? STUDY;
  const matches = matcherOf(identifier, snapshot);
  const seen = new Set<string>();
  for (const instance of candidatesFor(identifier, snapshot)) {
    const key = textIn(instance, level.unique);
    if (seen.has(key) || !matches(instance)) continue;
    if (seen.size === maximumAnswers)
      throw new GatewayError("FIND_LIMIT_REACHED", { by: "us", maximum: maximumAnswers });
    seen.add(key);
    const own = textsOfInstance(instance).filter(([tag]) => level.isTold(tag));
    yield dataSetOfTexts([...own, ...counted(instance, level, snapshot)]);
  }
}

/** A study that is named is all that has to be looked through. */
function candidatesFor(identifier: DataSet, { byStudy, instances }: FolderSnapshot): readonly IndexedInstance[] {
  const named = textsOf(identifier, tags.StudyInstanceUID).map((text) => text.trim());
  const isNamed = named.length > 0 && named.every((text) => text !== "" && !/[*?]/.test(text));
  return isNamed ? [...new Set(named)].flatMap((uid) => byStudy.get(uid) ?? []) : instances;
}

/** PS3.4 tables C.6-3, C.6-5. */
function counted({ studyInstanceUid, seriesInstanceUid }: IndexedInstance, level: Level, snapshot: FolderSnapshot) {
  const texts: [Tag, string][] = [];
  if (level !== STUDY && level !== LEVELS.SERIES) return texts;
  const study = oneOfEach(snapshot.byStudy.get(studyInstanceUid) ?? []);
  if (level === STUDY) {
    texts.push([tags.ModalitiesInStudy, modalitiesOf(study).join("\\")]);
    texts.push([NumberOfStudyRelatedSeries, `${new Set(study.map((each) => each.seriesInstanceUid)).size}`]);
    texts.push([tags.NumberOfStudyRelatedInstances, `${study.length}`]);
  } else {
    const ofSeries = study.filter((each) => each.seriesInstanceUid === seriesInstanceUid);
    texts.push([tags.NumberOfSeriesRelatedInstances, `${ofSeries.length}`]);
  }
  return texts;
}

function modalitiesOf(study: readonly IndexedInstance[]): readonly string[] {
  return [...new Set(study.map((each) => textIn(each, tags.Modality)).filter((text) => text !== ""))];
}

type Test = (text: string) => boolean;

/** Single values, lists, wildcards and ranges. PS3.4 C.2.2.2. By what is not indexed nothing is found. */
function matcherOf(identifier: DataSet, snapshot: FolderSnapshot): (instance: IndexedInstance) => boolean {
  const wanted: (readonly [Tag, Test])[] = [];
  let ofStudy: Test | undefined;
  for (const { tag } of identifier.values()) {
    const texts = textsOf(identifier, tag).map((text) => text.trim());
    const isUniversal = texts.every((text) => text === "" || text === "*");
    if (tag === tags.QueryRetrieveLevel || tag === tags.SpecificCharacterSet || isUniversal) continue;
    const test = testOf(tag, texts);
    if (tag === tags.ModalitiesInStudy) ofStudy = test;
    else if (isIndexed(tag)) wanted.push([tag, test]);
    else return () => false;
  }
  const hasModality = remembered((study) => modalitiesOf(snapshot.byStudy.get(study) ?? []), ofStudy);
  return (instance) =>
    wanted.every(([tag, test]) => test(textIn(instance, tag))) && hasModality(instance.studyInstanceUid);
}

function remembered(modalities: (study: string) => readonly string[], test: Test | undefined): Test {
  const known = new Map<string, boolean>();
  return (study) => {
    if (test === undefined) return true;
    const answer = known.get(study) ?? modalities(study).some(test);
    known.set(study, answer);
    return answer;
  };
}

const RANGED: ReadonlySet<Tag> = new Set([tags.StudyDate, tags.StudyTime, PatientBirthDate]);
const RANGE = /^(?<from>[0-9.:]*)-(?<to>[0-9.:]*)$/;

function testOf(tag: Tag, texts: readonly string[]): Test {
  const [first = ""] = texts;
  const { from, to } = (RANGED.has(tag) ? RANGE.exec(first)?.groups : undefined) ?? {};
  // An earlier text is an earlier date or time; an end of fewer digits takes in all that begins so. PS3.4 C.2.2.2.5.
  if (from !== undefined && to !== undefined)
    return (text) => text !== "" && text >= from && (to === "" || text.slice(0, to.length) <= to);
  const patterns = texts.filter((text) => text !== "");
  return (text) => patterns.some((pattern) => matchesWildcards(pattern, text));
}
