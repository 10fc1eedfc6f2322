import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import type { SopInstanceUid, StudyInstanceUid } from "../../dicom/uid.ts";
import { numberOf, uidOf } from "../../dicom/values.ts";
import { toGatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import type { Association } from "../../network/dimse/service-types.ts";
import {
  exactMatch,
  isUnnamedInstance,
  type ListedSeries,
  listedInstance,
  listedSeries,
  unlistedInSeries,
  unnamedInSeries,
} from "../answers.ts";
import type { ListedInstance, StudyListing, StudyMatch, StudyQuery } from "../archive.ts";
import {
  anyStudyIdentifier,
  imageIdentifier,
  seriesIdentifier,
  studyCountIdentifier,
  studyIdentifier,
} from "./identifiers.ts";

/** An archive that lists more than this for one question is asked the wrong question, or lies. */
const MAXIMUM_STUDIES = 1_000;
const MAXIMUM_SERIES = 10_000;
const MAXIMUM_INSTANCES_OF_SERIES = 100_000;

/** What is searched: an association, or somebody with one of his own. */
export type Searched = Pick<Association, "find">;

/** The others are cancelled. */
async function firstAnswer(
  association: Searched,
  identifier: DataSet,
  signal: AbortSignal,
): Promise<DataSet | undefined> {
  for await (const answer of association.find({ model: "study-root", identifier }, signal)) return answer;
  return undefined;
}

/** One instance of whatever the archive lists first; undefined when it lists none. */
export async function findAnyInstance(
  association: Searched,
  signal: AbortSignal,
): Promise<{ readonly study: StudyInstanceUid; readonly instance: ListedInstance } | undefined> {
  const first = (identifier: DataSet) => firstAnswer(association, identifier, signal);
  const study = uidOf((await first(anyStudyIdentifier())) ?? new Map(), tags.StudyInstanceUID) as
    | StudyInstanceUid
    | undefined;
  if (study === undefined) return undefined;
  const series = listedSeries(study, (await first(seriesIdentifier(study))) ?? new Map());
  if (series === undefined) return undefined;
  const answer = (await first(imageIdentifier(study, series.seriesInstanceUid))) ?? new Map();
  const instance = listedInstance(study, series.seriesInstanceUid, answer);
  return instance === undefined ? undefined : { study, instance };
}

/** Exact matches only. @throws GatewayError FIND_LIMIT_REACHED: among the answers not given there may be another match */
export async function findStudies(
  association: Searched,
  query: StudyQuery,
  signal: AbortSignal,
): Promise<readonly StudyMatch[]> {
  const matches = new Map<StudyInstanceUid, StudyMatch>();
  const request = { model: "study-root", identifier: studyIdentifier(query), maximumAnswers: MAXIMUM_STUDIES } as const;
  for await (const answer of association.find(request, signal)) {
    const match = exactMatch(query, answer);
    if (match !== undefined) matches.set(match.studyInstanceUid, match);
  }
  return [...matches.values()];
}

/** A listing that cannot be had, or not whole: half of one would pass for the whole study. */
const NO_LISTING: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["DIMSE_FAILED", "FIND_LIMIT_REACHED"]);

/** UIDs at image level; where the archive refuses that, or cuts the list short, its counts; where it has none, `unknown`. */
export async function listStudy(
  association: Searched,
  study: StudyInstanceUid,
  signal: AbortSignal,
): Promise<StudyListing> {
  try {
    const all = new Map<SopInstanceUid, ListedInstance>();
    const { named, unnamed } = await listSeries(association, study, signal);
    let unlisted = unnamed;
    for (const series of named) {
      const ofSeries = await listInstances(association, study, series, signal);
      for (const instance of ofSeries.instances) all.set(instance.sopInstanceUid, instance);
      unlisted += ofSeries.unlisted;
    }
    if (all.size > 0) return { kind: "instances", instances: [...all.values()], ...(unlisted > 0 && { unlisted }) };
  } catch (thrown) {
    if (!NO_LISTING.has(toGatewayError(thrown).code)) throw thrown;
  }
  return await countStudy(association, study, signal);
}

async function listInstances(
  association: Searched,
  study: StudyInstanceUid,
  series: ListedSeries,
  signal: AbortSignal,
): Promise<{ readonly instances: readonly ListedInstance[]; readonly unlisted: number }> {
  const { seriesInstanceUid } = series;
  const instances: ListedInstance[] = [];
  let unnamed = 0;
  const identifier = imageIdentifier(study, seriesInstanceUid);
  const request = { model: "study-root", identifier, maximumAnswers: MAXIMUM_INSTANCES_OF_SERIES } as const;
  for await (const answer of association.find(request, signal)) {
    const instance = listedInstance(study, seriesInstanceUid, answer);
    if (instance !== undefined) instances.push(instance);
    else if (isUnnamedInstance(study, seriesInstanceUid, answer)) unnamed += 1;
  }
  return { instances, unlisted: unlistedInSeries(series, { named: instances.length, unnamed }) };
}

async function listSeries(
  association: Searched,
  study: StudyInstanceUid,
  signal: AbortSignal,
): Promise<{ readonly named: readonly ListedSeries[]; readonly unnamed: number }> {
  const named: ListedSeries[] = [];
  let unnamed = 0;
  const request = { model: "study-root", identifier: seriesIdentifier(study), maximumAnswers: MAXIMUM_SERIES } as const;
  for await (const answer of association.find(request, signal)) {
    const series = listedSeries(study, answer);
    if (series !== undefined) named.push(series);
    unnamed += unnamedInSeries(study, answer);
  }
  return { named, unnamed };
}

async function countStudy(association: Searched, study: StudyInstanceUid, signal: AbortSignal): Promise<StudyListing> {
  try {
    const answer = await firstAnswer(association, studyCountIdentifier(study), signal);
    const count = answer && numberOf(answer, tags.NumberOfStudyRelatedInstances);
    if (count !== undefined && count > 0) return { kind: "count", count };
  } catch (thrown) {
    if (!NO_LISTING.has(toGatewayError(thrown).code)) throw thrown;
  }
  return { kind: "unknown" };
}
