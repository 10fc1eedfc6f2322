import type { DataSet } from "../dicom/data-set.ts";
import { tags } from "../dicom/dictionary/tags.ts";
import type { Tag } from "../dicom/tag.ts";
import type { StudyInstanceUid } from "../dicom/uid.ts";
import { dataSetOfTexts, numberOf, textOf } from "../dicom/values.ts";
import { toGatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import { listedSeries } from "./answers.ts";
import type { Archive } from "./archive.ts";

/** How much an archive says a study is, without a name of any of it. */
export interface StudyContents {
  /** Undefined: it would not say. */
  readonly series: number | undefined;
  readonly instances: number | undefined;
  /** Instances by modality, as far as it is known which are of which. */
  readonly byModality: ReadonlyMap<string, number>;
}

/** CS. PS3.5 6.2. */
const MODALITY = /^[A-Z0-9_ ]{1,16}$/;
/** A study of more series than this is no study. */
const MAXIMUM_SERIES = 10_000;
/** An archive that does not answer a question of this kind: a coarser one, or a finer one, is asked. */
const NO_ANSWER: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "DIMSE_FAILED",
  "FIND_LIMIT_REACHED",
  "HTTP_FORBIDDEN",
  "HTTP_REFUSED",
  "ARCHIVE_REFUSED_REQUEST",
]);

interface CountedSeries {
  readonly modality: string;
  readonly instances: number | undefined;
}

/**
 * The series with their counts; where these are not given, the count of the study; where that is not either, its instances one by one.
 * PS3.4 tables C.6-3, C.6-5.
 * @param only the wanted series; undefined: the whole study
 */
export async function contentsOf(
  archive: Pick<Archive, "find" | "listStudy">,
  study: StudyInstanceUid,
  only: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<StudyContents> {
  const found = await seriesOf(archive, study, signal);
  const wanted = only === undefined ? found : new Map([...found].filter(([uid]) => only.includes(uid)));
  const counted = countedOf(wanted);
  if (counted !== undefined) return counted;
  const count = only === undefined ? await countOf(archive, study, signal) : undefined;
  if (count !== undefined)
    return { series: wanted.size || undefined, instances: count, byModality: sole(wanted, count) };
  return await listed(archive, { study, only, found }, signal);
}

async function seriesOf(
  archive: Pick<Archive, "find">,
  study: StudyInstanceUid,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, CountedSeries>> {
  const keys = [tags.SeriesInstanceUID, tags.Modality, tags.NumberOfSeriesRelatedInstances];
  const series = new Map<string, CountedSeries>();
  for (const answer of await answersTo(archive, identifier("SERIES", study, keys), MAXIMUM_SERIES, signal)) {
    const each = listedSeries(study, answer);
    const modality = textOf(answer, tags.Modality)?.trim() ?? "";
    if (each === undefined) continue;
    const { seriesInstanceUid, instances } = each;
    series.set(seriesInstanceUid, { modality: MODALITY.test(modality) ? modality : "", instances });
  }
  return series;
}

async function countOf(
  archive: Pick<Archive, "find">,
  study: StudyInstanceUid,
  signal: AbortSignal,
): Promise<number | undefined> {
  const question = identifier("STUDY", study, [tags.NumberOfStudyRelatedInstances]);
  const [answer] = await answersTo(archive, question, 1, signal);
  const count = answer && numberOf(answer, tags.NumberOfStudyRelatedInstances);
  return count === undefined || count <= 0 ? undefined : count;
}

function identifier(level: "STUDY" | "SERIES", study: StudyInstanceUid, returned: readonly Tag[]): DataSet {
  const asked = returned.map((tag): [Tag, string] => [tag, ""]);
  return dataSetOfTexts([[tags.QueryRetrieveLevel, level], [tags.StudyInstanceUID, study], ...asked]);
}

/** None where the question is not answered. */
async function answersTo(
  archive: Pick<Archive, "find">,
  question: DataSet,
  maximumAnswers: number,
  signal: AbortSignal,
): Promise<readonly DataSet[]> {
  try {
    return await Array.fromAsync(archive.find(question, maximumAnswers, signal));
  } catch (thrown) {
    if (NO_ANSWER.has(toGatewayError(thrown).code)) return [];
    throw thrown;
  }
}

/** Undefined unless every series has its count. */
function countedOf(series: ReadonlyMap<string, CountedSeries>): StudyContents | undefined {
  if (series.size === 0) return undefined;
  const byModality = new Map<string, number>();
  for (const { modality, instances } of series.values()) {
    if (instances === undefined) return undefined;
    byModality.set(modality, (byModality.get(modality) ?? 0) + instances);
  }
  return { series: series.size, instances: sumOf(byModality), byModality };
}

/** Of a study of one modality it is known which its instances are of. */
function sole(series: ReadonlyMap<string, CountedSeries>, count: number): ReadonlyMap<string, number> {
  const modalities = new Set([...series.values()].map(({ modality }) => modality));
  const [only = ""] = modalities;
  return new Map([[modalities.size === 1 ? only : "", count]]);
}

async function listed(
  archive: Pick<Archive, "listStudy">,
  of: {
    readonly study: StudyInstanceUid;
    readonly only: readonly string[] | undefined;
    readonly found: ReadonlyMap<string, CountedSeries>;
  },
  signal: AbortSignal,
): Promise<StudyContents> {
  const listing = await archive.listStudy(of.study, signal);
  const byModality = new Map<string, number>();
  if (listing.kind === "count" && of.only === undefined)
    return { series: undefined, instances: listing.count, byModality: new Map([["", listing.count]]) };
  if (listing.kind !== "instances") return { series: undefined, instances: undefined, byModality };
  const series = new Set<string>();
  for (const { seriesInstanceUid } of listing.instances) {
    if (of.only?.includes(seriesInstanceUid) === false) continue;
    series.add(seriesInstanceUid);
    const modality = of.found.get(seriesInstanceUid)?.modality ?? "";
    byModality.set(modality, (byModality.get(modality) ?? 0) + 1);
  }
  return { series: series.size, instances: sumOf(byModality), byModality };
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
