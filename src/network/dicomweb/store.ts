import type { DataSet } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import type { Tag } from "../../dicom/tag.ts";
import type { StudyInstanceUid } from "../../dicom/uid.ts";
import { itemsOf, numberOf, uidOf } from "../../dicom/values.ts";
import type { Random } from "../../units/random.ts";
import { parseMediaType } from "../http-client/media-type.ts";
import { readJson } from "../http-client/read-body.ts";
import type { HttpClient, HttpResponse } from "../http-client/types.ts";
import { newBoundary, writeMultipart } from "../multipart/writer.ts";
import { dataSetOfMatch } from "./lenient-json.ts";

/** A Part 10 file to be stored; opened when its turn comes, anew for every try. */
export interface OutgoingInstance {
  readonly sopInstanceUid: string;
  read(): AsyncIterable<Uint8Array>;
}

export interface StoreOptions {
  /** The study that all are of: the server refuses others. Absent: of any. */
  readonly studyInstanceUid?: StudyInstanceUid | undefined;
  readonly random: Random;
  readonly timeouts?: Parameters<HttpClient["request"]>[0]["timeouts"];
}

/** What the server says of an instance. Failure and warning reasons are those of PS3.18 annex I.2. */
export interface StoreAnswer {
  readonly status: number;
  readonly stored: readonly { readonly sopInstanceUid: string; readonly warningReason: number | undefined }[];
  readonly failed: readonly { readonly sopInstanceUid: string; readonly failureReason: number | undefined }[];
  /** Sent, and not said anything of: whether they are there has to be looked up. */
  readonly unmentioned: readonly string[];
}

/** Statuses whose answer says what became of each instance: all stored, some, none. PS3.18 table 10.5.3-1. */
const ANSWERED: ReadonlySet<number> = new Set([200, 202, 409]);

/**
 * STOW-RS: sends the instances as one multipart request, streaming. PS3.18 10.5.
 * @throws HttpError for a request that was not carried out; what reading an instance throws
 */
export async function storeDicomWeb(
  client: HttpClient,
  instances: readonly OutgoingInstance[],
  { studyInstanceUid, random, timeouts }: StoreOptions,
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
    body: () =>
      writeMultipart(
        instances.map((instance) => ({ headers: [["Content-Type", "application/dicom"]], body: instance.read() })),
        { boundary },
      ),
    accepts: (status) => ANSWERED.has(status),
    timeouts,
    signal,
  });
  return answerOf(response.status, await answered(response), instances);
}

/** The Store Instances Response Module; undefined where a server answers without one, or in XML. PS3.18 table I.1-1. */
async function answered(response: HttpResponse): Promise<DataSet | undefined> {
  const type = parseMediaType(response.headers.get("content-type"))?.type;
  if (type !== undefined && !type.endsWith("json")) return undefined;
  const json = await readJson(response);
  return json === undefined ? undefined : dataSetOfMatch(Array.isArray(json) ? json[0] : json);
}

function answerOf(status: number, dataSet: DataSet | undefined, instances: readonly OutgoingInstance[]): StoreAnswer {
  const stored = references(dataSet, tags.ReferencedSOPSequence).map(([sopInstanceUid, item]) => ({
    sopInstanceUid,
    warningReason: numberOf(item, tags.WarningReason),
  }));
  const failed = references(dataSet, tags.FailedSOPSequence).map(([sopInstanceUid, item]) => ({
    sopInstanceUid,
    failureReason: numberOf(item, tags.FailureReason),
  }));
  const mentioned = new Set([...stored, ...failed].map(({ sopInstanceUid }) => sopInstanceUid));
  const unmentioned = instances.map(({ sopInstanceUid }) => sopInstanceUid).filter((uid) => !mentioned.has(uid));
  return { status, stored, failed, unmentioned };
}

function references(dataSet: DataSet | undefined, sequence: Tag): readonly (readonly [string, DataSet])[] {
  if (dataSet === undefined) return [];
  return itemsOf(dataSet, sequence).flatMap((item) => {
    const uid = uidOf(item.dataSet, tags.ReferencedSOPInstanceUID);
    return uid === undefined ? [] : [[uid, item.dataSet] as const];
  });
}
