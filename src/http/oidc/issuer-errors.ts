import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";

const MOST_CAUSES = 5;

/** Of the library. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  OAUTH_TIMEOUT: "OIDC_ISSUER_UNAVAILABLE",
  OAUTH_ABORT: "OIDC_ISSUER_UNAVAILABLE",
  OAUTH_RESPONSE_IS_NOT_CONFORM: "OIDC_ISSUER_UNAVAILABLE",
  OAUTH_JWT_TIMESTAMP_CHECK_FAILED: "OIDC_LOG_IN_EXPIRED",
};

/** What an issuer says by `error`. RFC 6749 4.1.2.1 and 5.2, OpenID Connect Core 1.0 3.1.2.6. */
const SAID: Readonly<Record<string, ErrorCode>> = {
  access_denied: "OIDC_LOG_IN_REFUSED",
  consent_required: "OIDC_LOG_IN_REFUSED",
  interaction_required: "OIDC_LOG_IN_REFUSED",
  login_required: "OIDC_LOG_IN_REFUSED",
  account_selection_required: "OIDC_LOG_IN_REFUSED",
  server_error: "OIDC_ISSUER_UNAVAILABLE",
  temporarily_unavailable: "OIDC_ISSUER_UNAVAILABLE",
  invalid_client: "OIDC_CLIENT_REFUSED",
  unauthorized_client: "OIDC_CLIENT_REFUSED",
  invalid_scope: "OIDC_CLIENT_REFUSED",
  invalid_request: "OIDC_CLIENT_REFUSED",
  unsupported_response_type: "OIDC_CLIENT_REFUSED",
  invalid_grant: "OIDC_LOG_IN_EXPIRED",
};

/** Of our own way to the issuer, where it matters which. */
const OURS: { readonly [Code in ErrorCode]?: ErrorCode } = {
  HTTP_UNAUTHORISED: "OIDC_CLIENT_REFUSED",
};

/** Why a log-in failed, by the codes of whoever threw; texts of the issuer's are never taken. */
export function issuerError(thrown: unknown): GatewayError {
  let cause = thrown;
  for (let depth = 0; cause instanceof Error && depth < MOST_CAUSES; depth += 1) {
    const code = codeOf(cause);
    if (code !== undefined) return new GatewayError(code, {}, thrown);
    cause = cause.cause;
  }
  return new GatewayError("OIDC_ANSWER_INVALID", {}, thrown);
}

function codeOf(cause: Error): ErrorCode | undefined {
  if (cause instanceof GatewayError) return ownCode(cause);
  if ("error" in cause && typeof cause.error === "string" && Object.hasOwn(SAID, cause.error)) return SAID[cause.error];
  if ("status" in cause && typeof cause.status === "number" && cause.status >= 500) return "OIDC_ISSUER_UNAVAILABLE";
  return "code" in cause && typeof cause.code === "string" && Object.hasOwn(CODES, cause.code)
    ? CODES[cause.code]
    : undefined;
}

function ownCode({ code }: GatewayError): ErrorCode {
  if (code.startsWith("OIDC_")) return code;
  return OURS[code] ?? "OIDC_ISSUER_UNAVAILABLE";
}
