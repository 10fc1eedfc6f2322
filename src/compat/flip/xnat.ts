import { GatewayError } from "../../errors/gateway-error.ts";
import { HttpError as TransportError } from "../../network/http-client/http-error.ts";
import { readText } from "../../network/http-client/read-body.ts";
import type { HttpClient, HttpRequest, HttpResponse, HttpTimeouts } from "../../network/http-client/types.ts";
import { openXnatClient } from "../../network/rest/xnat/login.ts";
import { HttpError } from "./errors.ts";

/** Headers of somebody's own XNAT session, `Cookie` or `Authorization`, as FLIP hands them from function to function. */
export type XnatAuthHeaders = Readonly<Record<string, string>>;

/** Listings of large sites. */
const MAXIMUM_ANSWER_BYTES = 256 * 1024 * 1024;
const TIMEOUTS: Partial<HttpTimeouts> = { connectMs: 5_000, headersMs: 60_000, idleMs: 60_000 };

export interface XnatReply {
  readonly status: number;
  readonly text: string;
}

export interface XnatRequest extends Omit<HttpRequest, "path" | "query" | "accepts" | "body"> {
  /** Made by `xnatPath`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly body?: HttpRequest["body"];
}

/** XNAT as somebody's session sees it. */
export interface Xnat {
  readonly url: string;
  /** The same session for who speaks to XNAT by its own addresses. */
  readonly http: HttpClient;
  /** An answer whatever its status. @throws HttpError when we cannot log in; GatewayError of the exchange */
  ask(request: XnatRequest): Promise<XnatReply>;
  /** The value of a JSON answer with status 200; 204 is undefined. @throws as `ask`; HttpError of the network layer for other statuses */
  json(request: XnatRequest): Promise<unknown>;
  /** An answer with status 200 that streams. */
  open(request: XnatRequest): Promise<HttpResponse>;
}

export interface XnatSessions extends AsyncDisposable {
  /** With the service user's session, logged in once for all and anew when it has ended. */
  readonly service: Xnat;
  /** With a session that the caller has. Without headers: the service user's. */
  as(headers: XnatAuthHeaders | undefined): Xnat;
}

export function openXnatSessions(options: {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly connections: number;
}): XnatSessions {
  const { url, username, password, connections } = options;
  const connection = { baseUrl: url, timeouts: TIMEOUTS, connections };
  const http = openXnatClient({ ...connection, credentials: { username, password: () => Promise.resolve(password) } });
  const bare = openXnatClient(connection);
  const service = xnatOver(url, http, {});
  return {
    service,
    as: (headers) =>
      headers === undefined || Object.keys(headers).length === 0 ? service : xnatOver(url, bare, headers),
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]();
      await bare[Symbol.asyncDispose]();
    },
  };
}

/** Every status of a request is looked at by who asked: one that is thrown is that of the login before it. */
function loginFailure(thrown: unknown): unknown {
  if (!(thrown instanceof GatewayError)) return thrown;
  const facts = { code: thrown.code, cause: thrown };
  if (thrown.code === "XNAT_LOGIN_REFUSED") return new HttpError(401, "Failed to authenticate with XNAT: 401", facts);
  if (thrown.code === "XNAT_ANSWER_UNEXPECTED")
    return new HttpError(401, "Invalid authentication response from XNAT", facts);
  const status = thrown instanceof TransportError ? thrown.status : undefined;
  return status === undefined || status === 401
    ? thrown
    : new HttpError(status, `Failed to authenticate with XNAT: ${status}`, facts);
}

function xnatOver(url: string, client: HttpClient, own: XnatAuthHeaders): Xnat {
  const http: HttpClient = {
    request: (request) => client.request({ ...request, headers: { ...request.headers, ...own } }),
    // Who opened it closes it.
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const send = ({ path, query, json, headers, ...request }: XnatRequest): Promise<HttpResponse> =>
    http.request({
      ...request,
      path,
      query: Object.entries(query ?? {}).map(([name, value]) => [name, `${value}`] as const),
      // FLIP sends this type with everything, and XNAT asks for no other.
      headers: { "Content-Type": "application/json", ...headers },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      accepts: () => true,
    });
  const ask = async (request: XnatRequest): Promise<XnatReply> => {
    try {
      await using response = await send(request);
      return { status: response.status, text: await readText(response, MAXIMUM_ANSWER_BYTES) };
    } catch (thrown) {
      // A session that XNAT does not know any more, and that nobody can renew.
      if (thrown instanceof TransportError && thrown.code === "HTTP_UNAUTHORISED") return { status: 401, text: "" };
      throw loginFailure(thrown);
    }
  };
  return {
    url,
    http,
    ask,
    async json(request) {
      const { status, text } = await ask(request);
      if (status === 204 || (status === 200 && text === "")) return undefined;
      if (status !== 200) throw unexpectedStatus(status);
      return parsed(text, status);
    },
    async open(request) {
      const response = await send(request).catch((thrown: unknown) => {
        throw loginFailure(thrown);
      });
      if (response.status === 200) return response;
      await using _ = response;
      throw unexpectedStatus(response.status);
    },
  };
}

const CODES: Readonly<Record<number, "HTTP_UNAUTHORISED" | "HTTP_FORBIDDEN" | "HTTP_NOT_FOUND" | "HTTP_UNAVAILABLE">> =
  {
    401: "HTTP_UNAUTHORISED",
    403: "HTTP_FORBIDDEN",
    404: "HTTP_NOT_FOUND",
    502: "HTTP_UNAVAILABLE",
    503: "HTTP_UNAVAILABLE",
    504: "HTTP_UNAVAILABLE",
  };

export function unexpectedStatus(status: number): TransportError {
  const code = CODES[status] ?? (status >= 500 ? "HTTP_SERVER_FAILED" : "HTTP_REFUSED");
  return new TransportError(code, { status }, { status });
}

function parsed(text: string, status: number): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    // A login page, perhaps; the parser's own words would quote it.
    throw new TransportError("HTTP_JSON_INVALID", { what: "syntax" }, { status });
  }
}
