import type { DataSet } from "../../dicom/data-set.ts";
import { lookupElement, tagOfKeyword } from "../../dicom/dictionary/dictionary.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import type { Tag } from "../../dicom/tag.ts";
import type { SopInstanceUid } from "../../dicom/uid.ts";
import { dataSetOf, textElement, textOf, textsOf } from "../../dicom/values.ts";
import { IMPLEMENTATION_CLASS_UID } from "../../dicom/writer.ts";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import type { RetrieveResult } from "../../network/dimse/service-types.ts";
import { STATUS } from "../../network/dimse/status.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import { heldInstances } from "../../network/rest/orthanc/held-instances.ts";
import { watchJob } from "../../network/rest/orthanc/jobs.ts";
import {
  answersOfQuery,
  dropQuery,
  echoModality,
  type ModalityQuery,
  type OrthancLevel,
  queryModality,
  retrieveAnswers,
} from "../../network/rest/orthanc/modalities.ts";
import { deleteInstance } from "../../network/rest/orthanc/resources.ts";
import { neverAborted } from "../../units/abort.ts";
import type { Clock } from "../../units/clock.ts";
import type { Rehearsal, RetrieveRequest } from "../archive.ts";
import { type Fetch, fetchQueries } from "../dimse/fetch.ts";
import { instancesQuery } from "../dimse/identifiers.ts";
import { findAnyInstance, type Searched } from "../dimse/query-study.ts";

/** An archive that an Orthanc knows as one of its modalities, searched and fetched from by the Orthanc. */
export interface BehindOrthanc {
  readonly client: HttpClient;
  /** The Orthanc's name for it. */
  readonly modality: string;
  /** Where it sends to. @default the Orthanc itself */
  readonly targetAet?: string | undefined;
  readonly clock: Clock;
}

/** The Orthanc itself ends a C-MOVE that is silent for its DicomScuTimeout: this ends what waits in vain for its turn. */
const JOB_MS = 3_600_000;

const LEVELS: ReadonlyMap<string | undefined, OrthancLevel> = new Map([
  ["PATIENT", "Patient"],
  ["STUDY", "Study"],
  ["SERIES", "Series"],
  ["IMAGE", "Instance"],
]);

/** C-FIND by the Orthanc. Its answers come at once, however many. */
export function searchedByOrthanc(behind: BehindOrthanc): Searched {
  return {
    async *find({ identifier, maximumAnswers = Number.POSITIVE_INFINITY }, signal = neverAborted()) {
      await using query = await begunQuery(behind, identifier, signal);
      for (const [index, answer] of (await answersOfQuery(behind.client, query.id, signal)).entries()) {
        if (index >= maximumAnswers) throw new GatewayError("FIND_LIMIT_REACHED", { by: "us" });
        yield dataSetOfAnswer(answer);
      }
    },
  };
}

/**
 * Has the Orthanc fetch what it does not hold yet. A job of single instances that fails is done again one by one: an Orthanc ends a job
 * at the first it is refused.
 * @param before what it holds of the study
 * @throws GatewayError ARCHIVE_UNABLE when it did not get all, and those of watched jobs; it may hold a part then
 */
export async function fetchIntoOrthanc(
  behind: BehindOrthanc,
  request: RetrieveRequest,
  before: ReadonlySet<SopInstanceUid>,
  signal: AbortSignal,
): Promise<void> {
  const lacking = request.instances?.filter(({ sopInstanceUid }) => !before.has(sopInstanceUid));
  const isWhole = lacking?.length === 0 || (request.wanted !== undefined && isAmong(request.wanted, before));
  if (isWhole) return;
  const arrived = new Set(before);
  const fetch: Fetch = async (identifier) => {
    try {
      await fetchByQuery(behind, identifier, signal);
      return FETCHED;
    } catch (thrown) {
      const held = await heldInstances(behind.client, request.studyInstanceUid, signal);
      for (const { sopInstanceUid } of held) arrived.add(sopInstanceUid);
      throw thrown;
    }
  };
  await fetchQueries(fetch, lacking === undefined ? request : { ...request, instances: lacking }, arrived);
}

/** The Orthanc keeps the counts to itself. */
const FETCHED: RetrieveResult = {
  ...{ status: STATUS.success, failedSopInstanceUids: [] },
  ...{ remaining: undefined, completed: undefined, failed: undefined, warning: undefined },
};

function isAmong(wanted: ReadonlySet<SopInstanceUid>, held: ReadonlySet<SopInstanceUid>): boolean {
  return wanted.size > 0 && wanted.isSubsetOf(held);
}

