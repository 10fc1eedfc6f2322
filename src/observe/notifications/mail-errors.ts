import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { tlsCodeOf } from "../../network/upper-layer/tls-errors.ts";

/** Of the mail library. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  EAUTH: "SMTP_LOGIN_REFUSED",
  ENOAUTH: "SMTP_LOGIN_REFUSED",
  ECONNECTION: "SMTP_UNAVAILABLE",
  ECONNREFUSED: "SMTP_UNAVAILABLE",
  EDNS: "SMTP_UNAVAILABLE",
  ESOCKET: "SMTP_UNAVAILABLE",
  EENVELOPE: "SMTP_REFUSED",
  EMESSAGE: "SMTP_REFUSED",
  EPROTOCOL: "SMTP_REFUSED",
  ETIMEDOUT: "SMTP_TIMED_OUT",
  ETLS: "SMTP_TLS_FAILED",
};

/** RFC 5321 4.2.1: 4yz may be asked again, 5yz not. */
export function mailError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  const { code, originalCode, responseCode } = factsOf(thrown);
  const status = typeof responseCode === "number" ? responseCode : 0;
  const details = status === 0 ? {} : { status };
  if (isOfTls(originalCode)) return new GatewayError("SMTP_TLS_FAILED", details, thrown);
  if (status >= 400 && status < 500) return new GatewayError("SMTP_DEFERRED", details, thrown);
  const known = typeof code === "string" && Object.hasOwn(CODES, code) ? CODES[code] : undefined;
  return new GatewayError(known ?? "SMTP_UNAVAILABLE", details, thrown);
}

/** What the socket said; the library calls all of it ESOCKET. */
function isOfTls(code: unknown): boolean {
  return typeof code === "string" && (tlsCodeOf(code) !== undefined || code.startsWith("ERR_SSL_"));
}

interface MailFacts {
  readonly code?: unknown;
  readonly originalCode?: unknown;
  readonly responseCode?: unknown;
}

function factsOf(thrown: unknown): MailFacts {
  return typeof thrown === "object" && thrown !== null ? thrown : {};
}
