import { createHash, timingSafeEqual } from "node:crypto";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import { GatewayError, toGatewayError } from "../../../errors/gateway-error.ts";
import { errorFields } from "../../../observe/error-fields.ts";
import { systemCodeOf } from "../../../units/durable-files.ts";
import { HttpError, INTERNAL_DETAIL } from "../errors.ts";
import { openApiDocument, openApiPage } from "./openapi.ts";
import type { Route, RouteContext } from "./route.ts";
import { routes } from "./routes.ts";
import { schemas } from "./schemas.ts";
import { parsedBody, ValidationFailure } from "./validation.ts";

/** A project with the longest list of users or files that anybody has sent. */
const MAXIMUM_BODY_BYTES = 16 * 1024 * 1024;
const MAXIMUM_PATH_PART = 4_096;
/** How long requests under way may go on after the end was asked for. */
const DRAIN_MS = 10_000;

export interface FlipServer extends AsyncDisposable {
  readonly port: number;
}

export interface FlipServerOptions extends Omit<RouteContext, "xnat" | "signal"> {
  readonly host: string;
  readonly port: number;
  readonly version: string;
  /** Names of background work that ended or fails. */
  readonly deadTasks: () => readonly string[];
}

/** Answers as FLIP's imaging-api does. @throws GatewayError FLIP_PORT_IN_USE */
export async function startFlipServer(options: FlipServerOptions): Promise<FlipServer> {
  const { services, host, port } = options;
  const stop = new AbortController();
  const server = fastify({
    logger: false,
    bodyLimit: MAXIMUM_BODY_BYTES,
    exposeHeadRoutes: false,
    forceCloseConnections: "idle",
    routerOptions: { maxParamLength: MAXIMUM_PATH_PART },
  });
  // Whatever a caller says of its body, it is read as what it must be.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_, body, done) => done(null, body));
  const xnat = services.sessions.service;
  const context: RouteContext = { ...options, xnat, signal: stop.signal };
  addPages(server, options);
  for (const route of routes) addRoute(server, route, context);
  server.setNotFoundHandler((request, reply) => answerUnknown(request, reply, options));
  server.setErrorHandler((thrown, _, reply) => answerError(thrown, reply, options));
  try {
    await server.listen({ host, port });
  } catch (thrown) {
    await server.close();
    const isTaken = /^E(?:ADDRINUSE|ACCES|ADDRNOTAVAIL)$/.test(systemCodeOf(thrown) ?? "");
    throw isTaken ? new GatewayError("FLIP_PORT_IN_USE", { host, port }, thrown) : thrown;
  }
  const address = server.server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    async [Symbol.asyncDispose]() {
      const timer = setTimeout(() => stop.abort(new GatewayError("CANCELLED")), DRAIN_MS);
      await server.close();
      clearTimeout(timer);
    },
  };
}

/** Pages that need no key. */
function addPages(server: FastifyInstance, { services, version, deadTasks }: FlipServerOptions): void {
  server.get("/health", () => {
    const dead = [...deadTasks()].sort();
    return schemas.Health.parse({ status: dead.length === 0 ? "ok" : "degraded", version, dead_tasks: dead });
  });
  if (services.settings.isProduction) return;
  const document = openApiDocument(routes);
  server.get("/openapi.json", () => document);
  for (const path of ["/docs", "/redoc"]) {
    server.get(path, (_, reply) => reply.type("text/html; charset=utf-8").send(openApiPage(routes)));
  }
}

function addRoute(server: FastifyInstance, route: Route, context: RouteContext): void {
  server.route({
    method: route.method,
    url: route.path.replaceAll(/\{(\w+)\}/g, ":$1"),
    onRequest: (request, _, done) => done(refusalOf(request, context.services.settings.serviceKey)),
    async handler({ params, query, body }, reply) {
      const bytes = body instanceof Buffer ? body : undefined;
      const raw = { path: params, query, body: route.body === undefined ? undefined : parsedBody(bytes) };
      return reply.code(route.status).send(await route.run(raw, context));
    },
  });
}

/** @returns undefined when the key is right */
function refusalOf(
  { headers }: FastifyRequest,
  { header, value }: { readonly header: string; readonly value: string },
): HttpError | undefined {
  const given = headers[header.toLowerCase()];
  if (typeof given !== "string" || given === "")
    return new HttpError(401, "Not authenticated: trust-internal service key is missing.");
  if (value === "") return new HttpError(401, "Not authenticated: trust-internal service key is not configured.");
  return isSame(given, value)
    ? undefined
    : new HttpError(401, "Not authenticated: trust-internal service key is invalid.");
}

/** Takes as long whatever is given. Header values are Latin-1 on the wire. */
function isSame(given: string, expected: string): boolean {
  const digest = (bytes: Buffer): Buffer => createHash("sha256").update(bytes).digest();
  return timingSafeEqual(digest(Buffer.from(given, "latin1")), digest(Buffer.from(expected, "utf8")));
}

const templates = ["/health", ...routes.map(({ path }) => path)];

function matches(template: string, path: string): boolean {
  const [expected, given] = [template.split("/"), path.split("/")];
  return (
    expected.length === given.length &&
    expected.every((part, index) => (part.startsWith("{") ? given[index] !== "" : part === given[index]))
  );
}

/** A slash too many or too few leads to the right address; another method is told which ones there are. */
function answerUnknown(request: FastifyRequest, reply: FastifyReply, { services }: FlipServerOptions): FastifyReply {
  const [path = "", ...query] = request.url.split("?");
  const pages = services.settings.isProduction ? [] : ["/docs", "/redoc", "/openapi.json"];
  const all = [...templates, ...pages];
  if (all.some((template) => matches(template, path))) {
    const ofPath = routes.filter((route) => matches(route.path, path)).map(({ method }) => method);
    const allowed = ofPath.length === 0 ? ["GET"] : ofPath;
    return reply.code(405).header("allow", allowed.join(", ")).send({ detail: "Method Not Allowed" });
  }
  const other = path.endsWith("/") ? path.replace(/\/+$/, "") : `${path}/`;
  if (path !== "/" && all.some((template) => matches(template, other))) {
    const location = [`${request.protocol}://${request.host}${other}`, ...query].join("?");
    return reply.code(307).header("location", location).send();
  }
  return reply.code(404).send({ detail: "Not Found" });
}

function answerError(thrown: unknown, reply: FastifyReply, { services }: FlipServerOptions): FastifyReply {
  const { logger } = services;
  if (thrown instanceof ValidationFailure) return reply.code(422).send({ detail: thrown.problems });
  if (thrown instanceof HttpError) {
    if (thrown.status >= 500) logger.error("flip request failed", { status: thrown.status, ...errorFields(thrown) });
    return reply.code(thrown.status).send({ detail: thrown.detail });
  }
  // Of the server itself: a body that is too long, a request that is no HTTP.
  const status = thrown instanceof Error && "statusCode" in thrown ? Number(thrown.statusCode) : 500;
  if (status >= 400 && status < 500 && !(thrown instanceof GatewayError))
    return reply.code(status).send({ detail: status === 413 ? "Request body is too large" : "Bad Request" });
  logger.error("flip request failed", { status: 500, ...errorFields(toGatewayError(thrown)) });
  return reply.code(500).send({ detail: INTERNAL_DETAIL });
}
