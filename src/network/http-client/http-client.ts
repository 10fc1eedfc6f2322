import type { Dispatcher } from "undici";
import { GatewayError } from "../../errors/gateway-error.ts";
import { orAborted } from "../../units/abort.ts";
import { type Clock, LONGEST_TIMER_MS, systemClock } from "../../units/clock.ts";
import { MINIMUM_RATE } from "../../units/minimum-rate.ts";
import { clientContext } from "../upper-layer/tls-context.ts";
import { createSession, type Login, noAuthentication, type Session } from "./authentication.ts";
import { decoded } from "./content-encoding.ts";
import { exchange, type RawResponse } from "./exchange.ts";
import { HttpError, statusError } from "./http-error.ts";
import type { HttpClient, HttpClientOptions, HttpRequest, HttpResponse, HttpTimeouts } from "./types.ts";
import { Pool } from "./undici-parts.ts";
import { type ConnectionPool, createConnectionPool } from "./wire/connection-pool.ts";
import { MAXIMUM_HEADER_BYTES } from "./wire/response-reader.ts";
import { wireExchange } from "./wire/wire-exchange.ts";

const USUAL_TIMEOUTS: HttpTimeouts = { connectMs: 10_000, headersMs: 300_000, idleMs: 60_000 };
const USUAL_CONNECTIONS = 8;
const MAXIMUM_REDIRECTS = 3;
/** Of an answer nobody wants, so much is read to keep the connection. */
const MAXIMUM_DROPPED_BYTES = 64 * 1024;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * A server that waits in vain for the rest of a body says that the request is bad (Orthanc 1.10, after a minute), where it should say that it took
 * too long (RFC 9110 15.5.9): after such a silence the one means the other.
 */
const WAITED_IN_VAIN_MS = 30_000;

/** What a guest is told of things that are not for guests. */
const HIDING: ReadonlySet<number> = new Set([403, 404]);

interface Connected {
  readonly base: URL;
  readonly pool: Dispatcher;
  /** For bulk. */
  readonly wires: ConnectionPool;
  readonly session: Session;
  readonly timeouts: HttpTimeouts;
  readonly clock: Clock;
}

/**
 * Connects when it is first used. @throws GatewayError SETTING_INVALID when the base URL is no http or https URL, TLS_SETTINGS_INVALID
 * @param clock for a Retry-After that names a time, and for silences
 */
export function openHttpClient(options: HttpClientOptions, clock: Clock = systemClock): HttpClient {
  const { authentication = noAuthentication, connections = USUAL_CONNECTIONS } = options;
  const base = baseOf(options.baseUrl);
  const timeouts = bounded({ ...USUAL_TIMEOUTS, ...options.timeouts });
  const lifetime = new AbortController();
  const tls = tlsOf(base, options);
  const pool = new Pool(base.origin, {
    connections,
    pipelining: 1,
    maxHeaderSize: MAXIMUM_HEADER_BYTES,
    connect: { timeout: timeouts.connectMs, ...tls },
  });
  const wires = createConnectionPool({ origin: base, connections, connectMs: timeouts.connectMs, ...tls });
  const session = createSession(authentication, lifetime.signal);
  const connected: Connected = { base, pool, wires, session, timeouts, clock };
  return {
    request: (request) => requested(connected, request),
    async [Symbol.asyncDispose]() {
      lifetime.abort(new GatewayError("CANCELLED"));
      wires.destroy();
      await pool.destroy();
    },
  };
}

function bounded({ connectMs, headersMs, idleMs, totalMs, slowest = MINIMUM_RATE }: HttpTimeouts) {
  return {
    connectMs: Math.min(connectMs, LONGEST_TIMER_MS),
    headersMs: Math.min(headersMs, LONGEST_TIMER_MS),
    idleMs: Math.min(idleMs, LONGEST_TIMER_MS),
    totalMs: totalMs === undefined ? undefined : Math.min(totalMs, LONGEST_TIMER_MS),
    slowest: { ...slowest, overMs: Math.min(Math.max(slowest.overMs, headersMs), LONGEST_TIMER_MS) },
  };
}

function baseOf(text: string): URL {
  const base = URL.parse(text);
  if (base === null || !/^https?:$/.test(base.protocol) || base.username !== "" || base.password !== "") {
    throw new GatewayError("SETTING_INVALID", { problem: "not a URL with http or https and without credentials" });
  }
  return base;
}

function tlsOf({ protocol }: URL, { tls = {} }: HttpClientOptions) {
  if (protocol !== "https:") return {};
  const { serverName: servername } = tls;
  return { secureContext: clientContext(tls), ...(servername === undefined ? {} : { servername }) };
}

