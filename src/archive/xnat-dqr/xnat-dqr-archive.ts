import { parseSeriesInstanceUid } from "../../dicom/uid.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import { wholeBody } from "../../network/multipart/whole-body.ts";
import { fileBytes } from "../../network/rest/xnat/files.ts";
import { isNotFound, listExperiments } from "../../network/rest/xnat/sessions.ts";
import { loggedInAs, requireProject } from "../../network/rest/xnat/site.ts";
import type { Archive, Rehearsal, RetrieveOutcome, RetrieveRequest } from "../archive.ts";
import { type Pull, pullIntoStaging } from "../http/pull.ts";
import type { InstanceTaker } from "../http/staging-store.ts";
import { find, findStudies, listingOf, type SeriesCounts, seriesCounts } from "./find.ts";
import { importStudy } from "./import-study.ts";
import { type LandedStudy, landedById } from "./landed.ts";
import { type Landing, type LandingOptions, pacsIdOf, receiverOf } from "./landing.ts";

export interface XnatDqrArchiveOptions extends LandingOptions {
  readonly name: string;
  /** Closed with the archive. */
  readonly client: HttpClient;
  /** Requests at once. */
  readonly associations: number;
  readonly taker: InstanceTaker;
  /** The XNAT project that studies land in; they stay there. */
  readonly project: string;
  /** Longest time between two looks at an import. @default 5 s */
  readonly maximumPollMs?: number;
  /** So long nothing changes, and the wait is left to a later try, which asks for nothing anew. @default 10 minutes */
  readonly patienceMs?: number;
}

const USUAL_POLL_MS = 5_000;
const USUAL_PATIENCE_MS = 600_000;

/** XNAT's query and retrieval: it fetches from the PACS behind it into a project, and we fetch from there. */
export function createXnatDqrArchive(options: XnatDqrArchiveOptions): Archive {
  const { name, client, associations } = options;
  const pacsId = once((signal) => pacsIdOf(client, options, signal));
  const landing = once(async (signal) => landingOf(options, await pacsId(signal), signal));
  return {
    name,
    kind: "xnat-dqr",
    capabilities: { search: "itself", lists: "counts", retrieves: "series", connects: "us" },
    associations,
    async echo(signal) {
      await loggedInAs(client, signal);
    },
    findStudies: async (query, signal) => findStudies(client, await pacsId(signal), query, signal),
    async *find(identifier, maximumAnswers, signal) {
      yield* find(client, await pacsId(signal), identifier, maximumAnswers, signal);
    },
    listStudy: async (study, signal) => listingOf(await seriesCounts(client, await pacsId(signal), study, signal)),
    retrieve: async (request, signal) => retrieve(options, await landing(signal), request, signal),
    rehearseRetrieval: (signal) => rehearse(options, signal),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

/** What was found once holds; a failure is not remembered. */
function once<T>(work: (signal: AbortSignal) => Promise<T>): (signal: AbortSignal) => Promise<T> {
  let known: T | undefined;
  return async (signal) => {
    known ??= await work(signal);
    return known;
  };
}

async function landingOf(options: XnatDqrArchiveOptions, pacsId: number, signal: AbortSignal): Promise<Landing> {
  const { client, project } = options;
  await requireProject(client, project, signal);
  return { pacsId, receiver: await receiverOf(client, options, signal) };
}

async function retrieve(
  options: XnatDqrArchiveOptions,
  landing: Landing,
  request: RetrieveRequest,
  signal: AbortSignal,
): Promise<RetrieveOutcome> {
  const {
    client,
    taker,
    associations,
    project,
    maximumPollMs = USUAL_POLL_MS,
    patienceMs = USUAL_PATIENCE_MS,
  } = options;
  const { studyInstanceUid } = request;
  const counts = wantedOf(await seriesCounts(client, landing.pacsId, studyInstanceUid, signal), request);
  const way = { client, clock: taker.clock, project, landing, maximumPollMs, patienceMs };
  const landed = await importStudy(way, { studyInstanceUid, counts }, signal);
  const source = (pull: Pull) => filesOf(client, landed, pull, signal);
  const seriesInstanceUids = [...counts.keys()].map(parseSeriesInstanceUid);
  return await pullIntoStaging(
    { studyInstanceUid, seriesInstanceUids },
    taker,
    { parallel: associations, source },
    signal,
  );
}

/** Series are the least that DQR can be asked for. */
function wantedOf(counts: SeriesCounts, { seriesInstanceUids, instances }: RetrieveRequest): SeriesCounts {
  const named = instances?.map(({ seriesInstanceUid }) => seriesInstanceUid) ?? seriesInstanceUids;
  const wanted = named && new Set<string>(named);
  return new Map([...counts].filter(([uid]) => wanted?.has(uid) ?? true));
}

async function* filesOf(
  client: HttpClient,
  { series, sessionId }: LandedStudy,
  { seriesInstanceUid }: Pull,
  signal: AbortSignal,
) {
  for (const { files } of series.filter((each) => each.seriesInstanceUid === seriesInstanceUid)) {
    for (const { resource, path } of files) {
      yield wholeBody(namingShells(fileBytes(client, resource, path, signal), sessionId));
    }
  }
}

/** @throws GatewayError XNAT_SESSION_EMPTY when the catalogue names a file that is not there */
async function* namingShells(pieces: AsyncIterable<Uint8Array>, session: string): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (thrown) {
    throw isNotFound(thrown) ? new GatewayError("XNAT_SESSION_EMPTY", { session }, thrown) : thrown;
  }
}

/**
 * An import would leave a study in the project. So one that has landed is asked for, as far as its first bytes: the half of the way that
 * is ours; the other half is told by the checks of the XNAT's own settings.
 */
async function rehearse({ client, project }: XnatDqrArchiveOptions, signal: AbortSignal): Promise<Rehearsal> {
  for (const { ID } of (await listExperiments(client, project, signal)).slice(0, REHEARSED_SESSIONS)) {
    const landed = await landedById(client, ID, signal);
    const [file] = landed.series.flatMap(({ files }) => files);
    if (file === undefined) continue;
    for await (const _ of fileBytes(client, file.resource, file.path, signal)) {
      return { kind: "tried", status: 0, completed: 1, failed: 0 };
    }
    return { kind: "tried", status: 0, completed: 0, failed: 1 };
  }
  return { kind: "nothing-to-try" };
}

const REHEARSED_SESSIONS = 3;
