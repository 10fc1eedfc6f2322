import { identifierFromKeys } from "../../archive/find-keys.ts";
import { PatternError } from "../../deid/profiles/linear-pattern.ts";
import { isPatternText, type Pattern, patternOf } from "../../deid/profiles/pattern.ts";
import type { DataSet } from "../../dicom/data-set.ts";
import { tagOfKeyword } from "../../dicom/dictionary/dictionary.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { trimUid } from "../../dicom/uid.ts";
import { numberOf, textOf, textsOf } from "../../dicom/values.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { SearchQuery } from "./documents.ts";
import { type DateWindow, dateOf, dayOf } from "./windows.ts";

/** A query as it is asked of an archive. */
export interface Question {
  /** It has no key that leaves a study out. */
  readonly asksForAll: boolean;
  readonly isDated: boolean;
  /** Which each study has to have one of, where that can be looked at. */
  readonly modalities: readonly string[] | undefined;
  identifier(window: DateWindow | undefined): DataSet;
  /** A line of the cohort, or undefined for what was not asked for: archives answer loosely. */
  rowOf(answer: DataSet): readonly string[] | undefined;
}

export const FOUND_COLUMNS = [
  "study_instance_uid",
  "accession_number",
  "patient_id",
  "study_date",
  "modalities",
  "study_description",
  "instances",
] as const;

/** PS3.4 C.2.2.2.4; only these leave nothing out. */
const ONLY_WILDCARDS = /^[*?\s]*$/;
const WILDCARD = /[*?]/;
/** No value of these attributes may be longer; what an archive answers beyond it is no study to be kept. */
const MAXIMUM_CELL_CHARACTERS = 1_024;

/** @throws GatewayError SEARCH_QUERY_INVALID, QUERY_KEY_UNKNOWN, QUERY_KEY_MALFORMED; none repeats a value */
export function questionOf(query: SearchQuery, number: number): Question {
  const { from, to, modality, description } = query;
  const invalid = (problem: string, cause?: unknown): GatewayError =>
    new GatewayError("SEARCH_QUERY_INVALID", { query: number, problem }, cause);
  for (const [name, date] of Object.entries({ from, to }))
    if (date !== undefined && dayOf(date) === undefined)
      throw invalid(`${name} is no day such as 2026-01-31 or 20260131`);
  if (from !== undefined && to !== undefined && from > to) throw invalid("from is later than to");
  const isDated = from !== undefined || to !== undefined;
  const given = new Set(query.keys.map((key) => key.split("=", 1)[0]));
  if (given.has("StudyDate")) throw invalid("dates are given by from and to, so that they can be divided");
  let pattern: Pattern | undefined;
  try {
    pattern = description !== undefined && isPatternText(description) ? patternOf(description, "anywhere") : undefined;
  } catch (thrown) {
    if (!(thrown instanceof PatternError)) throw thrown;
    throw invalid(thrown.message, thrown);
  }
  const keys = [
    ...query.keys,
    // CS has no small letters (PS3.5 6.2), but people type them: some archives would find nothing, and of the others no answer would be kept.
    ...(modality === undefined ? [] : [`ModalitiesInStudy=${modality.toUpperCase()}`]),
    ...(description === undefined || pattern !== undefined ? [] : [`StudyDescription=${description}`]),
  ];
  identifierFromKeys("STUDY", keys);
  const limiting = limitingKeys(keys);
  const exact = exactKeys(limiting);
  return {
    asksForAll: limiting.length === 0 && !isDated,
    isDated,
    modalities: exact.get("ModalitiesInStudy"),
    identifier(window) {
      const open = isDated ? [`StudyDate=${from ?? ""}-${to ?? ""}`] : [];
      const dates = window === undefined ? open : [`StudyDate=${dateOf(window.first)}-${dateOf(window.last)}`];
      return identifierFromKeys("STUDY", [...keys, ...dates]);
    },
    rowOf: (answer) => rowOf(answer, { exact, pattern, from, to }),
  };
}

/** Those of `Keyword=value` keys that leave something out. */
export function limitingKeys(keys: readonly string[]): readonly string[] {
  return keys.filter((key) => key.includes("=") && !ONLY_WILDCARDS.test(key.slice(key.indexOf("=") + 1)));
}

/** Keys whose answers are looked at again. */
const LOOKED_AT = ["PatientID", "AccessionNumber", "ModalitiesInStudy", "StudyInstanceUID"] as const;

function exactKeys(keys: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const pairs = keys.map((key): [string, string] => [key.slice(0, key.indexOf("=")), key.slice(key.indexOf("=") + 1)]);
  const wanted = pairs.filter(([keyword, value]) => LOOKED_AT.some((one) => one === keyword) && !WILDCARD.test(value));
  return new Map(wanted.map(([keyword, value]) => [keyword, value.split("\\").map((one) => one.trim())]));
}

function rowOf(
  answer: DataSet,
  of: Pick<SearchQuery, "from" | "to"> & {
    readonly exact: ReadonlyMap<string, readonly string[]>;
    readonly pattern: Pattern | undefined;
  },
): readonly string[] | undefined {
  const read = (tag: Parameters<typeof textOf>[1]): string => (textOf(answer, tag) ?? "").trim();
  const uid = trimUid(textOf(answer, tags.StudyInstanceUID) ?? "");
  const description = read(tags.StudyDescription);
  const date = read(tags.StudyDate);
  const modalities = textsOf(answer, tags.ModalitiesInStudy).map((one) => one.trim());
  if (uid === "" || of.pattern?.test(description) === false) return undefined;
  if (date !== "" && ((of.from ?? date) > date || (of.to ?? date) < date)) return undefined;
  for (const [keyword, wanted] of of.exact) {
    const tag = tagOfKeyword(keyword);
    const has = tag === undefined ? [] : textsOf(answer, tag).map((one) => trimUid(one).trim());
    // What an archive does not return it may have matched all the same.
    const isTold = has.some((one) => one !== "");
    if (isTold && !has.some((one) => wanted.includes(one))) return undefined;
  }
  const instances = numberOf(answer, tags.NumberOfStudyRelatedInstances);
  const cells = [uid, read(tags.AccessionNumber), read(tags.PatientID), date, modalities.join("/"), description];
  if (cells.some((cell) => cell.length > MAXIMUM_CELL_CHARACTERS)) return undefined;
  return [...cells, `${instances ?? ""}`];
}
