import { type ErrorDetails, GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { tlsCodeOf } from "../upper-layer/tls-errors.ts";
import { HTTPParserError } from "./undici-parts.ts";

/** An exchange by HTTP that failed. URLs hold identifiers: none is in its message or details. */
export class HttpError extends GatewayError {
  override readonly name = "HttpError";
  /** Of the answer, when there was one. */
  readonly status: number | undefined;
  /** How long the peer asks to be left alone. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    details: ErrorDetails = {},
    facts: {
      readonly status?: number | undefined;
      readonly retryAfterMs?: number | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(code, details, facts.cause);
    this.status = facts.status;
    this.retryAfterMs = facts.retryAfterMs;
  }
}

/** Statuses that mean more than their class. RFC 9110 15, RFC 6585 4. */
const STATUSES: ReadonlyMap<number, ErrorCode> = new Map([
  [401, "HTTP_UNAUTHORISED"],
  [403, "HTTP_FORBIDDEN"],
  [404, "HTTP_NOT_FOUND"],
  [408, "HTTP_UNAVAILABLE"],
  [410, "HTTP_NOT_FOUND"],
  [425, "HTTP_UNAVAILABLE"],
  [429, "HTTP_TOO_MANY_REQUESTS"],
  [502, "HTTP_UNAVAILABLE"],
  [503, "HTTP_UNAVAILABLE"],
  [504, "HTTP_UNAVAILABLE"],
]);

/** The error that a status stands for. @param nowMs for a Retry-After that names a time */
export function statusError(status: number, headers: ReadonlyMap<string, string>, nowMs: number): HttpError {
  const code = STATUSES.get(status) ?? codeOfClass(status);
  const retryAfterMs = retryAfterIn(headers.get("retry-after"), nowMs);
  const details: ErrorDetails = { status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  return new HttpError(code, details, { status, retryAfterMs });
}

/** How long who failed so asks to be left alone; undefined when it does not. */
export function retryAfterOf(thrown: unknown): number | undefined {
  const { retryAfterMs } = toGatewayError(thrown).details;
  return typeof retryAfterMs === "number" ? retryAfterMs : undefined;
}

export function laterOf(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}

function codeOfClass(status: number): ErrorCode {
  if (status >= 500) return "HTTP_SERVER_FAILED";
  if (status >= 400) return "HTTP_REFUSED";
  if (status >= 300) return "HTTP_REDIRECTED";
  return "HTTP_PROTOCOL_VIOLATION";
}

/** A day: who asks for more is not waited for. */
const MAXIMUM_RETRY_AFTER_MS = 86_400_000;

/** Seconds or a date. RFC 9110 10.2.3. */
function retryAfterIn(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const waitMs = /^\d{1,9}$/.test(text.trim()) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), MAXIMUM_RETRY_AFTER_MS);
}

/** What undici and Node say, by their codes. */
const TRANSPORT: ReadonlyMap<string, ErrorCode> = new Map([
  ["UND_ERR_HEADERS_TIMEOUT", "HTTP_HEADERS_TIMED_OUT"],
  ["UND_ERR_BODY_TIMEOUT", "HTTP_IDLE_TIMED_OUT"],
  ["UND_ERR_HEADERS_OVERFLOW", "HTTP_HEADERS_TOO_LARGE"],
  ["UND_ERR_RES_CONTENT_LENGTH_MISMATCH", "HTTP_CONNECTION_LOST"],
  ["UND_ERR_SOCKET", "HTTP_CONNECTION_LOST"],
  ["ECONNRESET", "HTTP_CONNECTION_LOST"],
  ["ECONNABORTED", "HTTP_CONNECTION_LOST"],
  ["EPIPE", "HTTP_CONNECTION_LOST"],
  ["ETIMEDOUT", "HTTP_CONNECTION_LOST"],
  ["UND_ERR_DESTROYED", "CANCELLED"],
  ["UND_ERR_CLOSED", "CANCELLED"],
]);

/**
 * What kept an answer from coming, or from coming whole.
 * @param at whether the connection stood when it happened, and is one of TLS
 */
export function transportError(
  thrown: unknown,
  { isConnected, isTls }: { readonly isConnected: boolean; readonly isTls: boolean },
): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  // Not even as a cause: it holds the bytes that were not understood.
  if (thrown instanceof HTTPParserError) return new HttpError(parserCode(thrown.code));
  const code = systemCode(thrown);
  const details: ErrorDetails = code === undefined ? {} : { reason: code };
  const known = code === undefined ? undefined : TRANSPORT.get(code);
  if (known === "CANCELLED") return new HttpError(known, {}, { cause: thrown });
  if (isConnected && known !== undefined) return new HttpError(known, details, { cause: thrown });
  const tls = isTls ? tlsCodeOf(code) : undefined;
  if (tls !== undefined && !(tls === "TLS_INTERRUPTED" && isConnected))
    return new HttpError(tls, details, { cause: thrown });
  if (!isConnected) return new HttpError("CONNECTION_FAILED", details, { cause: thrown });
  return new HttpError(code === undefined ? "INTERNAL" : "HTTP_CONNECTION_LOST", details, { cause: thrown });
}

/** The parser's codes are those of llhttp. */
function parserCode(code: string | undefined): ErrorCode {
  if (code === "HPE_HEADER_OVERFLOW") return "HTTP_HEADERS_TOO_LARGE";
  return code === "HPE_INVALID_EOF_STATE" ? "HTTP_CONNECTION_LOST" : "HTTP_PROTOCOL_VIOLATION";
}

/** Of an error, or of the first of several addresses that were tried. */
function systemCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error)) return undefined;
  if ("code" in thrown && typeof thrown.code === "string") return thrown.code;
  return thrown instanceof AggregateError ? systemCode(thrown.errors[0]) : undefined;
}
