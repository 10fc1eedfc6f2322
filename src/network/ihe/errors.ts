import { type ErrorDetails, GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { codeOfRegistryError, knownRegistryCode } from "./error-codes.ts";

/** One error or warning that a source reports: TF-3 4.2.4. What it says may hold identifiers. */
export interface RegistryError {
  readonly errorCode: string;
  readonly codeContext: string;
  readonly severity: "error" | "warning";
  /** The document it is about; empty or the name of a module in the field. */
  readonly location: string;
}

/** Everything that can go wrong with a retrieval by RAD-69 is one of these. */
export class DicomTrolleyError extends GatewayError {
  override readonly name: string = "DicomTrolleyError";
  /** The SOP Instance UIDs concerned, as far as it is known. */
  readonly instances: readonly string[];

  constructor(code: ErrorCode, details: ErrorDetails = {}, instances: readonly string[] = [], cause?: unknown) {
    super(code, details, cause);
    this.instances = instances;
  }
}

/** The source answered, and reports errors. */
export class Rad69ServerError extends DicomTrolleyError {
  override readonly name: string = "Rad69ServerError";
  /** All that it reports, in its own words. */
  readonly errors: readonly RegistryError[];

  constructor(
    code: ErrorCode,
    details: ErrorDetails,
    errors: readonly RegistryError[],
    instances: readonly string[] = [],
  ) {
    super(code, details, instances);
    this.errors = errors;
  }
}

/** The source does not hold an instance. */
export class XdsMissingDocumentError extends Rad69ServerError {
  override readonly name = "XdsMissingDocumentError";
}

/** A study or series was given where instances are needed. */
export class NonInstanceParameterError extends DicomTrolleyError {
  override readonly name = "NonInstanceParameterError";

  constructor() {
    super("RAD69_NOT_INSTANCES");
  }
}

/** The error that a list of reported errors stands for: the class and code of the first that is one. */
export function registryFailure(errors: readonly RegistryError[], instances: readonly string[] = []): Rad69ServerError {
  const first = errors.find(({ severity }) => severity === "error") ?? errors[0];
  const code = first === undefined ? "RAD69_SERVER_ERROR" : codeOfRegistryError(first.errorCode);
  const details = { errors: errors.length, ...(first && { errorCode: knownRegistryCode(first.errorCode) }) };
  const isMissing = code === "RAD69_DOCUMENT_MISSING";
  return isMissing
    ? new XdsMissingDocumentError(code, details, errors, instances)
    : new Rad69ServerError(code, details, errors, instances);
}

/** Anything that a retrieval threw, as one of the family; instances are added where it names none. */
export function asDicomTrolleyError(thrown: unknown, instances: readonly string[] = []): DicomTrolleyError {
  if (thrown instanceof DicomTrolleyError) return thrown;
  if (thrown instanceof GatewayError) return new DicomTrolleyError(thrown.code, thrown.details, instances, thrown);
  return new DicomTrolleyError("INTERNAL", {}, instances, thrown);
}
