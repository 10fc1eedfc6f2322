import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import { errorFields } from "../observe/error-fields.ts";
import { systemCodeOf } from "../units/durable-files.ts";
import { limitConnections } from "../units/limit-connections.ts";
import { createSparseLogger } from "../units/sparse-logger.ts";
import { type Answering, addApiRoutes } from "./answer.ts";
import { createAuthenticator } from "./authenticate.ts";
import { createDashboard, type Dashboard } from "./dashboard.ts";
import { storeDocument } from "./dicomweb/store-document.ts";
import { addStoreRoutes, STORE_PATHS } from "./dicomweb/store-routes.ts";
import { PAGE_POLICY, SECURITY_HEADERS } from "./headers.ts";
import { limitBody, limitSilence } from "./limit-body.ts";
import { BASE, openApiDocument } from "./openapi.ts";
import { docsPage, STYLE } from "./pages.ts";
import { PROBLEM_TYPE, problemOf } from "./problem.ts";
import { routes } from "./routes/routes.ts";
import type { ApiLimits, ApiServices } from "./services.ts";
import { addSessionRoutes } from "./session.ts";
import { receiveText } from "./upload.ts";

/** Tried first when nobody says which. */
const USUAL_PORT = 8_080;
const HEADERS_MS = 15_000;
/** How often connections are looked at that take too long. */
const CHECK_MS = 5_000;
const LONGEST_HEADERS_BYTES = 32 * 1_024;
const LONGEST_PATH_PART = 512;
/** Stands for the status of an answer that nobody had whole. */
const CUT = "cut";
/** How long requests under way may go on after the end was asked for. */
const DRAIN_MS = 5_000;

export interface ApiServer extends AsyncDisposable {
  readonly port: number;
}

export interface ApiServerOptions {
  readonly host: string;
  /** Undefined: the usual one, or any free one while that is taken. */
  readonly port: number | undefined;
  /** PEM texts; undefined: without TLS. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly services: ApiServices;
}

/** The gateway's own API with its pages. @throws GatewayError API_PORT_IN_USE */
export async function startApiServer({ host, port, tls, services: given }: ApiServerOptions): Promise<ApiServer> {
  const { limits, events } = given;
  const logger = createSparseLogger(given.logger);
  const services = { ...given, logger };
  const stop = new AbortController();
  const server = fastify({
    logger: false,
    exposeHeadRoutes: false,
    forceCloseConnections: "idle",
    serverFactory: (handler) => listener(handler, tls, services),
    routerOptions: { maxParamLength: LONGEST_PATH_PART },
    frameworkErrors: (thrown, _, reply) => void answerError(thrown, reply, services),
    clientErrorHandler: answerBadClient,
  });
  const authenticator = createAuthenticator(services);
  const dashboard = createDashboard(services.version);
  const answering: Answering = { services, authenticator, stop: stop.signal };
  // Each address reads its body itself: as JSON up to its limit, or as a file.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", (_, payload, done) => done(null, payload));
  countRequests(server, services);
  // What was not read of a request is not waited for.
  server.addHook("onSend", async ({ raw }, reply) => {
    if (hasBody(raw) && !raw.complete) reply.header("connection", "close");
  });
  server.addHook("onRequest", async (request, reply) => {
    reply.headers(SECURITY_HEADERS);
    limitRequest(request, reply, limits);
    // Before anything of it is read.
    if (!request.is404) return;
    if (dashboard.isPage(request)) await dashboard.sendFile("/", request, reply);
    else await answerUnknown(request, reply, answering, dashboard);
  });
  addPages(server, services, dashboard);
  addSessionRoutes(server, services, { authenticator, readJson: (request) => jsonOf(request, limits.bodyBytes) });
  addApiRoutes(server, routes, answering);
  if (services.takeParts !== undefined) addStoreRoutes(server, answering);
  server.setErrorHandler((thrown, _, reply) => answerError(thrown, reply, services));
  await listen(server, host, port);
  const address = server.server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : (port ?? 0),
    async [Symbol.asyncDispose]() {
      const timer = setTimeout(() => server.server.closeAllConnections(), DRAIN_MS);
      stop.abort(new GatewayError("API_STOPPING"));
      await events[Symbol.asyncDispose]();
      await server.close();
      clearTimeout(timer);
      logger[Symbol.dispose]();
    },
  };
}

