import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import { trimTrailing } from "../../dicom/values-trim.ts";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import { errorFields } from "../../observe/error-fields.ts";
import { systemCodeOf } from "../../units/durable-files.ts";
import { limitConnections } from "../../units/limit-connections.ts";
import type { Logger } from "../../units/logger.ts";
import { MAXIMUM_HTTP_CONNECTIONS, REQUEST_LIMITS, type RequestLimits } from "../../units/request-limits.ts";
import { createSparseLogger } from "../../units/sparse-logger.ts";
import { takeBodies } from "../gather-body.ts";
import { AnswerError, INTERNAL_DETAIL } from "./answer-error.ts";
import { parsedBody } from "./json-body.ts";
import { type FacePages, openApiDocument, openApiPage } from "./openapi.ts";
import type { Route } from "./route.ts";
import { ValidationFailure } from "./validation.ts";

const MAXIMUM_PATH_PART = 4_096;
/** How long requests under way may go on after the end was asked for. */
const DRAIN_MS = 10_000;

export interface FaceServer extends AsyncDisposable {
  readonly port: number;
}

export interface FaceServerOptions<Context> extends Omit<FacePages, "routes"> {
  /** In the log. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly routes: readonly Route<Context>[];
  /** @param signal aborted when the face stops */
  readonly context: (signal: AbortSignal) => Context;
  /** What is answered to GET at addresses that the pages of the API do not list, by path. */
  readonly unlisted?: Readonly<Record<string, () => unknown>>;
  readonly showsPages: boolean;
  /**
   * True: a body whose type is not JSON is a text, as in newer versions of FastAPI. It keeps other sites' pages out: before a browser sends
   * JSON to another site it asks that site.
   */
  readonly needsJsonType: boolean;
  readonly maximumBodyBytes: number;
  /** Undefined: the request may go on. Called before the body is read. */
  readonly refusalOf: (request: FastifyRequest, route: Route<Context>) => AnswerError | undefined;
  /** What an error is answered with. Undefined: as one that nobody foresaw. */
  readonly answerFor?: (error: GatewayError) => AnswerError | undefined;
  readonly portCode: "FLIP_PORT_IN_USE" | "PIXL_PORT_IN_USE";
  readonly logger: Logger;
  readonly limits?: RequestLimits;
}

/** Answers as FastAPI does. @throws GatewayError with the port's code, when it is taken */
export async function startFaceServer<Context>(given: FaceServerOptions<Context>): Promise<FaceServer> {
  const logger = createSparseLogger(given.logger);
  const options = { ...given, logger };
  const { host, port, maximumBodyBytes, limits = REQUEST_LIMITS } = options;
  const stop = new AbortController();
  const server = fastify({
    logger: false,
    http: { ...limits },
    requestTimeout: limits.requestTimeout,
    bodyLimit: maximumBodyBytes,
    exposeHeadRoutes: false,
    forceCloseConnections: "idle",
    routerOptions: { maxParamLength: MAXIMUM_PATH_PART },
    // An address that cannot be decoded.
    frameworkErrors: (_, __, reply) => sendDetail(reply, 404, "Not Found"),
  });
  limitConnections(server.server, { maximum: MAXIMUM_HTTP_CONNECTIONS, logger });
  takeBodies(server);
  addPages(server, options);
  const context = options.context(stop.signal);
  for (const route of options.routes) addRoute(server, route, options, context);
  server.addHook("onRequest", async (request, reply) => {
    // Before anything of it is read: nobody's key was asked for.
    if (request.is404) await answerUnknown(request, reply, options);
  });
  server.setErrorHandler((thrown, _, reply) => answerError(thrown, reply, options));
  try {
    await server.listen({ host, port });
  } catch (thrown) {
    await server.close();
    const cause = systemCodeOf(thrown) ?? "";
    const isTaken = /^E(?:ADDRINUSE|ACCES|ADDRNOTAVAIL)$/.test(cause);
    throw isTaken ? new GatewayError(options.portCode, { host, port, cause }, thrown) : thrown;
  }
  const address = server.server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    async [Symbol.asyncDispose]() {
      const timer = setTimeout(() => stop.abort(new GatewayError("CANCELLED")), DRAIN_MS);
      await server.close();
      clearTimeout(timer);
      logger[Symbol.dispose]();
    },
  };
}

const JSON_TYPE = "application/json";
/** RFC 6839 3.1: types whose syntax is JSON. */
const IS_JSON_TYPE = /^application\/(?:[^;\s]+\+)?json\s*(?:;|$)/i;

/** Buffers go out as they are, with the type as it is. */
function sendJson(reply: FastifyReply, status: number, json: string): FastifyReply {
  return reply.code(status).header("content-type", JSON_TYPE).send(Buffer.from(json));
}

