import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import type { Tag } from "../../dicom/tag.ts";
import type { SeriesInstanceUid, SopInstanceUid, StudyInstanceUid } from "../../dicom/uid.ts";
import { numberOf, textOf } from "../../dicom/values.ts";
import { toGatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { retrieveDicomWeb } from "../../network/dicomweb/retrieve.ts";
import { type Search, searchDicomWeb } from "../../network/dicomweb/search.ts";
import { searchOf } from "../../network/dicomweb/search-of-identifier.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import { abortAfter } from "../../units/abort.ts";
import {
  DESCRIPTIVE_KEYS,
  exactMatch,
  isUnnamedInstance,
  listedInstance,
  listedSeries,
  unlistedInSeries,
  unnamedInSeries,
} from "../answers.ts";
import type {
  Archive,
  ListedInstance,
  Rehearsal,
  RetrieveOutcome,
  RetrieveRequest,
  StudyListing,
  StudyMatch,
  StudyQuery,
} from "../archive.ts";
import { type PullWay, pullIntoStaging } from "../http/pull.ts";
import type { InstanceTaker } from "../http/staging-store.ts";

export interface DicomWebArchiveOptions {
  readonly name: string;
  /** Closed with the archive. */
  readonly client: HttpClient;
  /** Requests at once. */
  readonly associations: number;
  readonly taker: InstanceTaker;
}

/** An archive that lists more than this for one question is asked the wrong question, or lies. */
const MAXIMUM_STUDIES = 1_000;
const MAXIMUM_INSTANCES = 1_000_000;
/** Of all that a study is asked about at once: who answers a little now and then, and never to the end, is not listened to for longer. */
const LONGEST_SEARCH_MS = 6 * 3_600_000;
/** A listing that cannot be had: half of one would pass for the whole study. */
const NO_LISTING: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["FIND_LIMIT_REACHED", "HTTP_FORBIDDEN", "HTTP_REFUSED"]);

/** QIDO-RS and WADO-RS. PS3.18 10.4, 10.6. */
export function createDicomWebArchive({ name, client, associations, taker }: DicomWebArchiveOptions): Archive {
  const search = (request: Search, signal: AbortSignal) => searchDicomWeb(client, request, signal);
  return {
    name,
    kind: "dicomweb",
    capabilities: { search: "itself", retrieves: "instance", connects: "us" },
    associations,
    async echo(signal) {
      await firstOf(search({ level: "STUDY", matching: [], including: [], maximumAnswers: 1, pageSize: 1 }, signal));
    },
    findStudies: (query, signal) => inTime(signal, (limited) => findStudies(search, query, limited)),
    find: (identifier, maximumAnswers, signal) => search(searchOf(identifier, maximumAnswers), signal),
    listStudy: (study, signal) => inTime(signal, (limited) => listStudy(search, study, limited)),
    retrieve: (request, signal) => retrieve({ client, associations, taker, search }, request, signal),
    rehearseRetrieval: (signal) => rehearse(search, client, signal),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

async function inTime<T>(signal: AbortSignal, ask: (limited: AbortSignal) => Promise<T>): Promise<T> {
  using limited = abortAfter(LONGEST_SEARCH_MS, signal);
  return await ask(limited);
}

/** Some servers give no more than an instance, or a series, at a time, or fail over a large study. */
const ASKS_TOO_MUCH: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "HTTP_CONTENT_UNEXPECTED",
  "HTTP_HEADERS_TIMED_OUT",
  "HTTP_NOT_FOUND",
  "HTTP_REFUSED",
  "HTTP_SERVER_FAILED",
]);

interface Retriever extends Pick<DicomWebArchiveOptions, "client" | "associations" | "taker"> {
  readonly search: Ask;
}

/** By study or series; instance by instance where the server does not give these. */
async function retrieve(
  { client, associations, taker, search }: Retriever,
  request: RetrieveRequest,
  signal: AbortSignal,
): Promise<RetrieveOutcome> {
  const way: PullWay = { parallel: associations, source: (pull, each) => retrieveDicomWeb(client, pull, {}, each) };
  try {
    return await pullIntoStaging(request, taker, way, signal);
  } catch (thrown) {
    if (request.instances !== undefined || !ASKS_TOO_MUCH.has(toGatewayError(thrown).code)) throw thrown;
    const listing = await listStudy(search, request.studyInstanceUid, signal);
    if (listing.kind !== "instances") throw thrown;
    const series = request.seriesInstanceUids && new Set(request.seriesInstanceUids);
    const instances = listing.instances.filter(({ seriesInstanceUid }) => series?.has(seriesInstanceUid) ?? true);
    if (instances.length === 0) throw thrown;
    return await pullIntoStaging({ ...request, instances }, taker, way, signal);
  }
}

type Ask = (request: Search, signal: AbortSignal) => AsyncIterable<DataSet>;

async function firstOf(answers: AsyncIterable<DataSet>): Promise<DataSet | undefined> {
  for await (const answer of answers) return answer;
  return undefined;
}

