import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { isPrivate, type Tag } from "../../dicom/tag.ts";
import { isFieldUid, type SeriesInstanceUid, type StudyInstanceUid } from "../../dicom/uid.ts";
import { textOf, textsOf } from "../../dicom/values.ts";
import type { QueryLevel } from "./resource.ts";
import type { Search } from "./search.ts";

/** A C-FIND identifier as a search: keys with a value are matched on, empty ones returned; one study or series named is looked within. */
export function searchOf(identifier: DataSet, maximumAnswers: number): Search {
  const level = levelOf(identifier);
  const studyInstanceUid = level === "STUDY" ? undefined : oneUid(identifier, tags.StudyInstanceUID);
  const isWithinSeries = level === "IMAGE" && studyInstanceUid !== undefined;
  const seriesInstanceUid = isWithinSeries ? oneUid(identifier, tags.SeriesInstanceUID) : undefined;
  const scope = {
    level,
    studyInstanceUid: studyInstanceUid as StudyInstanceUid | undefined,
    seriesInstanceUid: seriesInstanceUid as SeriesInstanceUid | undefined,
  };
  const saidByPath = new Set<Tag>([tags.QueryRetrieveLevel, tags.SpecificCharacterSet]);
  if (studyInstanceUid !== undefined) saidByPath.add(tags.StudyInstanceUID);
  if (seriesInstanceUid !== undefined) saidByPath.add(tags.SeriesInstanceUID);
  const keys = [...identifier.keys()]
    .filter((tag) => !saidByPath.has(tag) && !isPrivate(tag))
    .map((tag) => [tag, textsOf(identifier, tag).join(",")] as const);
  return {
    ...scope,
    matching: keys.filter(([, value]) => value !== ""),
    including: keys.filter(([, value]) => value === "").map(([tag]) => tag),
    maximumAnswers,
  };
}

function levelOf(identifier: DataSet): QueryLevel {
  const level = textOf(identifier, tags.QueryRetrieveLevel);
  return level === "SERIES" || level === "IMAGE" ? level : "STUDY";
}

function oneUid(identifier: DataSet, tag: Tag): string | undefined {
  const [uid = "", ...others] = textsOf(identifier, tag);
  return others.length === 0 && isFieldUid(uid) ? uid : undefined;
}
