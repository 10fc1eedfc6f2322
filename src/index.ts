/** The public surface: what programs may import from the package. Everything else is free to change. */

// archives
export type {
  Archive,
  ListedInstance,
  RetrieveOutcome,
  StudyListing,
  StudyMatch,
  StudyQuery,
} from "./archive/archive.ts";
export { createDimseArchive, type DimseArchiveOptions } from "./archive/dimse/dimse-archive.ts";
// by subject, each of them to be had alone
export * from "./deid.ts";
export * from "./delivery.ts";
export * from "./dicom.ts";
export * from "./dimse.ts";
// errors
export type { ErrorClass, ErrorEntry } from "./errors/error-class.ts";
export { type ErrorDetails, type ErrorDocument, GatewayError } from "./errors/gateway-error.ts";
export { type ErrorCode, errorRegistry } from "./errors/registry.ts";
// the gateway
export type { Gateway } from "./gateway/gateway.ts";
export { type GatewayOptions, openGateway } from "./gateway/open-gateway.ts";
