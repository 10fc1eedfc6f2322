import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import type { Tag } from "../../dicom/tag.ts";
import type { StudyInstanceUid } from "../../dicom/uid.ts";
import { itemsOf, numberOf, uidOf } from "../../dicom/values.ts";
import { type Random, systemRandom } from "../../units/random.ts";
import { parseMediaType } from "../http-client/media-type.ts";
import { contentUnexpected, isHtml, readJson } from "../http-client/read-body.ts";
import type { HttpClient, HttpResponse } from "../http-client/types.ts";
import { multipartBytes, newBoundary, type OutgoingPart, writeMultipart } from "../multipart/writer.ts";
import { dataSetOfMatch } from "./lenient-json.ts";

/** A Part 10 file to be stored; opened when its turn comes, anew for every try. */
export interface OutgoingInstance {
  readonly sopInstanceUid: string;
  /** With every size known the request has a Content-Length, without which some servers answer 411. RFC 9110 15.5.12. */
  readonly sizeBytes?: number | undefined;
  read(): AsyncIterable<Uint8Array>;
}

export interface StoreOptions {
  /** The study that all are of: the server refuses others. Absent: of any. */
  readonly studyInstanceUid?: StudyInstanceUid | undefined;
  /** What the boundary between parts is made of. @default the system's */
  readonly random?: Random | undefined;
  readonly timeouts?: Parameters<HttpClient["request"]>[0]["timeouts"];
}

export interface FailedInstance {
  readonly sopInstanceUid: string;
  readonly failureReason: number | undefined;
}

/** What the server says of what it was sent; of others it may say what it likes. Failure and warning reasons are those of PS3.18 annex I.2. */
export interface StoreAnswer {
  readonly status: number;
  readonly stored: readonly { readonly sopInstanceUid: string; readonly warningReason: number | undefined }[];
  readonly failed: readonly FailedInstance[];
  /** Sent, and not said anything of: whether they are there has to be looked up. */
  readonly unmentioned: readonly string[];
}

/** Statuses whose answer says what became of each instance: all stored, some, none. PS3.18 table 10.5.3-1. */
const ANSWERED: ReadonlySet<number> = new Set([200, 202, 409]);

const NONE_STORED = 409;

/**
 * STOW-RS: sends the instances as one multipart request, streaming. PS3.18 10.5.
 * @throws HttpError for a request that was not carried out, HTTP_CONTENT_UNEXPECTED for a web page; what reading an instance throws
 */
export async function storeDicomWeb(
  client: HttpClient,
  instances: readonly OutgoingInstance[],
  { studyInstanceUid, random = systemRandom, timeouts }: StoreOptions,
  signal: AbortSignal,
): Promise<StoreAnswer> {
  const boundary = newBoundary(random);
  await using response = await client.request({
    method: "POST",
    path: studyInstanceUid === undefined ? "studies" : `studies/${studyInstanceUid}`,
    headers: {
      Accept: "application/dicom+json",
      "Content-Type": `multipart/related; type="application/dicom"; boundary=${boundary}`,
    },
    body: () => writeMultipart(partsOf(instances), { boundary }),
    bodyBytes: multipartBytes(
      instances.map(({ sizeBytes }) => ({ headers: PART_HEADERS, sizeBytes })),
      { boundary },
    ),
    accepts: (status) => ANSWERED.has(status),
    timeouts,
    signal,
  });
  return answerOf(response.status, await answered(response), instances);
}

const PART_HEADERS = [["Content-Type", "application/dicom"]] as const;

/** Each file is opened when its turn comes. */
function* partsOf(instances: readonly OutgoingInstance[]): Generator<OutgoingPart> {
  for (const instance of instances) yield { headers: PART_HEADERS, body: instance.read() };
}

/** The Store Instances Response Module; undefined where a server answers without one, or in XML. PS3.18 table I.1-1. */
async function answered(response: HttpResponse): Promise<DataSet | undefined> {
  const type = parseMediaType(response.headers.get("content-type"))?.type;
  if (isHtml(response)) throw contentUnexpected(response);
  if (type !== undefined && !type.endsWith("json")) return undefined;
  const json = await readJson(response);
  return json === undefined ? undefined : dataSetOfMatch(Array.isArray(json) ? json[0] : json);
}

function answerOf(status: number, dataSet: DataSet | undefined, instances: readonly OutgoingInstance[]): StoreAnswer {
  const sent = new Set(instances.map(({ sopInstanceUid }) => sopInstanceUid));
  const refused = references(dataSet, tags.FailedSOPSequence);
  const failures = new Map(refused.map(([uid, item]) => [uid, numberOf(item, tags.FailureReason)]));
  const stored = references(dataSet, tags.ReferencedSOPSequence)
    .filter(([uid]) => sent.has(uid) && !failures.has(uid))
    .map(([sopInstanceUid, item]) => ({ sopInstanceUid, warningReason: numberOf(item, tags.WarningReason) }));
  const mentioned = new Set([...failures.keys(), ...stored.map(({ sopInstanceUid }) => sopInstanceUid)]);
  const others = [...sent].filter((uid) => !mentioned.has(uid));
  // Some name the reason and not the instance.
  const isNone = status === NONE_STORED && stored.length === 0;
  const failed = [...failures.keys()].filter((uid) => sent.has(uid)).concat(isNone ? others : []);
  return {
    status,
    stored,
    failed: failed.map((uid) => ({ sopInstanceUid: uid, failureReason: failures.get(uid) ?? failures.get(UNNAMED) })),
    unmentioned: isNone ? [] : others,
  };
}

const UNNAMED = "";

function references(dataSet: DataSet | undefined, sequence: Tag): readonly (readonly [string, DataSet])[] {
  if (dataSet === undefined) return [];
  return itemsOf(dataSet, sequence).map(
    (item) => [uidOf(item.dataSet, tags.ReferencedSOPInstanceUID) ?? UNNAMED, item.dataSet] as const,
  );
}
