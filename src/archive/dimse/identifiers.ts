import type { DataElement, DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import type { SeriesInstanceUid, StudyInstanceUid } from "../../dicom/uid.ts";
import { dataSetOf, textElement } from "../../dicom/values.ts";
import { DESCRIPTIVE_KEYS } from "../answers.ts";
import type { ListedInstance, RetrieveRequest, StudyQuery } from "../archive.ts";

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
    ...universal(tags.StudyInstanceUID, ...(query.described === true ? DESCRIPTIVE_KEYS : [])),
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
