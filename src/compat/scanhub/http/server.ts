import { readFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { Duplex } from "node:stream";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import { WebSocketServer } from "ws";
import { MAXIMUM_SEQUENCE_BYTES } from "../../../acquisition/sequences.ts";
import { trimTrailing } from "../../../dicom/values-trim.ts";
import { GatewayError, toGatewayError } from "../../../errors/gateway-error.ts";
import { errorFields } from "../../../observe/error-fields.ts";
import { systemCodeOf } from "../../../units/durable-files.ts";
import { limitConnections } from "../../../units/limit-connections.ts";
import { MAXIMUM_HTTP_CONNECTIONS, REQUEST_LIMITS } from "../../../units/request-limits.ts";
import { AnswerError } from "../../fastapi/answer-error.ts";
import { parsedBody } from "../../fastapi/json-body.ts";
import { ValidationFailure } from "../../fastapi/validation.ts";
import { takeBodies } from "../../gather-body.ts";
import { tapBinaryFrames } from "../device/binary-tap.ts";
import { serveDevice, type TappedSocket } from "../device/connection.ts";
import { uuid } from "../models.ts";
import type { ScanHubSettings } from "../settings.ts";
import { bearerOf, deviceOfCredentials, mayUser, userOfToken } from "../tokens.ts";
import type { ScanHubWorld } from "../world.ts";
import { type Answer, refusal, type ScanHubRoute } from "./route.ts";
import { DEVICE_BASE, PAGES, READINESS, ROUTES } from "./routes.ts";

const MAXIMUM_PATH_PART = 4_096;
const MAXIMUM_BODY_BYTES = MAXIMUM_SEQUENCE_BYTES + 1024 * 1024;
/** A longer one is neither held nor read before it is known whose it is: to read JSON of megabytes keeps every scanner waiting for seconds. */
const STRANGERS_BODY_BYTES = 64 * 1024;
/** Chunks of files; ScanHub's own software sends 1 MiB. */
const MAXIMUM_FRAME_BYTES = 16 * 1024 * 1024;
const MAXIMUM_SOCKETS = 2_000;
/** How long requests under way may go on after the end was asked for. */
const DRAIN_MS = 10_000;
/** A token of 2048 characters is one header of several. */
const MAXIMUM_HEADER_BYTES = 32 * 1024;

export interface ScanHubServer extends AsyncDisposable {
  readonly port: number;
}

/** Exam-manager and device-manager on one port. @throws GatewayError SCAN_PORT_IN_USE, SECRET_FILE_UNREADABLE */
export async function startScanHubServer(
  world: ScanHubWorld,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<ScanHubServer> {
  const server = await newServer(world);
  takeBodies(server);
  for (const path of READINESS) server.get(path, (_, reply) => answerReadiness(reply, world));
  for (const [path, page] of Object.entries(PAGES)) server.get(path, () => page());
  for (const { base, routes } of ROUTES)
    for (const route of routes) addRoute(server, `${base}${route.path}`, route, world);
  server.addHook("onRequest", async (request, reply) => {
    // Before anything of it is read.
    if (request.is404) await answerUnknown(request, reply);
  });
  server.setErrorHandler((thrown, _, reply) => answerError(thrown, reply, world));
  const devices = acceptDevices(server.server, world);
  try {
    await server.listen({ host, port });
  } catch (thrown) {
    await devices[Symbol.asyncDispose]();
    await server.close();
    const cause = systemCodeOf(thrown) ?? "";
    const isTaken = /^E(?:ADDRINUSE|ACCES|ADDRNOTAVAIL)$/.test(cause);
    throw isTaken ? new GatewayError("SCAN_PORT_IN_USE", { host, port, cause }, thrown) : thrown;
  }
  const address = server.server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    async [Symbol.asyncDispose]() {
      await devices[Symbol.asyncDispose]();
      const timer = setTimeout(() => server.server.closeAllConnections(), DRAIN_MS);
      await server.close();
      clearTimeout(timer);
    },
  };
}

async function newServer({ settings: { tls }, logger }: ScanHubWorld): Promise<FastifyInstance> {
  const http = { maxHeaderSize: MAXIMUM_HEADER_BYTES, ...REQUEST_LIMITS };
  const secure = tls === undefined ? undefined : { ...http, ...(await certificateOf(tls)) };
  const server = fastify({
    logger: false,
    bodyLimit: MAXIMUM_BODY_BYTES,
    exposeHeadRoutes: false,
    forceCloseConnections: "idle",
    routerOptions: { maxParamLength: MAXIMUM_PATH_PART },
    // An address that is no text leads nowhere.
    frameworkErrors: (_, __, reply) => sendDetail(reply, 404, "Not Found"),
    serverFactory: (handler) =>
      secure === undefined ? createServer(http, handler) : createSecureServer(secure, handler),
  });
  limitConnections(server.server, { maximum: MAXIMUM_HTTP_CONNECTIONS, logger, upgrades: true });
  return server;
}

/** @throws GatewayError SECRET_FILE_UNREADABLE */
async function certificateOf({ certificateFile, keyFile }: NonNullable<ScanHubSettings["tls"]>) {
  const read = (path: string, what: string) =>
    readFile(path).catch((thrown: unknown) => {
      throw new GatewayError("SECRET_FILE_UNREADABLE", { setting: what }, thrown);
    });
  const cert = await read(certificateFile, "RADFERRY_TLS_CERTIFICATE_FILE");
  return { cert, key: await read(keyFile, "RADFERRY_TLS_KEY_FILE") };
}

/** A body that is no JSON is refused before anybody is asked who they are, a wrong one after it, as the original does. */
function addRoute(server: FastifyInstance, url: string, route: ScanHubRoute, world: ScanHubWorld): void {
  server.route({
    method: route.method,
    // An empty part is no value: such an address leads elsewhere or nowhere.
    url: url.replaceAll(/\{(\w+)\}/g, ":$1(.+)"),
    async onRequest({ headers }) {
      if (bodyBytesOf(headers) > STRANGERS_BODY_BYTES) await callerOf(headers, route, world);
    },
    async handler(request, reply) {
      const bytes = request.body instanceof Buffer ? request.body : undefined;
      const body = route.takes === "json" ? parsedBody(bytes) : bytes;
      const { params, query, headers } = request;
      const caller = await callerOf(headers, route, world);
      const path = params as Readonly<Record<string, string>>;
      const contentType = headers["content-type"] ?? "";
      return send(reply, route, await route.run({ path, query, body, contentType, ...caller }, world));
    },
  });
}

/** Of chunks nobody says how many there will be. */
function bodyBytesOf(headers: IncomingHttpHeaders): number {
  if (headers["transfer-encoding"] !== undefined) return Number.POSITIVE_INFINITY;
  return Number(headers["content-length"] ?? 0);
}

/** @throws AnswerError 401, 403 */
async function callerOf({ authorization }: IncomingHttpHeaders, route: ScanHubRoute, world: ScanHubWorld) {
  const token = bearerOf(authorization);
  if (token === undefined) throw refusal(401, "Not authenticated");
  const user = await userOfToken(world.store, token);
  if (user === undefined) throw refusal(401, "Invalid token.");
  if (!world.settings.isStrict && !mayUser(user, route.least))
    throw refusal(403, `The token's role does not allow this: ${route.least} is needed.`);
  return { user, token };
}

function send(reply: FastifyReply, { status }: ScanHubRoute, answer: Answer): FastifyReply {
  reply.code(status);
  if (answer === "nothing") return reply.send();
  if (answer.attachment !== undefined) reply.header("content-disposition", dispositionOf(answer.attachment));
  if ("bytes" in answer) return reply.type("application/octet-stream").send(Buffer.from(answer.bytes));
  return sendJson(reply, answer.json);
}

/** Buffers go out as they are, with the type as it is: the original names no character set. */
function sendJson(reply: FastifyReply, json: unknown): FastifyReply {
  return reply.header("content-type", "application/json").send(Buffer.from(JSON.stringify(json)));
}

function sendDetail(reply: FastifyReply, status: number, detail: unknown): FastifyReply {
  return sendJson(reply.code(status), { detail });
}

/** No task has it. */
const NO_TASK = "00000000-0000-0000-0000-000000000000";

/** Without its store it can do nothing for anybody: whoever asks goes elsewhere meanwhile. */
async function answerReadiness(reply: FastifyReply, { store }: ScanHubWorld): Promise<FastifyReply> {
  return await store.scanTask(NO_TASK).then(
    () => sendJson(reply, { status: "ok" }),
    () => sendDetail(reply, 503, "Service Unavailable"),
  );
}

/** RFC 6266. A name that is no token goes in its other form. */
function dispositionOf(name: string): string {
  if (/^[\w!#$&+.^`|~-]+$/.test(name)) return `attachment; filename=${name}`;
  return `attachment; filename*=UTF-8''${encodeURIComponent(name.toWellFormed())}`;
}

const templates: readonly { readonly path: string; readonly methods: readonly string[] }[] = ROUTES.flatMap(
  ({ base, routes }) => routes.map(({ path, method }) => ({ path: `${base}${path}`, methods: [method] })),
).concat([...READINESS, ...Object.keys(PAGES)].map((path) => ({ path, methods: ["GET"] })));

function methodsAt(path: string): readonly string[] {
  const given = path.split("/");
  const matching = templates.filter(({ path: template }) => {
    const expected = template.split("/");
    return (
      expected.length === given.length &&
      expected.every((part, index) => (part.startsWith("{") ? given[index] !== "" : part === given[index]))
    );
  });
  return [...new Set(matching.flatMap(({ methods }) => methods))];
}

/** A slash too many or too few leads to the right address; another method is told which ones there are. */
function answerUnknown(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const [path = "", ...query] = request.url.split("?");
  const allowed = methodsAt(path);
  if (allowed.length > 0) return sendDetail(reply.header("allow", allowed.join(", ")), 405, "Method Not Allowed");
  const other = path.endsWith("/") ? trimTrailing(path, "/") : `${path}/`;
  if (path !== "/" && methodsAt(other).length > 0) {
    const location = [`${request.protocol}://${request.host}${other}`, ...query].join("?");
    return reply.code(307).header("location", location).send();
  }
  return sendDetail(reply, 404, "Not Found");
}

function answerError(thrown: unknown, reply: FastifyReply, { logger }: ScanHubWorld): FastifyReply {
  if (thrown instanceof ValidationFailure) return sendDetail(reply, 422, thrown.problems);
  if (thrown instanceof AnswerError) {
    if (thrown.status === 401) reply.header("www-authenticate", "Bearer");
    return sendDetail(reply, thrown.status, thrown.detail);
  }
  // Of the server itself: a body that is too long, a request that is no HTTP.
  const status = thrown instanceof Error && "statusCode" in thrown ? Number(thrown.statusCode) : 500;
  if (status >= 400 && status < 500 && !(thrown instanceof GatewayError))
    return sendDetail(reply, status, status === 413 ? "Request body is too large" : "Bad Request");
  logger.error("request failed", { kind: "scanhub", ...errorFields(toGatewayError(thrown)) });
  return reply.code(500).type("text/plain; charset=utf-8").send("Internal Server Error");
}

/** Who does not close its end in turn would keep the connection. */
function turnAway(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`, () => socket.destroy());
}

/** The socket is accepted first and its credentials are looked at then, as the original does it. */
function acceptDevices(server: Server, world: ScanHubWorld): AsyncDisposable {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAXIMUM_FRAME_BYTES,
    perMessageDeflate: false,
    clientTracking: true,
  });
  const served = new Set<Promise<void>>();
  let isEnding = false;
  const serve = async (tapped: TappedSocket, { headers }: IncomingMessage): Promise<void> => {
    const refuse = (reason: string): void => {
      tapped.tap.start();
      tapped.socket.close(1008, reason);
    };
    const id = uuid.safeParse(headers["device-id"]);
    if (!id.success) return refuse("Invalid device_id");
    const device = await deviceOfCredentials(world.store, id.data, String(headers["device-token"] ?? ""));
    if (device === undefined) return refuse("Invalid device_id or device_token");
    await serveDevice(world, tapped, device);
  };
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // The server listens to it no longer: an error that nobody hears ends the process.
    socket.on("error", () => socket.destroy());
    const [path] = (request.url ?? "").split("?");
    if (path !== `${DEVICE_BASE}/ws`) return turnAway(socket, "404 Not Found");
    // Who came in now would stay connected to a gateway that serves nobody any more.
    if (isEnding || sockets.clients.size >= MAXIMUM_SOCKETS) return turnAway(socket, "503 Service Unavailable");
    let tapped: TappedSocket | undefined;
    // A device speaks at once: nothing it says is read before somebody listens.
    const tap = tapBinaryFrames(socket, {
      head,
      maximumFrameBytes: MAXIMUM_FRAME_BYTES,
      onBinary: (piece, isOwn) => tapped?.onBinary(piece, isOwn),
    });
    sockets.handleUpgrade(request, tap.stream, Buffer.alloc(0), (webSocket) => {
      webSocket.on("error", () => undefined);
      tapped = { socket: webSocket, tap, onBinary: () => undefined };
      const serving = serve(tapped, request).catch((thrown: unknown) => {
        world.logger.error("connection of a device failed", errorFields(toGatewayError(thrown)));
        webSocket.terminate();
      });
      served.add(serving);
      void serving.finally(() => served.delete(serving));
    });
  });
  return {
    async [Symbol.asyncDispose]() {
      isEnding = true;
      // 1012: the service restarts, RFC 6455 7.4.2.
      for (const socket of sockets.clients) socket.close(1012);
      const timer = setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate();
      }, DRAIN_MS / 5);
      await Promise.all(served);
      clearTimeout(timer);
      sockets.close();
    },
  };
}
