import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import type { SeriesInstanceUid, SopInstanceUid, StudyInstanceUid } from "../../dicom/uid.ts";
import { isFieldUid, trimUid } from "../../dicom/uid.ts";
import { dataSetOf, numberOf, textElement, textOf, uidOf } from "../../dicom/values.ts";
import type { ListedInstance, RetrieveRequest, StudyMatch, StudyQuery } from "../archive.ts";

/** Keys asked for besides those matched on; empty means "return it". PS3.4 C.2.2.1, table C.6-1. */
function universal(...keys: readonly DataElement["tag"][]): DataElement[] {
  return keys.map((tag) => textElement(tag, ""));
}

export function studyIdentifier(query: StudyQuery): DataSet {
  const level = textElement(tags.QueryRetrieveLevel, "STUDY");
  if (query.by === "study-uid") {
    return dataSetOf([
      level,
      textElement(tags.StudyInstanceUID, query.studyInstanceUid),
      ...universal(tags.PatientID, tags.AccessionNumber),
    ]);
  }
  return dataSetOf([
    level,
    textElement(tags.AccessionNumber, query.accessionNumber),
    textElement(tags.PatientID, query.patientId ?? ""),
    ...universal(tags.StudyInstanceUID),
  ]);
}

/** Any study with a date: archives refuse a query without a key. */
export function anyStudyIdentifier(): DataSet {
  return dataSetOf([
    textElement(tags.QueryRetrieveLevel, "STUDY"),
    textElement(tags.StudyDate, "19000101-"),
    ...universal(tags.StudyInstanceUID),
  ]);
}

export function studyCountIdentifier(study: StudyInstanceUid): DataSet {
  return dataSetOf([
    textElement(tags.QueryRetrieveLevel, "STUDY"),
    textElement(tags.StudyInstanceUID, study),
    ...universal(tags.NumberOfStudyRelatedInstances),
  ]);
}

export function seriesIdentifier(study: StudyInstanceUid): DataSet {
  return dataSetOf([
    textElement(tags.QueryRetrieveLevel, "SERIES"),
    textElement(tags.StudyInstanceUID, study),
    ...universal(tags.SeriesInstanceUID, tags.NumberOfSeriesRelatedInstances),
  ]);
}

/** One series at a time: some archives refuse an image query without Series Instance UID. */
export function imageIdentifier(study: StudyInstanceUid, series: SeriesInstanceUid): DataSet {
  return dataSetOf([
    textElement(tags.QueryRetrieveLevel, "IMAGE"),
    textElement(tags.StudyInstanceUID, study),
    textElement(tags.SeriesInstanceUID, series),
    ...universal(tags.SOPInstanceUID, tags.SOPClassUID),
  ]);
}

/** UIDs of one request together: a UI value is split by backslashes (list of UID matching). PS3.4 C.2.2.2.2. */
const UIDS_FOR_EACH_REQUEST = 100;

/** One C-MOVE or C-GET, and the instances it names where it names any. */
export interface RetrieveQuery {
  readonly identifier: DataSet;
  readonly instances: readonly ListedInstance[];
}

/** What to move or get: whole study, some series, or single instances series by series, each list within the limit. */
export function* retrieveQueries(request: RetrieveRequest): Generator<RetrieveQuery> {
  const { studyInstanceUid, seriesInstanceUids, instances } = request;
  if (instances !== undefined) {
    const bySeries = Map.groupBy(instances, (instance) => instance.seriesInstanceUid);
    for (const inSeries of bySeries.values()) {
      for (const part of partsOf(inSeries)) yield instancesQuery(studyInstanceUid, part);
    }
    return;
  }
  const study = textElement(tags.StudyInstanceUID, studyInstanceUid);
  if (seriesInstanceUids === undefined) {
    yield { identifier: dataSetOf([textElement(tags.QueryRetrieveLevel, "STUDY"), study]), instances: [] };
    return;
  }
  for (const part of partsOf(seriesInstanceUids)) {
    const series = textElement(tags.SeriesInstanceUID, part.join("\\"));
    yield { identifier: dataSetOf([textElement(tags.QueryRetrieveLevel, "SERIES"), study, series]), instances: [] };
  }
}

/** Instances of one series, by UID. */
export function instancesQuery(study: StudyInstanceUid, instances: readonly ListedInstance[]): RetrieveQuery {
  const identifier = dataSetOf([
    textElement(tags.QueryRetrieveLevel, "IMAGE"),
    textElement(tags.StudyInstanceUID, study),
    textElement(tags.SeriesInstanceUID, instances[0]?.seriesInstanceUid ?? ""),
    textElement(tags.SOPInstanceUID, instances.map((instance) => instance.sopInstanceUid).join("\\")),
  ]);
  return { identifier, instances };
}

function* partsOf<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < list.length; start += UIDS_FOR_EACH_REQUEST) {
    yield list.slice(start, start + UIDS_FOR_EACH_REQUEST);
  }
}

/** The answer as a match, or undefined when it is not exactly what was asked for: archives do answer loosely. */
export function exactMatch(query: StudyQuery, answer: DataSet): StudyMatch | undefined {
  const uid = trimUid(textOf(answer, tags.StudyInstanceUID) ?? "");
  if (!isFieldUid(uid)) return undefined;
  const patientId = (textOf(answer, tags.PatientID) ?? "").trim();
  const accessionNumber = (textOf(answer, tags.AccessionNumber) ?? "").trim();
  const exact =
    query.by === "study-uid"
      ? uid === query.studyInstanceUid
      : accessionNumber === query.accessionNumber && (query.patientId === undefined || patientId === query.patientId);
  return exact ? { studyInstanceUid: uid as StudyInstanceUid, patientId, accessionNumber } : undefined;
}

export interface ListedSeries {
  readonly seriesInstanceUid: SeriesInstanceUid;
  /** Optional in answers: often absent. PS3.4 table C.6-3. */
  readonly instances: number | undefined;
}

export function listedSeries(study: StudyInstanceUid, answer: DataSet): ListedSeries | undefined {
  if (!isOfStudy(study, answer)) return undefined;
  const series = trimUid(textOf(answer, tags.SeriesInstanceUID) ?? "");
  if (!isFieldUid(series)) return undefined;
  return {
    seriesInstanceUid: series as SeriesInstanceUid,
    instances: numberOf(answer, tags.NumberOfSeriesRelatedInstances),
  };
}

export function listedInstance(
  study: StudyInstanceUid,
  series: SeriesInstanceUid,
  answer: DataSet,
): ListedInstance | undefined {
  if (!isOfStudy(study, answer)) return undefined;
  const instance = trimUid(textOf(answer, tags.SOPInstanceUID) ?? "");
  const answeredSeries = trimUid(textOf(answer, tags.SeriesInstanceUID) ?? series);
  if (!isFieldUid(instance) || answeredSeries !== series) return undefined;
  return {
    seriesInstanceUid: series,
    sopInstanceUid: instance as SopInstanceUid,
    sopClassUid: uidOf(answer, tags.SOPClassUID),
  };
}

/** Keys of upper levels are mandatory in answers, but not every archive returns them; a wrong one is never accepted. */
function isOfStudy(study: StudyInstanceUid, answer: DataSet): boolean {
  const uid = textOf(answer, tags.StudyInstanceUID);
  return uid === undefined || trimUid(uid) === "" || trimUid(uid) === study;
}
