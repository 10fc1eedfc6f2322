import { GatewayError } from "../../errors/gateway-error.ts";
import { statusError } from "../http-client/http-error.ts";
import { type MediaType, parseMediaType } from "../http-client/media-type.ts";
import { contentUnexpected } from "../http-client/read-body.ts";
import type { HttpResponse } from "../http-client/types.ts";
import { type IncomingInstance, type InstanceStore, writeLent } from "../instance-files/incoming.ts";
import { type InstanceFacts, inspectInstance, mismatchOf } from "../instance-files/inspect.ts";
import { type MultipartPart, readMultipart } from "../multipart/reader.ts";
import { USUAL_MULTIPART_LIMITS } from "../multipart/scanner.ts";
import { DicomTrolleyError } from "./errors.ts";
import { MEDIA, XML_TYPES } from "./names.ts";
import type { InstanceReference } from "./request.ts";
import { contentIdOf, createSoapReader, type DocumentResponse, type SoapAnswer } from "./soap-reader.ts";
import { transferDecoder } from "./transfer-encoding.ts";

/** What is known of the request when its answer is read. */
export interface Asked<T> {
  /** Absent: the answer may be to any. */
  readonly messageId: string | undefined;
  /** By SOP Instance UID; absent: whatever comes was asked for. */
  readonly instances: ReadonlyMap<string, InstanceReference> | undefined;
  /** Absent: any will do. */
  readonly transferSyntaxUids: ReadonlySet<string> | undefined;
  readonly store: InstanceStore<T>;
  readonly limits: AnswerLimits;
  readonly signal: AbortSignal | undefined;
}

export interface AnswerLimits {
  /** Of the part with the envelope, documents inside of it included. */
  readonly rootBytes: number;
  readonly partHeaderBytes: number;
  /** Beyond the instances that were asked for. */
  readonly moreParts: number;
}

export const USUAL_ANSWER_LIMITS: AnswerLimits = {
  rootBytes: 64 * 1024 * 1024,
  partHeaderBytes: USUAL_MULTIPART_LIMITS.partHeaderBytes,
  moreParts: 64,
};

/** One thing that came with an answer. */
export type Received<T> =
  | {
      readonly kind: "instance";
      readonly facts: InstanceFacts;
      readonly kept: T;
      /** False: its part was not listed in the envelope; the instance itself says that it is one of those that were asked for. */
      readonly isListed: boolean;
    }
  /** Asked for, and not kept. */
  | { readonly kind: "refused"; readonly sopInstanceUid: string; readonly error: GatewayError }
  /** Whole instances that came twice, or that nobody had asked for; not kept. */
  | { readonly kind: "duplicate" | "unexpected" };

/** An instance that is there in whole, or what is wrong with it. */
interface Arrived<T> {
  readonly incoming: IncomingInstance<T>;
  readonly inspected: InstanceFacts | GatewayError;
}

interface ArrivedPart<T> extends Arrived<T> {
  readonly contentId: string;
}

/**
 * The instances of an answer, each as soon as its last byte is there, checked and kept; at the end what the envelope says. What comes
 * before a failure stands.
 * @throws GatewayError HTTP_…, MULTIPART_…, RAD69_ANSWER_INVALID, RAD69_LIMIT_EXCEEDED, FOLDER_NOT_WRITABLE; the reason of the signal
 */
export async function* readAnswer<T>(
  response: HttpResponse,
  asked: Asked<T>,
  nowMs: number,
): AsyncGenerator<Received<T>, SoapAnswer> {
  const mediaType = parseMediaType(response.headers.get("content-type"));
  const isMultipart = mediaType?.type.startsWith("multipart/") === true;
  if (mediaType === undefined || !(isMultipart || XML_TYPES.has(mediaType.type))) {
    throw response.status < 300 ? contentUnexpected(response) : statusError(response.status, response.headers, nowMs);
  }
  if (isMultipart) return yield* readParts(response, mediaType, asked);
  const answer = await readEnvelope(response, asked).catch((thrown: unknown) => {
    // XML of another kind comes with errors of proxies and containers: then the status says more.
    const isOther = thrown instanceof DicomTrolleyError && thrown.code === "RAD69_ANSWER_INVALID";
    throw isOther && response.status >= 300 ? statusError(response.status, response.headers, nowMs) : thrown;
  });
  yield* settleInline(answer, asked, new Set());
  return answer;
}