function listener(
  handler: RequestListener,
  tls: ApiServerOptions["tls"],
  { limits: { requestMs, idleMs, connections }, logger }: Pick<ApiServices, "limits" | "logger">,
): HttpServer {
  const options = {
    // Bodies have limits of their own: a study takes longer than a form.
    requestTimeout: 0,
    headersTimeout: Math.min(HEADERS_MS, requestMs),
    connectionsCheckingInterval: Math.min(CHECK_MS, requestMs),
    keepAliveTimeout: idleMs,
    maxHeaderSize: LONGEST_HEADERS_BYTES,
  };
  const server =
    tls === undefined ? createHttpServer(options, handler) : createHttpsServer({ ...options, ...tls }, handler);
  limitConnections(server, { maximum: connections, logger });
  server.setTimeout(idleMs);
  // RFC 9110 10.1.1. Its body is in no handler's hands, nor under any time limit.
  server.on("checkExpectation", (_, response) => response.writeHead(417, { connection: "close" }).end());
  return server;
}

/** Each once: answered, or cut when its connection ended before the answer was whole, of which the framework tells nothing. */
function countRequests(server: FastifyInstance, { meter }: Pick<ApiServices, "meter">): void {
  const answered = new WeakSet<FastifyReply>();
  const routeOf = ({ method, routeOptions }: FastifyRequest): string => `${method} ${routeOptions.url ?? "unknown"}`;
  server.addHook("onRequest", async (request, reply) => {
    reply.raw.once("close", () => {
      if (answered.has(reply)) return;
      meter.add("http_requests_total", 1, { route: routeOf(request), status: CUT });
    });
  });
  server.addHook("onResponse", async (request, reply) => {
    answered.add(reply);
    const route = routeOf(request);
    meter.add("http_requests_total", 1, { route, status: String(reply.statusCode) });
    meter.observe("http_request_duration_seconds", reply.elapsedTime / 1_000, { route });
  });
}

/** RFC 9112 6. */
function hasBody({ headers }: FastifyRequest["raw"]): boolean {
  return headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
}

function limitRequest(
  { raw, routeOptions }: FastifyRequest,
  reply: FastifyReply,
  { requestMs, storeMs, slowest, idleMs }: ApiLimits,
): void {
  if (!hasBody(raw)) {
    limitSilence(raw, reply.raw, idleMs);
    return;
  }
  const isStore = routeOptions.url?.startsWith(STORE_PATHS[0]) === true;
  limitBody(raw, reply.raw, { wholeMs: isStore ? storeMs : requestMs, slowest, idleMs }, () =>
    answerBadClient(Object.assign(new Error(), { code: "ERR_HTTP_REQUEST_TIMEOUT" }), raw.socket),
  );
}

async function listen(server: FastifyInstance, host: string, port: number | undefined): Promise<void> {
  try {
    await server.listen({ host, port: port ?? USUAL_PORT });
  } catch (thrown) {
    const code = systemCodeOf(thrown) ?? "";
    if (port === undefined && code === "EADDRINUSE") return await listen(server, host, 0);
    await server.close();
    throw /^E(?:ADDRINUSE|ACCES|ADDRNOTAVAIL|NOTFOUND)$/.test(code)
      ? new GatewayError("API_PORT_IN_USE", { host, port: port ?? USUAL_PORT, cause: code }, thrown)
      : thrown;
  }
}

/** What answers without a token. */
function addPages(
  server: FastifyInstance,
  { version, metrics, health, takeParts }: ApiServices,
  dashboard: Dashboard,
): void {
  const page = (path: string, text: string): void => {
    server.get(path, (_, reply) =>
      reply.header("content-security-policy", PAGE_POLICY).type("text/html; charset=utf-8").send(text),
    );
  };
  for (const path of dashboard.paths) server.get(path, (request, reply) => dashboard.sendFile(path, request, reply));
  const beside = takeParts === undefined ? [] : [storeDocument];
  page("/docs", docsPage(routes, beside));
  server.get("/style.css", (_, reply) => reply.type("text/css; charset=utf-8").send(STYLE));
  const document = openApiDocument(routes, version, beside);
  server.get("/openapi.json", () => document);
  server.get("/health/live", () => ({ status: "ok", version }));
  server.get("/health/ready", async (_, reply) => {
    const { isReady, checks } = await health();
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? "ok" : "not ready", checks });
  });
  server.get("/metrics", async (_, reply) => {
    const { contentType, text } = await metrics();
    return reply.type(contentType).send(text);
  });
}

