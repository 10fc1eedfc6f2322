import type { Archive } from "../../archive/archive.ts";
import { identifierFromKeys } from "../../archive/find-keys.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { textOf } from "../../dicom/values.ts";
import { FOUND_COLUMNS } from "./question.ts";

/** Of one study. */
const MAXIMUM_SERIES = 10_000;
const STUDY = FOUND_COLUMNS.indexOf("study_instance_uid");
const MODALITIES = FOUND_COLUMNS.indexOf("modalities");

/** A row that came for a modality without saying of which it is: an archive need not know Modalities in Study (PS3.4 C.6.2.1.2). */
export function isUnsure(row: readonly string[], wanted: readonly string[] | undefined): boolean {
  return wanted !== undefined && row[MODALITIES] === "";
}

/**
 * Asks for the study's series, which every archive tells the modality of (PS3.4 C.6.2.1.3).
 * @returns the row with its modalities; undefined: it has none of those wanted; the row as it was: nothing is told of its series either
 */
export async function confirmModality(
  archive: Archive,
  row: readonly string[],
  wanted: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  const identifier = identifierFromKeys("SERIES", [`StudyInstanceUID=${row[STUDY]}`, "SeriesInstanceUID", "Modality"]);
  const modalities = new Set<string>();
  for await (const answer of archive.find(identifier, MAXIMUM_SERIES, signal)) {
    const modality = (textOf(answer, tags.Modality) ?? "").trim();
    if (modality !== "") modalities.add(modality);
  }
  if (modalities.size === 0) return row;
  return wanted.some((one) => modalities.has(one)) ? row.with(MODALITIES, [...modalities].sort().join("/")) : undefined;
}