async function readEnvelope<T>({ body }: HttpResponse, asked: Asked<T>): Promise<SoapAnswer> {
  const reader = createSoapReader(asked.limits.rootBytes);
  for await (const piece of body) reader.push(piece);
  return checked(reader.end(), asked);
}

async function* readParts<T>(
  response: HttpResponse,
  mediaType: MediaType,
  asked: Asked<T>,
): AsyncGenerator<Received<T>, SoapAnswer> {
  const seen = new Set<string>();
  const early = new Map<string, Arrived<T>>();
  let answer: SoapAnswer | undefined;
  let documents: ReadonlyMap<string, DocumentResponse> = new Map();
  const coming = receiveParts(response, mediaType, asked);
  let next = coming.next();
  try {
    for (let step = await next; step.done !== true; step = await next) {
      const came = step.value;
      // While this one is kept the next one comes, and no more: the disk and the network work at the same time.
      next = coming.next();
      next.catch(() => undefined);
      if ("root" in came) {
        answer = came.root;
        documents = new Map(
          answer.documents.flatMap((one) => (one.contentId === undefined ? [] : [[one.contentId, one]])),
        );
        yield* settleInline(answer, asked, seen);
        for (const [id, arrived] of early) {
          early.delete(id);
          yield await settle(arrived, documents.get(id), asked, seen);
        }
      } else if (answer !== undefined) yield await settle(came, documents.get(came.contentId), asked, seen);
      else if (early.has(came.contentId)) await came.incoming.discard();
      else early.set(came.contentId, came);
    }
  } finally {
    // Who is ahead may be waiting for the peer.
    await response[Symbol.asyncDispose]();
    const ahead = await next.catch(() => undefined);
    if (ahead?.done === false && "incoming" in ahead.value) await ahead.value.incoming.discard();
    await coming.return(undefined);
    for (const { incoming } of early.values()) await incoming.discard();
  }
  if (answer === undefined) throw new DicomTrolleyError("RAD69_ANSWER_INVALID", { what: "no root part" });
  return answer;
}

/** The parts of an answer, read and looked at, in their order. */
async function* receiveParts<T>(
  { body }: HttpResponse,
  { parameters }: MediaType,
  asked: Asked<T>,
): AsyncGenerator<{ readonly root: SoapAnswer } | ArrivedPart<T>, undefined> {
  const { limits, instances } = asked;
  const start = parameters.get("start");
  const rootId = start === undefined ? undefined : contentIdOf(start);
  const multipartLimits = {
    ...USUAL_MULTIPART_LIMITS,
    partHeaderBytes: limits.partHeaderBytes,
    parts: instances === undefined ? USUAL_MULTIPART_LIMITS.parts : instances.size * 2 + limits.moreParts,
  };
  let hasRoot = false;
  let isFirst = true;
  for await (const part of readMultipart(body, { boundary: parameters.get("boundary"), limits: multipartLimits })) {
    const contentId = contentIdOf(part.headers.get("content-id") ?? "");
    if (!hasRoot && isRoot(part, contentId, rootId, isFirst)) {
      hasRoot = true;
      yield { root: checked(await readRoot(part, limits.rootBytes), asked) };
    } else yield { contentId, ...(await receivePart(part, asked)) };
    isFirst = false;
  }
}

