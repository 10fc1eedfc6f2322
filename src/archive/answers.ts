import type { DataSet } from "../dicom/data-set.ts";
import { tags } from "../dicom/dictionary/tags.ts";
import type { Tag } from "../dicom/tag.ts";
import {
  isFieldUid,
  type SeriesInstanceUid,
  type SopInstanceUid,
  type StudyInstanceUid,
  trimUid,
} from "../dicom/uid.ts";
import { numberOf, textOf, uidOf } from "../dicom/values.ts";
import type { ListedInstance, StudyDescribed, StudyMatch, StudyQuery } from "./archive.ts";

/** DA. PS3.5 6.2. */
const DATE = /^[0-9]{8}$/;

/** What a study says of itself: the first two every archive returns, the last if it likes. PS3.4 table C.6-5. */
export const DESCRIPTIVE_KEYS = [tags.StudyDate, tags.StudyTime, tags.StudyDescription] as const;

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
  if (!exact) return undefined;
  const match = { studyInstanceUid: uid as StudyInstanceUid, patientId, accessionNumber };
  return query.by === "accession-number" && query.described === true
    ? { ...match, described: describedIn(answer) }
    : match;
}

function describedIn(answer: DataSet): StudyDescribed {
  const read = (tag: Tag): string => textOf(answer, tag)?.trim() ?? "";
  const studyDate = read(tags.StudyDate);
  return {
    studyDate: DATE.test(studyDate) ? studyDate : "",
    studyTime: read(tags.StudyTime),
    studyDescription: read(tags.StudyDescription),
  };
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

/** @param series the one that was asked for; undefined: the answer must name it */
export function listedInstance(
  study: StudyInstanceUid,
  series: SeriesInstanceUid | undefined,
  answer: DataSet,
): ListedInstance | undefined {
  if (!isOfStudy(study, answer)) return undefined;
  const instance = trimUid(textOf(answer, tags.SOPInstanceUID) ?? "");
  const answeredSeries = trimUid(textOf(answer, tags.SeriesInstanceUID) ?? series ?? "");
  if (!isFieldUid(instance) || !isFieldUid(answeredSeries)) return undefined;
  if (series !== undefined && answeredSeries !== series) return undefined;
  return {
    seriesInstanceUid: answeredSeries as SeriesInstanceUid,
    sopInstanceUid: instance as SopInstanceUid,
    sopClassUid: uidOf(answer, tags.SOPClassUID),
  };
}

/** Whether it tells of an instance of the study, and of this series, under a name by which nothing can be asked for: it is there all the same. */
export function isUnnamedInstance(
  study: StudyInstanceUid,
  series: SeriesInstanceUid | undefined,
  answer: DataSet,
): boolean {
  if (!isOfStudy(study, answer)) return false;
  const answeredSeries = trimUid(textOf(answer, tags.SeriesInstanceUID) ?? "");
  const isOfSeries = series === undefined || answeredSeries === "" || answeredSeries === series;
  return isOfSeries && isNoUid(textOf(answer, tags.SOPInstanceUID));
}

/** Of how many instances it tells, being a series of the study under such a name: one at least. */
export function unnamedInSeries(study: StudyInstanceUid, answer: DataSet): number {
  if (!isOfStudy(study, answer) || !isNoUid(textOf(answer, tags.SeriesInstanceUID))) return 0;
  return Math.max(numberOf(answer, tags.NumberOfSeriesRelatedInstances) ?? 1, 1);
}

/** Of how many instances of a series nobody gives the name: of all that are counted, where none is told of at all. */
export function unlistedInSeries(
  { instances: counted = 0 }: ListedSeries,
  told: { readonly named: number; readonly unnamed: number },
): number {
  return told.named + told.unnamed === 0 ? Math.max(counted, 0) : told.unnamed;
}

/** What is absent names nothing; archives answer so, too, when there is nothing. */
function isNoUid(text: string | undefined): boolean {
  const uid = trimUid(text ?? "");
  return uid !== "" && !isFieldUid(uid);
}

/** Keys of upper levels are mandatory in answers, but not every archive returns them; a wrong one is never accepted. */
function isOfStudy(study: StudyInstanceUid, answer: DataSet): boolean {
  const uid = textOf(answer, tags.StudyInstanceUID);
  return uid === undefined || trimUid(uid) === "" || trimUid(uid) === study;
}