function sendDetail(reply: FastifyReply, status: number, detail: unknown): FastifyReply {
  return sendJson(reply, status, JSON.stringify({ detail }));
}

/** The second is where a login of the original's page comes back to; this page has none. */
const PAGES = ["/docs", "/docs/oauth2-redirect", "/redoc"];
const DOCUMENT = "/openapi.json";
/** Of the pages; FastAPI answers no HEAD at the addresses of the API itself. */
const PAGE_METHODS = ["GET", "HEAD"];

/** What is answered without a key. */
function addPages<Context>(server: FastifyInstance, options: FaceServerOptions<Context>): void {
  for (const [path, answer] of Object.entries(options.unlisted ?? {})) {
    server.get(path, (_, reply) => sendJson(reply, 200, JSON.stringify(answer())));
  }
  if (!options.showsPages) return;
  const document = JSON.stringify(openApiDocument(options));
  server.route({ method: PAGE_METHODS, url: DOCUMENT, handler: (_, reply) => sendJson(reply, 200, document) });
  const page = openApiPage(options);
  const handler = (_: FastifyRequest, reply: FastifyReply) => reply.type("text/html; charset=utf-8").send(page);
  for (const url of PAGES) server.route({ method: PAGE_METHODS, url, handler });
}

function addRoute<Context>(
  server: FastifyInstance,
  route: Route<Context>,
  { refusalOf, needsJsonType }: FaceServerOptions<Context>,
  context: Context,
): void {
  server.route({
    method: route.method,
    // A parameter is not empty: `/users//x` is not this route.
    url: route.path.replaceAll(/\{(\w+)\}/g, ":$1(.+)"),
    onRequest: (request, _, done) => done(refusalOf(request, route)),
    async handler({ params, query, body, headers }, reply) {
      const isJson = !needsJsonType || IS_JSON_TYPE.test(headers["content-type"] ?? "");
      const raw = { path: params, query, body: route.body && bodyOf(body, isJson) };
      return sendJson(reply, route.status, await route.run(raw, context));
    },
  });
}

/** @throws ValidationFailure */
function bodyOf(body: unknown, isJson: boolean): unknown {
  const bytes = body instanceof Buffer && body.length > 0 ? body : undefined;
  return isJson ? parsedBody(bytes) : bytes?.toString("utf8");
}

function matches(template: string, path: string): boolean {
  const [expected, given] = [template.split("/"), path.split("/")];
  return (
    expected.length === given.length &&
    expected.every((part, index) => (part.startsWith("{") ? given[index] !== "" : part === given[index]))
  );
}

/** A slash too many or too few leads to the right address; another method is told which ones there are. */
function answerUnknown<Context>(
  request: FastifyRequest,
  reply: FastifyReply,
  { routes, unlisted = {}, showsPages }: FaceServerOptions<Context>,
): FastifyReply {
  const [path = "", ...query] = request.url.split("?");
  const pages = showsPages ? [...PAGES, DOCUMENT] : [];
  const all = [...Object.keys(unlisted), ...routes.map((route) => route.path), ...pages];
  if (all.some((template) => matches(template, path))) {
    const ofPath = routes.filter((route) => matches(route.path, path)).map(({ method }) => method);
    const allowed = pages.includes(path) ? PAGE_METHODS : ofPath.length === 0 ? ["GET"] : ofPath;
    return sendDetail(reply.header("allow", allowed.join(", ")), 405, "Method Not Allowed");
  }
  const other = path.endsWith("/") ? trimTrailing(path, "/") : `${path}/`;
  if (path !== "/" && all.some((template) => matches(template, other))) {
    const location = [`${request.protocol}://${request.host}${other}`, ...query].join("?");
    return reply.code(307).header("location", location).send();
  }
  return sendDetail(reply, 404, "Not Found");
}

function answerError<Context>(
  thrown: unknown,
  reply: FastifyReply,
  { logger, name, answerFor }: FaceServerOptions<Context>,
): FastifyReply {
  if (thrown instanceof ValidationFailure) return sendDetail(reply, 422, thrown.problems);
  // Thrown by the server itself: a body that is too long, a request that is no HTTP.
  const ownStatus = thrown instanceof Error && "statusCode" in thrown ? Number(thrown.statusCode) : 500;
  if (ownStatus >= 400 && ownStatus < 500 && !(thrown instanceof GatewayError))
    return sendDetail(reply, ownStatus, ownStatus === 413 ? "Request body is too large" : "Bad Request");
  const error = thrown instanceof AnswerError ? thrown : toGatewayError(thrown);
  const answer = error instanceof AnswerError ? error : answerFor?.(error);
  const { status, detail } = answer ?? { status: 500, detail: INTERNAL_DETAIL };
  if (status >= 500) logger.error("request failed", { kind: name, status, ...errorFields(error) });
  return sendDetail(reply, status, detail);
}
