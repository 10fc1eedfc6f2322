import { isFieldUid, type StudyInstanceUid } from "../../dicom/uid.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { STATUS } from "../../network/dimse/status.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import { wholeBody } from "../../network/multipart/whole-body.ts";
import {
  type HeldInstance,
  type HeldStudy,
  heldInstances,
  heldStudy,
} from "../../network/rest/orthanc/held-instances.ts";
import { echoModality } from "../../network/rest/orthanc/modalities.ts";
import * as orthanc from "../../network/rest/orthanc/resources.ts";
import { exactMatch } from "../answers.ts";
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
import { findStudies as findStudiesOf, listStudy as listStudyOf } from "../dimse/query-study.ts";
import { type Pull, pullIntoStaging } from "../http/pull.ts";
import type { InstanceTaker } from "../http/staging-store.ts";
import { type BehindOrthanc, fetchIntoOrthanc, rehearseBehind, searchedByOrthanc } from "./behind-orthanc.ts";
import { findInOrthanc, studyAnswer } from "./find.ts";

export interface OrthancArchiveOptions {
  readonly name: string;
  /** Closed with the archive. */
  readonly client: HttpClient;
  /** Requests at once. */
  readonly associations: number;
  readonly taker: InstanceTaker;
  /** The Orthanc's name for an archive behind it, which is searched and fetched from in its place. */
  readonly modality?: string | undefined;
}

/** An archive that lists more than this for one question is asked the wrong question. */
const MAXIMUM_STUDIES = 1_000;

type Held = ListedInstance & HeldInstance;