async function jsonOf(request: FastifyRequest, limitBytes: number): Promise<unknown> {
  const text = await receiveText(request.raw, limitBytes);
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    throw new GatewayError("API_REQUEST_MALFORMED");
  }
}

/** Below the API, who has no token does not learn what is there. */
async function answerUnknown(
  request: FastifyRequest,
  reply: FastifyReply,
  { services, authenticator }: Answering,
  dashboard: Dashboard,
): Promise<FastifyReply> {
  const [path = ""] = request.url.split("?");
  try {
    if (path.startsWith(`${BASE}/`) || path === BASE || path.startsWith("/dicomweb/"))
      await authenticator.identify(request);
    const allowed = dashboard.paths.includes(path) ? ["GET"] : methodsAt(path, services);
    if (allowed.length === 0) throw new GatewayError("API_ADDRESS_UNKNOWN");
    reply.header("allow", allowed.join(", "));
    throw new GatewayError("API_METHOD_NOT_ALLOWED");
  } catch (thrown) {
    return answerError(thrown, reply, services);
  }
}

const PAGES = ["/docs", "/style.css", "/openapi.json", "/health/live", "/health/ready", "/metrics"];

function methodsAt(path: string, { takeParts }: Pick<ApiServices, "takeParts">): readonly string[] {
  if (takeParts !== undefined && /^\/dicomweb\/studies(?:\/[^/]+)?$/.test(path)) return ["POST"];
  if (PAGES.includes(path)) return ["GET"];
  if (path === "/session") return ["GET", "POST", "DELETE"];
  const given = path.split("/");
  const matches = (template: string): boolean => {
    const expected = template.split("/");
    return expected.length === given.length && expected.every((part, at) => part.startsWith("{") || part === given[at]);
  };
  // An address of its own goes before one that has a name in its place.
  const here = routes.some((route) => BASE + route.path === path)
    ? routes.filter((route) => BASE + route.path === path)
    : routes.filter((route) => matches(BASE + route.path));
  return here.map(({ method }) => method);
}

/** problem+json, whatever went wrong; what nobody foresaw goes to the log, without its text. */
function answerError(thrown: unknown, reply: FastifyReply, { logger }: Pick<ApiServices, "logger">): FastifyReply {
  const error = thrown instanceof GatewayError ? thrown : (ofServer(thrown) ?? toGatewayError(thrown));
  const problem = problemOf(error);
  if (problem.status >= 500) logger.error("request failed", { status: problem.status, ...errorFields(error) });
  const { retryAfterMs } = error.details;
  if (typeof retryAfterMs === "number") reply.header("retry-after", Math.max(1, Math.ceil(retryAfterMs / 1_000)));
  if (problem.status === 401) reply.header("www-authenticate", 'Bearer realm="radferry"');
  return reply.code(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem));
}

/** Errors of the server below us: a path that cannot be read, a body that ended too early. */
function ofServer(thrown: unknown): GatewayError | undefined {
  if (systemCodeOf(thrown) === "ECONNRESET" || systemCodeOf(thrown) === "ERR_STREAM_PREMATURE_CLOSE")
    return new GatewayError("API_REQUEST_MALFORMED", {}, thrown);
  const status = thrown instanceof Error && "statusCode" in thrown ? Number(thrown.statusCode) : 500;
  if (status === 404) return new GatewayError("API_ADDRESS_UNKNOWN", {}, thrown);
  if (status === 413) return new GatewayError("API_BODY_TOO_LARGE", {}, thrown);
  if (status === 415) return new GatewayError("API_CONTENT_TYPE_UNSUPPORTED", {}, thrown);
  return status >= 400 && status < 500 ? new GatewayError("API_REQUEST_MALFORMED", {}, thrown) : undefined;
}

/** What is no HTTP, or too slow, before anything of it was understood. */
function answerBadClient(thrown: NodeJS.ErrnoException, socket: import("node:net").Socket): void {
  if (!socket.writable) return void socket.destroy();
  const code = thrown.code === "ERR_HTTP_REQUEST_TIMEOUT" ? "API_REQUEST_TIMED_OUT" : "API_REQUEST_MALFORMED";
  const problem = problemOf(new GatewayError(code));
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${code === "API_REQUEST_TIMED_OUT" ? "Request Timeout" : "Bad Request"}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(SECURITY_HEADERS).map(([name, value]) => `${name}: ${value}`),
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}