async function findStudies(ask: Ask, query: StudyQuery, signal: AbortSignal): Promise<readonly StudyMatch[]> {
  const matching: (readonly [Tag, string])[] =
    query.by === "study-uid"
      ? [[tags.StudyInstanceUID, query.studyInstanceUid]]
      : [[tags.AccessionNumber, query.accessionNumber]];
  if (query.by === "accession-number" && query.patientId !== undefined)
    matching.push([tags.PatientID, query.patientId]);
  const isDescribed = query.by === "accession-number" && query.described === true;
  const including = [tags.PatientID, tags.AccessionNumber, ...(isDescribed ? DESCRIPTIVE_KEYS : [])];
  const matches = new Map<StudyInstanceUid, StudyMatch>();
  for await (const answer of ask({ level: "STUDY", matching, including, maximumAnswers: MAXIMUM_STUDIES }, signal)) {
    const match = exactMatch(query, answer);
    if (match !== undefined) matches.set(match.studyInstanceUid, match);
  }
  return [...matches.values()];
}

/**
 * UIDs at instance level, of the study at once or of each of its series; where the server refuses both, or cuts the lists short, its count;
 * where it has none, `unknown`.
 */
async function listStudy(ask: Ask, study: StudyInstanceUid, signal: AbortSignal): Promise<StudyListing> {
  for (const list of [instancesOf, instancesBySeries]) {
    const { instances, unlisted } = await list(ask, study, signal).catch(withoutListing);
    if (instances.length > 0) return { kind: "instances", instances, ...(unlisted > 0 && { unlisted }) };
  }
  return await countStudy(ask, study, signal);
}

interface Listed {
  readonly instances: readonly ListedInstance[];
  /** As in `StudyListing`. */
  readonly unlisted: number;
}

function withoutListing(thrown: unknown): Listed {
  if (NO_LISTING.has(toGatewayError(thrown).code)) return { instances: [], unlisted: 0 };
  throw thrown;
}

async function instancesBySeries(ask: Ask, study: StudyInstanceUid, signal: AbortSignal): Promise<Listed> {
  const within = { level: "SERIES", studyInstanceUid: study, matching: [], including: [] } as const;
  const instances: ListedInstance[] = [];
  let unlisted = 0;
  for await (const answer of ask({ ...within, maximumAnswers: MAXIMUM_INSTANCES }, signal)) {
    unlisted += unnamedInSeries(study, answer);
    const series = listedSeries(study, answer);
    if (series === undefined) continue;
    const ofSeries = await instancesOf(ask, study, signal, series.seriesInstanceUid);
    for (const instance of ofSeries.instances) instances.push(instance);
    unlisted += unlistedInSeries(series, { named: ofSeries.instances.length, unnamed: ofSeries.unlisted });
  }
  return { instances, unlisted };
}

async function instancesOf(
  ask: Ask,
  study: StudyInstanceUid,
  signal: AbortSignal,
  series?: SeriesInstanceUid,
): Promise<Listed> {
  const instances = new Map<SopInstanceUid, ListedInstance>();
  let unlisted = 0;
  const including = [tags.SeriesInstanceUID, tags.SOPClassUID];
  const within = {
    level: "IMAGE",
    studyInstanceUid: study,
    seriesInstanceUid: series,
    matching: [],
    including,
  } as const;
  for await (const answer of ask({ ...within, maximumAnswers: MAXIMUM_INSTANCES }, signal)) {
    const instance = listedInstance(study, series, answer);
    if (instance !== undefined) instances.set(instance.sopInstanceUid, instance);
    else if (isUnnamedInstance(study, series, answer)) unlisted += 1;
  }
  return { instances: [...instances.values()], unlisted };
}

async function countStudy(ask: Ask, study: StudyInstanceUid, signal: AbortSignal): Promise<StudyListing> {
  const request: Search = {
    level: "STUDY",
    matching: [[tags.StudyInstanceUID, study]],
    including: [tags.NumberOfStudyRelatedInstances],
    maximumAnswers: 1,
  };
  const answer = await firstOf(ask(request, signal));
  const count = answer && numberOf(answer, tags.NumberOfStudyRelatedInstances);
  return count === undefined || count <= 0 ? { kind: "unknown" } : { kind: "count", count };
}

/** Asks for an instance and hangs up as soon as it begins to come. */
async function rehearse(ask: Ask, client: HttpClient, signal: AbortSignal): Promise<Rehearsal> {
  const any = { matching: [], including: [tags.SeriesInstanceUID], maximumAnswers: 1, pageSize: 1 } as const;
  const study = await firstOf(ask({ level: "STUDY", ...any }, signal));
  const uid = study && textOf(study, tags.StudyInstanceUID);
  if (uid === undefined) return { kind: "nothing-to-try" };
  const within = { level: "IMAGE", studyInstanceUid: uid as StudyInstanceUid, ...any } as const;
  const answer = await firstOf(ask(within, signal));
  const instance = answer && listedInstance(uid as StudyInstanceUid, undefined, answer);
  if (instance === undefined) return { kind: "nothing-to-try" };
  const target = { studyInstanceUid: uid as StudyInstanceUid, ...instance };
  for await (const { body } of retrieveDicomWeb(client, target, {}, signal)) {
    for await (const _ of body) return { kind: "tried", status: 0, completed: 1, failed: 0 };
  }
  return { kind: "tried", status: 0, completed: 0, failed: 1 };
}
