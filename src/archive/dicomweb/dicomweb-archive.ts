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
import { DESCRIPTIVE_KEYS, exactMatch, listedInstance, listedSeries } from "../answers.ts";
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
    findStudies: (query, signal) => findStudies(search, query, signal),
    find: (identifier, maximumAnswers, signal) => search(searchOf(identifier, maximumAnswers), signal),
    listStudy: (study, signal) => listStudy(search, study, signal),
    retrieve: (request, signal) => retrieve({ client, associations, taker, search }, request, signal),
    rehearseRetrieval: (signal) => rehearse(search, client, signal),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
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
    const instances = await list(ask, study, signal).catch(withoutListing);
    if (instances.length > 0) return { kind: "instances", instances };
  }
  return await countStudy(ask, study, signal);
}

function withoutListing(thrown: unknown): readonly ListedInstance[] {
  if (NO_LISTING.has(toGatewayError(thrown).code)) return [];
  throw thrown;
}

async function instancesBySeries(
  ask: Ask,
  study: StudyInstanceUid,
  signal: AbortSignal,
): Promise<readonly ListedInstance[]> {
  const within = { level: "SERIES", studyInstanceUid: study, matching: [], including: [] } as const;
  const instances: ListedInstance[] = [];
  for await (const answer of ask({ ...within, maximumAnswers: MAXIMUM_INSTANCES }, signal)) {
    const series = listedSeries(study, answer)?.seriesInstanceUid;
    if (series !== undefined) instances.push(...(await instancesOf(ask, study, signal, series)));
  }
  return instances;
}

async function instancesOf(
  ask: Ask,
  study: StudyInstanceUid,
  signal: AbortSignal,
  series?: SeriesInstanceUid,
): Promise<readonly ListedInstance[]> {
  const instances = new Map<SopInstanceUid, ListedInstance>();
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
  }
  return [...instances.values()];
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
