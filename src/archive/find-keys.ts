import type { DataSet } from "../dicom/data-set.ts";
import { tagOfKeyword } from "../dicom/dictionary/dictionary.ts";
import { tags } from "../dicom/dictionary/tags.ts";
import type { Tag } from "../dicom/tag.ts";
import { dataSetOfTexts } from "../dicom/values.ts";
import { GatewayError } from "../errors/gateway-error.ts";

const KEY = /^(?<keyword>[A-Za-z][A-Za-z0-9]*)(?:=(?<value>.*))?$/s;

/** What a person sees of a match unless they ask for more, by level. PS3.4 tables C.6-1, C.6-5, C.6-3, C.6-4. */
const RETURN_KEYS = {
  PATIENT: ["PatientID", "PatientName", "PatientBirthDate", "PatientSex", "NumberOfPatientRelatedStudies"],
  STUDY: [
    "StudyInstanceUID",
    "PatientID",
    "PatientName",
    "AccessionNumber",
    "StudyDate",
    "StudyDescription",
    "ModalitiesInStudy",
    "NumberOfStudyRelatedInstances",
  ],
  SERIES: [
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "Modality",
    "SeriesNumber",
    "SeriesDescription",
    "NumberOfSeriesRelatedInstances",
  ],
  IMAGE: ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "InstanceNumber"],
} as const;

/**
 * A C-FIND identifier from `Keyword=value` texts; `Keyword` alone asks for the attribute to be returned.
 * @throws GatewayError QUERY_KEY_UNKNOWN, QUERY_KEY_MALFORMED; details hold the key's position, never its value
 */
export function identifierFromKeys(level: keyof typeof RETURN_KEYS, keys: readonly string[]): DataSet {
  const values = new Map<string, string>(RETURN_KEYS[level].map((keyword) => [keyword, ""]));
  for (const [index, key] of keys.entries()) {
    const { keyword, value } = KEY.exec(key)?.groups ?? {};
    if (keyword === undefined) throw new GatewayError("QUERY_KEY_MALFORMED", { position: index + 1 });
    values.set(keyword, value ?? "");
  }
  const texts = [...values].map(([keyword, value]): [Tag, string] => {
    const tag = tagOfKeyword(keyword);
    if (tag === undefined) throw new GatewayError("QUERY_KEY_UNKNOWN", { keyword });
    return [tag, value];
  });
  return dataSetOfTexts([[tags.QueryRetrieveLevel, level], ...texts]);
}
