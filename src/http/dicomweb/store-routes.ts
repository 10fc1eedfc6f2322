import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { PartsOutcome } from "../../archive/intake/take-parts.ts";
import { isUid } from "../../dicom/uid.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { storeResponse, storeResponseType, storeStatus } from "../../network/dicomweb/store-response.ts";
import { parseMediaType } from "../../network/http-client/media-type.ts";
import { readMultipart } from "../../network/multipart/reader.ts";
import { USUAL_MULTIPART_LIMITS } from "../../network/multipart/scanner.ts";
import { maySend } from "../../units/actor.ts";
import { createSemaphore } from "../../units/semaphore.ts";
import { type Answering, whenGone } from "../answer.ts";
import type { Identity } from "../authenticate.ts";

/** Addresses of STOW-RS. PS3.18 10.5.1. */
export const STORE_PATHS = ["/dicomweb/studies", "/dicomweb/studies/{study}"] as const;
const OPERATION = "storeInstances";
const BUSY_RETRY_MS = 5_000;
/** Of reasons that are told by headers. */
const WARNINGS = 10;

/** STOW-RS: studies that are sent to us by HTTP. PS3.18 10.5. */
export function addStoreRoutes(server: FastifyInstance, answering: Answering): void {
  const requests = createSemaphore(answering.services.limits.stores);
  const identities = new WeakMap<FastifyRequest, Identity>();
  for (const path of STORE_PATHS) {
    server.route<{ Params: { study?: string } }>({
      method: "POST",
      url: path.replace("{study}", ":study"),
      // Nothing of a body is read before it is known whose it is.
      onRequest: async (request) => {
        const identity = await answering.authenticator.identify(request);
        await requireSender(identity, answering);
        identities.set(request, identity);
      },
      handler: async (request, reply) => {
        const identity = identities.get(request);
        if (identity === undefined) throw new GatewayError("INTERNAL", { what: "identity" });
        if (requests.inUse >= answering.services.limits.stores)
          throw new GatewayError("INTAKE_BUSY", { retryAfterMs: BUSY_RETRY_MS });
        using _turn = await requests.acquire();
        return await answerStore(request, reply, { identity, study: request.params.study, answering });
      },
    });
  }
}

/** @throws GatewayError ROLE_INSUFFICIENT: the refusal is in the audit trail */
async function requireSender({ actor }: Identity, { services }: Answering): Promise<void> {
  if (maySend(actor)) return;
  const detail = { operation: OPERATION, needed: "sender" };
  await services.audit.record({ event: "operation-refused", actor, outcome: "refused", detail });
  throw new GatewayError("ROLE_INSUFFICIENT", { ...detail, role: actor.role ?? "none" });
}

async function answerStore(
  request: FastifyRequest,
  reply: FastifyReply,
  {
    identity: { actor },
    study,
    answering: { services, stop },
  }: { readonly identity: Identity; readonly study: string | undefined; readonly answering: Answering },
): Promise<FastifyReply> {
  const { limits, takeParts } = services;
  if (stop.aborted) throw new GatewayError("API_STOPPING");
  if (takeParts === undefined) throw new GatewayError("API_ADDRESS_UNKNOWN");
  if (study !== undefined && !isUid(study)) throw new GatewayError("API_REQUEST_MALFORMED", { what: "study" });
  using gone = whenGone(reply, stop);
  const outcome = await takeParts({
    parts: partsOf(request, { bytes: limits.storeBytes, parts: limits.storeParts }),
    sender: { token: actor.name, projects: actor.projects, remoteAddress: request.ip },
    studyInstanceUid: study,
    instanceBytes: limits.storeInstanceBytes,
    signal: gone.signal,
  });
  if (outcome.broken === undefined || !isCut(request)) return answerOutcome(outcome, request, reply);
  const stored = storedIn(outcome);
  const cut = new GatewayError("API_REQUEST_CUT", { stored }, outcome.broken);
  services.logger.info("a sender's request was cut short", { code: cut.code, host: request.ip, instances: stored });
  return answerOutcome({ ...outcome, broken: cut }, request, reply);
}

/** Its connection is gone: nobody hears the answer. */
function isCut({ raw }: FastifyRequest): boolean {
  return raw.destroyed && !raw.complete;
}

function storedIn({ parts }: PartsOutcome): number {
  return parts.filter(({ kind }) => kind === "stored").length;
}

/** @throws GatewayError API_CONTENT_TYPE_UNSUPPORTED; the parts, as they are read, API_BODY_TOO_LARGE, MULTIPART_… */
function partsOf(
  { headers, raw }: FastifyRequest,
  limits: { readonly bytes: number; readonly parts: number },
): ReturnType<typeof readMultipart> {
  const media = parseMediaType(headers["content-type"]);
  const of = media?.parameters.get("type")?.toLowerCase() ?? "application/dicom";
  if (media?.type !== "multipart/related" || of !== "application/dicom")
    throw new GatewayError("API_CONTENT_TYPE_UNSUPPORTED", { accepted: 'multipart/related; type="application/dicom"' });
  return readMultipart(limited(raw, limits.bytes), {
    boundary: media.parameters.get("boundary"),
    limits: { ...USUAL_MULTIPART_LIMITS, parts: limits.parts },
  });
}

/** A stream that is left early is not destroyed: its sender is to be answered. */
async function* limited(body: FastifyRequest["raw"], limitBytes: number): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const piece of body.iterator({ destroyOnReturn: false })) {
    const bytes: Buffer = piece;
    length += bytes.length;
    if (length > limitBytes) throw new GatewayError("API_BODY_TOO_LARGE", { limitBytes });
    yield bytes;
  }
}

const MALFORMED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "MULTIPART_LIMIT_EXCEEDED",
  "MULTIPART_MALFORMED",
  "MULTIPART_TRUNCATED",
]);

/** Where the end of a request is missing, what was stored before is stored: its sender is told, and that something failed. */
function answerOutcome(outcome: PartsOutcome, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { parts, broken } = outcome;
  const stored = storedIn(outcome);
  if (broken !== undefined && (stored === 0 || broken.code === "API_BODY_TOO_LARGE"))
    throw MALFORMED.has(broken.code)
      ? new GatewayError("API_REQUEST_MALFORMED", { because: broken.code }, broken)
      : broken;
  if (parts.length === 0) throw new GatewayError("API_REQUEST_MALFORMED", { what: "no part" });
  const told = broken === undefined ? parts : [...parts, UNREAD];
  const type = storeResponseType(request.headers.accept);
  const warnings = new Set(parts.flatMap((part) => (part.kind === "failed" ? (part.reason ?? []) : [])));
  // RFC 7234 5.5.
  const lines = [...warnings].slice(0, WARNINGS).map((reason) => `299 radferry "${printable(reason)}"`);
  if (lines.length > 0) reply.header("warning", lines);
  // As bytes: to a text the server below us adds a character set, which dicomweb-client takes for another type.
  return reply
    .code(storeStatus(told))
    .header("content-type", type)
    .send(Buffer.from(storeResponse(told, type)));
}

const UNREAD = {
  kind: "failed",
  sopClassUid: undefined,
  sopInstanceUid: undefined,
  status: 0xc000,
  reason: "The request ended too early",
} as const;

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?").replaceAll(/["\\]/g, "'");
}