/** C-FIND, and C-MOVE of every answer to the Orthanc itself. */
async function fetchByQuery(behind: BehindOrthanc, identifier: DataSet, signal: AbortSignal): Promise<void> {
  const { client, targetAet, clock } = behind;
  await using query = await begunQuery(behind, identifier, signal);
  const job = await retrieveAnswers(client, query.id, targetAet, signal);
  await watchJob(client, job, { clock, timeoutMs: JOB_MS, signal }).catch((thrown: unknown) => {
    const { code, details } = toGatewayError(thrown);
    // Any final status but success, a warning too; that the archive can be reached was shown by the query.
    throw code === "ORTHANC_MODALITY_FAILED" ? new GatewayError("ARCHIVE_UNABLE", details, thrown) : thrown;
  });
}

/** A query that the Orthanc forgets when it is disposed of. */
async function begunQuery(
  behind: BehindOrthanc,
  identifier: DataSet,
  signal: AbortSignal,
): Promise<{ readonly id: string } & AsyncDisposable> {
  const { client, modality } = behind;
  const id = await queryModality(client, modality, queryOf(identifier), signal).catch((thrown: unknown) =>
    failedOrRefused(behind, thrown, signal),
  );
  return {
    id,
    // It forgets the oldest by itself.
    [Symbol.asyncDispose]: () => dropQuery(client, id, neverAborted()).catch(() => undefined),
  };
}

/**
 * An Orthanc says the same of an archive that refuses a query and of one that it does not reach; the latter answers no echo either. An
 * archive that has no resources left refuses whatever it is asked, and which status it gave is not told.
 */
async function failedOrRefused(behind: BehindOrthanc, thrown: unknown, signal: AbortSignal): Promise<never> {
  const { code } = toGatewayError(thrown);
  if (!OF_ONE_SEARCH_OR_ALL.has(code)) throw thrown;
  if (code === "ORTHANC_MODALITY_FAILED") await echoModality(behind.client, behind.modality, signal);
  throw new GatewayError((await searchesAtAll(behind, signal)) ? "DIMSE_FAILED" : "ARCHIVE_UNABLE", {}, thrown);
}

const OF_ONE_SEARCH_OR_ALL: ReadonlySet<ErrorCode> = new Set(["ORTHANC_MODALITY_FAILED", "DIMSE_FAILED"]);
/** No study has this UID: any archive that searches answers that it has none. */
const OF_NO_STUDY: ModalityQuery = { level: "Study", keys: { StudyInstanceUID: IMPLEMENTATION_CLASS_UID } };

async function searchesAtAll({ client, modality }: BehindOrthanc, signal: AbortSignal): Promise<boolean> {
  try {
    const query = await queryModality(client, modality, OF_NO_STUDY, signal);
    await dropQuery(client, query, neverAborted()).catch(() => undefined);
    return true;
  } catch (thrown) {
    if (OF_ONE_SEARCH_OR_ALL.has(toGatewayError(thrown).code)) return false;
    throw thrown;
  }
}

function queryOf(identifier: DataSet): ModalityQuery {
  const level = LEVELS.get(textOf(identifier, tags.QueryRetrieveLevel));
  if (level === undefined) {
    throw new GatewayError("ARCHIVE_REFUSED_REQUEST", { problem: "an Orthanc does not search at this level" });
  }
  const keys = [...identifier.keys()].flatMap((tag) => {
    const keyword = lookupElement(tag)?.keyword;
    return keyword === undefined || NOT_KEYS.has(tag) ? [] : [[keyword, textsOf(identifier, tag).join("\\")] as const];
  });
  return { level, keys: Object.fromEntries(keys) };
}

/** The one is said by the query's level; the other is the Orthanc's own, which takes JSON. */
const NOT_KEYS: ReadonlySet<Tag> = new Set([tags.QueryRetrieveLevel, tags.SpecificCharacterSet]);

/** Texts come as JSON, whatever character set the archive answered in. */
function dataSetOfAnswer(answer: Readonly<Record<string, string>>): DataSet {
  const elements = Object.entries(answer).flatMap(([name, text]) => {
    const tag = tagOfKeyword(name);
    return tag === undefined || tag === tags.SpecificCharacterSet ? [] : [textElement(tag, text)];
  });
  return dataSetOf(elements);
}

/** Has the Orthanc fetch one instance of whatever the archive lists first, and drop it again where it did not hold it before. */
export async function rehearseBehind(
  behind: BehindOrthanc,
  searched: Searched,
  signal: AbortSignal,
): Promise<Rehearsal> {
  const found = await findAnyInstance(searched, signal);
  if (found === undefined) return { kind: "nothing-to-try" };
  const { study, instance } = found;
  const find = async () =>
    (await heldInstances(behind.client, study, signal)).find((each) => each.sopInstanceUid === instance.sopInstanceUid);
  const before = await find();
  await fetchByQuery(behind, instancesQuery(study, [instance]).identifier, signal);
  const after = await find();
  if (after === undefined) return { kind: "tried", status: STATUS.success, completed: 0, failed: 1 };
  if (before === undefined) await deleteInstance(behind.client, after.orthancId, signal);
  return { kind: "tried", status: STATUS.success, completed: 1, failed: 0 };
}