async function requested(connected: Connected, request: HttpRequest): Promise<HttpResponse> {
  const { session, clock } = connected;
  const { accepts = isSuccess, signal } = request;
  let url = urlOf(connected.base, request);
  // The login belongs to all requests: who has no time for it leaves it to the others.
  let login = await orAborted(session.current(), signal);
  let isRenewed = false;
  for (let redirects = 0; ; ) {
    const response = await send(connected, request, url, login);
    const { status, headers } = response;
    if (!isRenewed && (status === 401 || (HIDING.has(status) && (await session.hasLapsed(login))))) {
      await drop(response);
      isRenewed = true;
      const next = await orAborted(session.renewed(login), signal);
      if (next === undefined) throw statusError(status, headers, clock.nowMs());
      login = next;
      continue;
    }
    if (accepts(status)) return responseOf(response);
    await drop(response);
    const target = REDIRECTS.has(status) ? redirectOf(url, request, headers) : undefined;
    if (target === undefined || ++redirects > MAXIMUM_REDIRECTS) throw statusError(status, headers, clock.nowMs());
    url = target;
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

async function send(connected: Connected, request: HttpRequest, url: URL, login: Login): Promise<RawResponse> {
  const { pool, wires, timeouts, clock } = connected;
  const { method = "GET", body, bodyBytes, bulk = false, signal } = request;
  const { headersMs, idleMs, totalMs, slowest } = bounded({ ...timeouts, ...request.timeouts });
  const encoding = bulk ? "identity" : "gzip, deflate";
  let lastSentAtMs = Number.POSITIVE_INFINITY;
  const common = {
    method,
    target: `${url.pathname}${url.search}`,
    headers: {
      "accept-encoding": encoding,
      ...lowerCased(request.headers),
      ...login.headers,
      ...(bodyBytes !== undefined && { "content-length": `${bodyBytes}` }),
    },
    headersMs,
    idleMs,
    totalMs,
    slowest,
    isTls: url.protocol === "https:",
    signal,
  };
  const response =
    bulk && typeof body !== "function"
      ? await wireExchange(wires, { ...common, body, host: url.host })
      : await exchange(pool, {
          ...common,
          body: typeof body === "function" ? noted(body(), () => (lastSentAtMs = clock.nowMs())) : body,
        });
  const isGivenUp = response.status === 400 && clock.nowMs() - lastSentAtMs >= WAITED_IN_VAIN_MS;
  return isGivenUp ? { ...response, status: 408 } : response;
}

async function* noted(pieces: AsyncIterable<Uint8Array>, onPiece: () => void): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    onPiece();
    yield piece;
  }
}

function lowerCased(headers: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** @throws HttpError HTTP_REDIRECTED when an absolute URL leads elsewhere: our credentials stay at home */
function urlOf(base: URL, { path, query }: HttpRequest): URL {
  const isAbsolute = path !== undefined && /^https?:\/\//i.test(path);
  const folder = base.pathname.replace(/\/+$/, "");
  const below = isAbsolute
    ? path
    : path === undefined
      ? base.href
      : `${base.origin}${folder}/${path.replace(/^\/+/, "")}`;
  const url = URL.parse(below);
  if (url?.origin !== base.origin) throw new HttpError("HTTP_REDIRECTED", { origin: "another" });
  for (const [name, value] of query ?? []) url.searchParams.append(name, value);
  return url;
}

/** Within the origin, what is safe to ask again is asked there; login pages of other origins are not. */
function redirectOf(url: URL, { method = "GET" }: HttpRequest, headers: ReadonlyMap<string, string>): URL | undefined {
  const target = URL.parse(headers.get("location") ?? "", url.href);
  const isSafe = method === "GET" || method === "HEAD";
  return isSafe && target?.origin === url.origin && headers.has("location") ? target : undefined;
}

function responseOf(raw: RawResponse): HttpResponse {
  return {
    status: raw.status,
    headers: raw.headers,
    body: decoded(raw),
    [Symbol.asyncDispose]() {
      raw.stop();
      return Promise.resolve();
    },
  };
}

/** Reads what is left when it is short, so that the connection can be used again. */
async function drop({ body, stop }: RawResponse): Promise<void> {
  let bytes = 0;
  try {
    for await (const piece of body) {
      bytes += piece.length;
      if (bytes > MAXIMUM_DROPPED_BYTES) break;
    }
  } catch {
    // The status is known: how the rest went changes nothing.
  } finally {
    stop();
  }
}