/** Orthanc's own REST interface: an archive by itself, or the way to one that it knows as a modality. */
export function createOrthancArchive(options: OrthancArchiveOptions): Archive {
  const { name, client, associations, taker, modality } = options;
  const behind = modality === undefined ? undefined : { client, modality, clock: taker.clock };
  return {
    name,
    kind: "orthanc",
    capabilities: { search: "itself", retrieves: "instance", connects: "us" },
    associations,
    ...(behind === undefined ? ofItself(client) : ofModality(behind)),
    retrieve: async (request, signal) => {
      const study = request.studyInstanceUid;
      let failure: unknown;
      if (behind !== undefined) {
        const before = new Set((await heldInstances(client, study, signal)).map((each) => each.sopInstanceUid));
        // A warning fails the job, too: what came all the same is taken.
        failure = await fetchIntoOrthanc(behind, request, before, signal).then(nothing, (thrown: unknown) => thrown);
        signal.throwIfAborted();
      }
      const outcome = await take(options, request, signal);
      if (failure === undefined) return outcome;
      if (outcome.completed === 0) throw failure;
      return { ...outcome, status: STATUS.subOperationsCompleteWithFailures, failed: undefined };
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

function nothing(): undefined {
  return undefined;
}

type Searching = Pick<Archive, "echo" | "findStudies" | "find" | "listStudy" | "rehearseRetrieval">;

function ofItself(client: HttpClient): Searching {
  return {
    async echo(signal) {
      await orthanc.systemOf(client, signal);
    },
    findStudies: (query, signal) => findStudies(client, query, signal),
    find: (identifier, maximumAnswers, signal) => findInOrthanc(client, identifier, maximumAnswers, signal),
    listStudy: async (study, signal) => listingOf(await heldStudy(client, study, signal)),
    rehearseRetrieval: (signal) => rehearse(client, signal),
  };
}

function ofModality(behind: BehindOrthanc): Searching {
  const searched = searchedByOrthanc(behind);
  return {
    echo: (signal) => echoModality(behind.client, behind.modality, signal),
    findStudies: (query, signal) => findStudiesOf(searched, query, signal),
    find: (identifier, maximumAnswers, signal) =>
      searched.find({ model: "study-root", identifier, maximumAnswers }, signal),
    listStudy: (study, signal) => listStudyOf(searched, study, signal),
    rehearseRetrieval: (signal) => rehearseBehind(behind, searched, signal),
  };
}

/** Takes what the Orthanc holds of what is asked for. */
async function take(
  { client, associations, taker }: OrthancArchiveOptions,
  request: RetrieveRequest,
  signal: AbortSignal,
): Promise<RetrieveOutcome> {
  // One look at the study, instead of one for each instance.
  const instances = wanted(await held(client, request.studyInstanceUid, signal), request);
  const orthancIds = new Map<string, string>(instances.map((each) => [each.sopInstanceUid, each.orthancId]));
  return await pullIntoStaging(
    { ...request, instances },
    taker,
    { parallel: associations, source: (pull, each) => file(client, orthancIds, pull, each) },
    signal,
  );
}

async function findStudies(client: HttpClient, query: StudyQuery, signal: AbortSignal): Promise<readonly StudyMatch[]> {
  const keys =
    query.by === "study-uid"
      ? { StudyInstanceUID: query.studyInstanceUid }
      : {
          AccessionNumber: query.accessionNumber,
          ...(query.patientId === undefined ? {} : { PatientID: query.patientId }),
        };
  const matches = new Map<StudyInstanceUid, StudyMatch>();
  for (const study of await orthanc.findOrthancStudies(client, keys, { limit: MAXIMUM_STUDIES + 1 }, signal)) {
    const match = exactMatch(query, studyAnswer(study));
    if (match !== undefined) matches.set(match.studyInstanceUid, match);
  }
  if (matches.size > MAXIMUM_STUDIES) throw new GatewayError("FIND_LIMIT_REACHED", { by: "us" });
  return [...matches.values()];
}

async function held(client: HttpClient, study: StudyInstanceUid, signal: AbortSignal): Promise<readonly Held[]> {
  return (await heldInstances(client, study, signal)).map(unclassed);
}

/** Orthanc does not say of which class it is. */
function unclassed(instance: HeldInstance): Held {
  return { ...instance, sopClassUid: undefined };
}

function listingOf({ instances, unnamed }: HeldStudy): StudyListing {
  if (instances.length === 0) return { kind: "unknown" };
  return { kind: "instances", instances: instances.map(unclassed), ...(unnamed > 0 && { unlisted: unnamed }) };
}

function wanted(
  held: readonly Held[],
  { seriesInstanceUids, instances }: Parameters<Archive["retrieve"]>[0],
): readonly Held[] {
  const series = seriesInstanceUids && new Set(seriesInstanceUids);
  const named = instances && new Set(instances.map(({ sopInstanceUid }) => sopInstanceUid));
  return held.filter(
    ({ seriesInstanceUid, sopInstanceUid }) =>
      (named === undefined || named.has(sopInstanceUid)) && (series === undefined || series.has(seriesInstanceUid)),
  );
}

async function* file(
  client: HttpClient,
  orthancIds: ReadonlyMap<string, string>,
  { sopInstanceUid }: Pull,
  signal: AbortSignal,
) {
  const orthancId = sopInstanceUid && orthancIds.get(sopInstanceUid);
  if (orthancId !== undefined) yield wholeBody(orthanc.instanceFile(client, orthancId, signal));
}

/** Asks for an instance and hangs up as soon as it begins to come. */
async function rehearse(client: HttpClient, signal: AbortSignal): Promise<Rehearsal> {
  const [study] = await orthanc.findOrthancStudies(client, {}, { limit: 1 }, signal);
  const uid = study?.MainDicomTags.StudyInstanceUID ?? "";
  const [instance] = isFieldUid(uid) ? await held(client, uid as StudyInstanceUid, signal) : [];
  if (instance === undefined) return { kind: "nothing-to-try" };
  for await (const _ of orthanc.instanceFile(client, instance.orthancId, signal)) {
    return { kind: "tried", status: 0, completed: 1, failed: 0 };
  }
  return { kind: "tried", status: 0, completed: 0, failed: 1 };
}
