import type { ErrorCode } from "../../errors/registry.ts";

type TlsCode = Extract<ErrorCode, `TLS_${string}`>;

/** Certificate verification errors, as Node names those of OpenSSL: what is wrong is in the certificate or its revocation list. */
const INVALID_CERTIFICATE = [
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_REVOKED",
  "CERT_SIGNATURE_FAILURE",
  "CRL_HAS_EXPIRED",
  "CRL_NOT_YET_VALID",
  "CRL_SIGNATURE_FAILURE",
  "ERROR_IN_CERT_NOT_AFTER_FIELD",
  "ERROR_IN_CERT_NOT_BEFORE_FIELD",
  "ERROR_IN_CRL_LAST_UPDATE_FIELD",
  "ERROR_IN_CRL_NEXT_UPDATE_FIELD",
  "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY",
  "UNABLE_TO_DECRYPT_CERT_SIGNATURE",
  "UNABLE_TO_DECRYPT_CRL_SIGNATURE",
] as const;

/** What is wrong is its chain, as far as we know it; or there is none. */
const UNTRUSTED_CERTIFICATE = [
  "CERT_CHAIN_TOO_LONG",
  "CERT_REJECTED",
  "CERT_UNTRUSTED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "PATH_LENGTH_EXCEEDED",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_CRL",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNSPECIFIED",
] as const;

/** Alerts of a peer that looked at our certificate, or missed it. RFC 8446 6.2. */
const CERTIFICATE_ALERTS = [
  "ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE",
  "ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED",
  "ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_REVOKED",
  "ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN",
  "ERR_SSL_SSL/TLS_ALERT_NO_CERTIFICATE",
  "ERR_SSL_SSL/TLS_ALERT_UNSUPPORTED_CERTIFICATE",
  "ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE",
  "ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED",
  "ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED",
  "ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN",
  "ERR_SSL_SSLV3_ALERT_NO_CERTIFICATE",
  "ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
  "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
  "ERR_SSL_TLSV1_ALERT_ACCESS_DENIED",
  "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA",
] as const;

/** What OpenSSL says of bytes that are no TLS record, HTTP among them. */
const NOT_TLS = [
  "ERR_SSL_HTTPS_PROXY_REQUEST",
  "ERR_SSL_HTTP_REQUEST",
  "ERR_SSL_PACKET_LENGTH_TOO_LONG",
  "ERR_SSL_RECORD_LAYER_FAILURE",
  "ERR_SSL_WRONG_SSL_VERSION",
  "ERR_SSL_WRONG_VERSION_NUMBER",
] as const;

const INTERRUPTED = ["ECONNABORTED", "ECONNRESET", "EPIPE"] as const;

const CODES: ReadonlyMap<string, TlsCode> = new Map([
  ...INVALID_CERTIFICATE.map((code) => [code, "TLS_CERTIFICATE_INVALID"] as const),
  ...UNTRUSTED_CERTIFICATE.map((code) => [code, "TLS_CERTIFICATE_UNTRUSTED"] as const),
  ...CERTIFICATE_ALERTS.map((code) => [code, "TLS_CERTIFICATE_REFUSED"] as const),
  ...NOT_TLS.map((code) => [code, "TLS_NOT_SPOKEN"] as const),
  ...INTERRUPTED.map((code) => [code, "TLS_INTERRUPTED"] as const),
  ["HOSTNAME_MISMATCH", "TLS_CERTIFICATE_NAME_WRONG"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "TLS_CERTIFICATE_NAME_WRONG"],
]);

/** How Node prefixes every other error code of OpenSSL, and its own of TLS. */
const TLS_PREFIX = /^ERR_(?:SSL|OSSL|TLS)_/;

/** What the code of an error on a TLS connection means before the association is there; undefined: not TLS's affair. */
export function tlsCodeOf(code = ""): TlsCode | undefined {
  return CODES.get(code) ?? (TLS_PREFIX.test(code) ? "TLS_FAILED" : undefined);
}
