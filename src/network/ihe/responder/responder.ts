import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createBytePieces } from "../../../units/byte-pieces.ts";
import { limitConnections } from "../../../units/limit-connections.ts";
import { type Random, systemRandom } from "../../../units/random.ts";
import { REQUEST_LIMITS, type RequestLimits } from "../../../units/request-limits.ts";
import { parseMediaType } from "../../http-client/media-type.ts";
import { readMultipart } from "../../multipart/reader.ts";
import { ACTIONS, RESPONSE_STATUS } from "../names.ts";
import { bodyOf, contentTypeOf } from "./answer-writer.ts";
import { decide, messageFault, type RequestFault, type ResponderRules } from "./decide.ts";
import { type AnswerPlan, type InstanceSource, PROFILES, type ResponderProfile } from "./plan.ts";
import { type ImagingDocumentSetRequest, readImagingDocumentSetRequest } from "./request-reader.ts";

export interface ResponderOptions {
  readonly source: InstanceSource;
  /** @default ihe */
  readonly profile?: ResponderProfile | undefined;
  /** Requests that break the standard are answered as well as they can be understood. @default false */
  readonly lenient?: boolean | undefined;
  /** Requests for others are refused; absent: any will do. */
  readonly repositoryUniqueId?: string | undefined;
  /** @default 127.0.0.1 */
  readonly host?: string | undefined;
  /** 0: any free one. @default 0 */
  readonly port?: number | undefined;
  /** More are closed, shared fairly among addresses. @default 64 */
  readonly maximumConnections?: number | undefined;
  /** A peer that does not read for so long is cut off. @default 60000 */
  readonly idleMs?: number | undefined;
  readonly limits?: RequestLimits | undefined;
  readonly random?: Random | undefined;
  /** Looks at every answer before it is written, and may alter it. */
  readonly alter?:
    | ((plan: AnswerPlan, request: ImagingDocumentSetRequest) => AnswerPlan | Promise<AnswerPlan>)
    | undefined;
  /** Writes the body itself, instead of the responder. */
  readonly write?: ((response: ServerResponse, body: AsyncIterable<Uint8Array>) => Promise<void>) | undefined;
}

export interface Responder extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
}

const PATH = "/rids";
/** 100,000 instances need some 20 MB. */
const MAXIMUM_REQUEST_BYTES = 64 * 1024 * 1024;

/** An imaging document source. RAD TF-2 4.69. Closing it cuts what is under way. */
export async function startRad69Responder(options: ResponderOptions): Promise<Responder> {
  const { host = "127.0.0.1", port = 0, maximumConnections = 64, idleMs = 60_000, limits = REQUEST_LIMITS } = options;
  const server = createServer({ ...limits }, (request, response) => {
    // A peer that went away, or a file that did: the connection tells the other side.
    answer(request, response, options).catch(() => response.destroy());
  });
  limitConnections(server, { maximum: maximumConnections });
  server.setTimeout(idleMs);
  server.listen(port, host);
  await once(server, "listening");
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  return {
    port: bound,
    url: `http://${host}:${bound}${PATH}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, options: ResponderOptions): Promise<void> {
  if (request.method !== "POST") return void response.writeHead(405, { allow: "POST" }).end();
  const { profile = "ihe", lenient: isLenient = false, repositoryUniqueId, source, random = systemRandom } = options;
  const rules: ResponderRules = { profile, isLenient, repositoryUniqueId };
  const read = await readRequest(request);
  const fault = "reason" in read ? read : messageFault(read, rules);
  const asked = "reason" in read ? undefined : read;
  const planned =
    fault === undefined && asked !== undefined
      ? await decide(asked, source, { ...rules, isPlainRequest: isPlain(request) }, random)
      : faultPlan(fault ?? { code: "Receiver", reason: "" }, profile, asked?.messageId);
  const plan = asked === undefined ? planned : ((await options.alter?.(planned, asked)) ?? planned);
  const contentType = contentTypeOf(plan);
  response.writeHead(plan.httpStatus, {
    ...(contentType === "" ? {} : { "content-type": contentType }),
    ...plan.headers,
  });
  const body = bodyOf(plan);
  if (options.write !== undefined) await options.write(response, body);
  else await pipeline(Readable.from(body, { objectMode: false }), response);
}

/** A SOAP envelope alone, without MTOM's parts round it. */
function isPlain({ headers }: IncomingMessage): boolean {
  return parseMediaType(headers["content-type"])?.type.startsWith("multipart/") !== true;
}

async function readRequest(request: IncomingMessage): Promise<ImagingDocumentSetRequest | RequestFault> {
  try {
    return readImagingDocumentSetRequest(await readEnvelope(request));
  } catch {
    return { code: "Sender", reason: "The message cannot be read" };
  }
}

async function readEnvelope(request: IncomingMessage): Promise<string> {
  if (isPlain(request)) return await textOf(request);
  const boundary = parseMediaType(request.headers["content-type"])?.parameters.get("boundary");
  let text: string | undefined;
  // What follows the envelope is read too, so that the connection can be used again.
  for await (const part of readMultipart(request, { boundary })) {
    text ??= await textOf(part.body);
  }
  if (text === undefined) throw new Error("no part");
  return text;
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces = createBytePieces();
  for await (const piece of body) {
    pieces.add(piece);
    if (pieces.sizeBytes > MAXIMUM_REQUEST_BYTES) throw new Error("too long");
  }
  return pieces.bytes().toString("utf8");
}

function faultPlan(fault: RequestFault, profile: ResponderProfile, relatesTo: string | undefined): AnswerPlan {
  const { leadingLineEnd, finalLineEnd } = PROFILES[profile];
  return {
    httpStatus: fault.code === "Sender" ? 400 : 500,
    headers: {},
    action: ACTIONS.fault,
    relatesTo,
    fault,
    status: RESPONSE_STATUS.failure,
    errors: [],
    documents: [],
    parts: [],
    framing: "plain",
    boundary: "",
    rootId: "",
    leadingLineEnd,
    finalLineEnd,
  };
}
