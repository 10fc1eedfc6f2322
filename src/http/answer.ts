import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { GatewayError } from "../errors/gateway-error.ts";
import { isoTime } from "../operations/describe.ts";
import { hasRole } from "../units/actor.ts";
import type { Authenticator, Identity } from "./authenticate.ts";
import { SECURITY_HEADERS } from "./headers.ts";
import { BASE, operationIdOf } from "./openapi.ts";
import { answeredOnce, IDEMPOTENCY_HEADER } from "./repeatable.ts";
import type { RequestContext, Route } from "./route.ts";
import { EVENTS_PATH } from "./routes/routes.ts";
import type { ApiServices } from "./services.ts";
import { receiveText, receiveUpload, type Upload } from "./upload.ts";
import { RequestError } from "./validation.ts";

export interface Answering {
  readonly services: ApiServices;
  readonly authenticator: Authenticator;
  /** Aborted when the gateway stops. */
  readonly stop: AbortSignal;
}

const JSON_TYPE = "application/json; charset=utf-8";

/** The answers of one table: who asks, whether he may, what he sends, then the route itself. */
export function addApiRoutes(server: FastifyInstance, routes: readonly Route[], answering: Answering): void {
  for (const route of routes) {
    server.route({
      method: route.method,
      url: BASE + route.path.replaceAll(/\{(\w+)\}/g, ":$1"),
      // Nothing of a body is read before it is known whose it is.
      onRequest: async (request) => {
        const identity = await answering.authenticator.identify(request);
        await requireRole(answering.services, identity, route);
        identities.set(request, identity);
      },
      handler: (request, reply) =>
        route.path === EVENTS_PATH
          ? followEvents(request, reply, answering)
          : answerRoute(route, { request, reply, answering }),
    });
  }
}

const identities = new WeakMap<FastifyRequest, Identity>();

function identityOf(request: FastifyRequest): Identity {
  const identity = identities.get(request);
  if (identity === undefined) throw new GatewayError("INTERNAL", { what: "identity" });
  return identity;
}

/** @throws GatewayError ROLE_INSUFFICIENT: the refusal is in the audit trail */
async function requireRole({ audit }: ApiServices, { actor }: Identity, route: Route): Promise<void> {
  const { least: needed, operation } = route;
  if (hasRole(actor, needed)) return;
  const detail = { operation, needed, route: operationIdOf(route) };
  await audit.record({ event: "operation-refused", actor, outcome: "refused", detail });
  throw new GatewayError("ROLE_INSUFFICIENT", { operation, needed, role: actor.role ?? "none" });
}

interface Asked {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly answering: Answering;
}

async function answerRoute(route: Route, { request, reply, answering }: Asked): Promise<FastifyReply> {
  const { services, stop } = answering;
  if (stop.aborted) throw new GatewayError("API_STOPPING");
  const { actor, token } = identityOf(request);
  using gone = whenGone(reply, stop);
  const context: RequestContext = {
    operations: services.operationsFor(actor),
    actor,
    expiresAt: isoTime(token.expiresAtMs),
    services,
    request,
    reply,
    signal: gone.signal,
  };
  await using body = await receiveBody(route, request, { services, signal: gone.signal });
  const raw = { path: request.params, query: request.query, body: body.value };
  if (!(route.answer instanceof z.ZodType)) {
    const text = await route.run(raw, context);
    const { contentType } = route.answer;
    const type = contentType.startsWith("text/") ? `${contentType}; charset=utf-8` : contentType;
    return reply.code(route.status).type(type).send(text);
  }
  const key = route.isRepeatable ? request.headers[IDEMPOTENCY_HEADER] : undefined;
  const asked = [route.method, request.url, body.digest];
  const answer = await answeredOnce(services, { key, asker: token.id, asked }, async () => {
    return { status: route.status, body: JSON.stringify(await route.run(raw, context)) };
  });
  if (answer.isRepeated) reply.header("idempotency-replayed", "true");
  return reply.code(answer.status).type(JSON_TYPE).send(answer.body);
}

interface ReceivedBody extends AsyncDisposable {
  readonly value: unknown;
  readonly digest: string;
}

const NO_BODY: ReceivedBody = { value: undefined, digest: "", [Symbol.asyncDispose]: () => Promise.resolve() };

async function receiveBody(
  route: Route,
  request: FastifyRequest,
  { services, signal }: { readonly services: ApiServices; readonly signal: AbortSignal },
): Promise<ReceivedBody> {
  const { limits, uploadFolder: folder } = services;
  const contentType = request.headers["content-type"];
  if (route.takesFile) {
    const options = { contentType, folder, limitBytes: limits.uploadBytes, signal };
    const upload: Upload = await receiveUpload(request.raw, options);
    return { value: upload, digest: upload.digest, [Symbol.asyncDispose]: () => upload[Symbol.asyncDispose]() };
  }
  if (route.body === undefined) return NO_BODY;
  if (contentType !== undefined && !/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(contentType))
    throw new GatewayError("API_CONTENT_TYPE_UNSUPPORTED", { accepted: "application/json" });
  const text = await receiveText(request.raw, limits.bodyBytes);
  const digest = createHash("sha256").update(text).digest("hex");
  return { value: parsed(text), digest, [Symbol.asyncDispose]: () => Promise.resolve() };
}

function parsed(text: string): unknown {
  if (text.trim() === "") throw new RequestError([{ in: "body", at: "", message: "is missing" }]);
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    throw new GatewayError("API_REQUEST_MALFORMED");
  }
}

async function followEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  { services, authenticator, stop }: Answering,
): Promise<FastifyReply> {
  const { actor } = identityOf(request);
  if (stop.aborted) throw new GatewayError("API_STOPPING");
  const { events, limits } = services;
  if (events.followers >= limits.streams) throw new GatewayError("API_STREAMS_EXHAUSTED", { limit: limits.streams });
  const last = request.headers["last-event-id"];
  const lastEventId = typeof last === "string" && /^\d{1,15}$/.test(last) ? Number(last) : undefined;
  reply.hijack();
  const { raw } = reply;
  // It is silent for as long as nothing happens.
  raw.socket?.setTimeout(0);
  raw.writeHead(200, {
    ...SECURITY_HEADERS,
    "content-type": "text/event-stream; charset=utf-8",
    "x-accel-buffering": "no",
  });
  const mayGoOn = () => authenticator.isStillGood(request);
  await events.follow(raw, { actor, lastEventId, mayGoOn }).catch(() => raw.destroy());
  return reply;
}

/** Ends when the caller went away or the gateway stops. */
export function whenGone(reply: FastifyReply, stop: AbortSignal): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const onGone = (): void => {
    if (!reply.raw.writableFinished) controller.abort(new GatewayError("CANCELLED"));
  };
  const onStop = (): void => controller.abort(stop.reason);
  reply.raw.once("close", onGone);
  stop.addEventListener("abort", onStop, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      reply.raw.off("close", onGone);
      stop.removeEventListener("abort", onStop);
    },
  };
}
