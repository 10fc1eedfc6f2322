import type { ErrorClass } from "./error-class.ts";
import { type ErrorCode, errorRegistry } from "./registry.ts";

export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

/** What `--json` prints and the API answers for an error. */
export interface ErrorDocument {
  readonly code: ErrorCode;
  readonly class: ErrorClass;
  readonly message: string;
  readonly remedy: string;
  readonly details: ErrorDetails;
}

/**
 * The base of every error that crosses a folder's boundary; subclasses only add typed fields.
 * Its message and details never hold a patient's identifier, UIDs included.
 */
export class GatewayError extends Error {
  override readonly name: string = "GatewayError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails = {}, cause?: unknown) {
    super(errorRegistry[code].summary, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }

  get class(): ErrorClass {
    return errorRegistry[this.code].class;
  }

  toJSON(): ErrorDocument {
    return {
      code: this.code,
      class: this.class,
      message: this.message,
      remedy: errorRegistry[this.code].remedy,
      details: this.details,
    };
  }
}

/** Anything thrown, as an error with a code: a stranger becomes `INTERNAL`, its text kept only as the cause. */
export function toGatewayError(thrown: unknown): GatewayError {
  return thrown instanceof GatewayError ? thrown : new GatewayError("INTERNAL", {}, thrown);
}
