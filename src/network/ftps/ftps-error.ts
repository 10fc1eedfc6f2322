import { FTPError } from "basic-ftp";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { tlsCodeOf } from "../upper-layer/tls-errors.ts";

/** Replies with a meaning of their own. RFC 959 4.2.2; those of TLS: RFC 4217 and RFC 2228 5. */
const REPLIES: Readonly<Record<number, ErrorCode>> = {
  421: "FTPS_BUSY",
  425: "FTPS_UNAVAILABLE",
  426: "FTPS_UNAVAILABLE",
  430: "FTPS_LOGIN_REFUSED",
  431: "FTPS_TLS_NOT_OFFERED",
  452: "DESTINATION_FULL",
  530: "FTPS_LOGIN_REFUSED",
  534: "FTPS_TLS_NOT_OFFERED",
  552: "DESTINATION_FULL",
};

/** What AUTH TLS is answered where it is not known: nothing else is asked that a server may not know. */
const NOT_KNOWN: ReadonlySet<number> = new Set([500, 502, 504]);

/** What went wrong, without the reply's text: that may hold paths. */
export function ftpsError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  if (thrown instanceof FTPError) return new GatewayError(codeOfReply(thrown.code), { reply: thrown.code }, thrown);
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : undefined;
  return new GatewayError(codeOfSystem(code), code === undefined ? {} : { cause: code }, thrown);
}

/** Connections are cut in the middle of a transfer as well as in a handshake. */
function codeOfSystem(code: string | undefined): ErrorCode {
  const ofTls = tlsCodeOf(code);
  return ofTls === undefined || ofTls === "TLS_INTERRUPTED" ? "FTPS_UNAVAILABLE" : ofTls;
}

function codeOfReply(reply: number): ErrorCode {
  const known = REPLIES[reply];
  if (known !== undefined) return known;
  if (NOT_KNOWN.has(reply)) return "FTPS_TLS_NOT_OFFERED";
  return reply < 500 ? "FTPS_BUSY" : "FTPS_REFUSED";
}
