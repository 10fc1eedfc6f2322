import { S3ServiceException } from "@aws-sdk/client-s3";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { tlsCodeOf } from "../upper-layer/tls-errors.ts";

/** Names of errors with a meaning of their own (Amazon S3 API reference, error responses). */
const NAMES: Readonly<Record<string, ErrorCode>> = {
  NoSuchBucket: "S3_BUCKET_MISSING",
  QuotaExceeded: "DESTINATION_FULL",
  RequestTimeout: "S3_UNAVAILABLE",
  SlowDown: "S3_UNAVAILABLE",
};

const STATUSES: Readonly<Record<number, ErrorCode>> = {
  401: "S3_ACCESS_DENIED",
  403: "S3_ACCESS_DENIED",
  408: "S3_UNAVAILABLE",
  429: "S3_UNAVAILABLE",
  507: "DESTINATION_FULL",
};
const NOT_FOUND = 404;
const FIRST_OF_SERVER = 500;

/** A HEAD has no body: of what is not there its status tells alone. */
export function isNotFound(thrown: unknown): boolean {
  return (
    thrown instanceof S3ServiceException &&
    thrown.$metadata.httpStatusCode === NOT_FOUND &&
    thrown.name !== "NoSuchBucket"
  );
}

/** What went wrong, without the message: that may hold keys. */
export function s3Error(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  if (thrown instanceof S3ServiceException) {
    const status = thrown.$metadata.httpStatusCode ?? 0;
    const other = status >= FIRST_OF_SERVER ? "S3_UNAVAILABLE" : "S3_REFUSED";
    return new GatewayError(NAMES[thrown.name] ?? STATUSES[status] ?? other, { status }, thrown);
  }
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : undefined;
  const ofTls = tlsCodeOf(code);
  // A reset says nothing of TLS: it may come at any time, and without TLS too.
  const other = ofTls === undefined || ofTls === "TLS_INTERRUPTED" ? "S3_UNAVAILABLE" : ofTls;
  return new GatewayError(other, code === undefined ? {} : { cause: code }, thrown);
}