/** The part that `start` names; where it names none that comes, the first that can be it. */
function isRoot({ headers }: MultipartPart, contentId: string, rootId: string | undefined, isFirst: boolean): boolean {
  if (rootId !== undefined && contentId === rootId) return true;
  const type = parseMediaType(headers.get("content-type"))?.type;
  const isXml = type !== undefined && XML_TYPES.has(type);
  return isXml || (isFirst && type !== MEDIA.dicom);
}

async function readRoot(part: MultipartPart, limitBytes: number): Promise<SoapAnswer> {
  const reader = createSoapReader(limitBytes);
  const decode = transferDecoder(part.headers.get("content-transfer-encoding"));
  await part.pipe((pieces) => {
    for (const piece of decode(pieces)) reader.push(piece);
  });
  return reader.end();
}

/** @throws DicomTrolleyError RAD69_ANSWER_INVALID when it answers another request */
function checked<T>(answer: SoapAnswer, { messageId }: Asked<T>): SoapAnswer {
  const { relatesTo = messageId } = answer;
  if (messageId !== undefined && relatesTo !== messageId) {
    throw new DicomTrolleyError("RAD69_ANSWER_INVALID", { what: "relates to another request" });
  }
  if (!answer.isResponse && answer.fault === undefined) {
    throw new DicomTrolleyError("RAD69_ANSWER_INVALID", { what: "neither answer nor fault" });
  }
  return answer;
}

async function receivePart<T>(part: MultipartPart, asked: Asked<T>): Promise<Arrived<T>> {
  const decode = transferDecoder(part.headers.get("content-transfer-encoding"));
  return await receive(asked, async (incoming) => {
    await part.pipe((pieces) => writeLent(incoming, decode(pieces)));
  });
}

async function receive<T>(
  { store, signal }: Asked<T>,
  fill: (incoming: IncomingInstance<T>) => Promise<void>,
): Promise<Arrived<T>> {
  const incoming = await store.begin();
  try {
    await fill(incoming);
    return { incoming, inspected: await inspectInstance(incoming.source(), signal).catch(instanceFault) };
  } catch (thrown) {
    await incoming.discard();
    throw thrown;
  }
}

/** A fault of the instance is its own; anything else ends the retrieval. */
function instanceFault(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError && thrown.code.startsWith("INSTANCE_")) return thrown;
  throw thrown;
}

/** Documents within the envelope, in which senders put small ones. */
async function* settleInline<T>(answer: SoapAnswer, asked: Asked<T>, seen: Set<string>): AsyncGenerator<Received<T>> {
  for (const document of answer.documents) {
    const { inline } = document;
    if (inline === undefined) continue;
    const arrived = await receive(asked, async (incoming) => incoming.write([inline]));
    yield await settle(arrived, document, asked, seen);
  }
}

/** Keeps what was asked for, is whole and is what it is said to be. */
async function settle<T>(
  { incoming, inspected }: Arrived<T>,
  document: DocumentResponse | undefined,
  { instances, transferSyntaxUids }: Asked<T>,
  seen: Set<string>,
): Promise<Received<T>> {
  try {
    const facts = inspected instanceof GatewayError ? undefined : inspected;
    const sopInstanceUid = document?.documentUniqueId ?? facts?.sopInstanceUid ?? "";
    const reference = instances === undefined ? { sopInstanceUid } : instances.get(sopInstanceUid);
    if (reference === undefined) return { kind: "unexpected" };
    if (seen.has(sopInstanceUid)) return { kind: "duplicate" };
    const error = facts === undefined ? inspected : mismatchOf(facts, { ...reference, transferSyntaxUids });
    if (error instanceof GatewayError) return { kind: "refused", sopInstanceUid, error };
    if (facts === undefined) return { kind: "unexpected" };
    seen.add(sopInstanceUid);
    return { kind: "instance", facts, kept: await incoming.keep(sopInstanceUid), isListed: document !== undefined };
  } finally {
    await incoming.discard();
  }
}
