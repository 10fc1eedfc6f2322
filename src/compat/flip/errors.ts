import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { AnswerError, INTERNAL_DETAIL } from "../fastapi/answer-error.ts";

/** An answer that is an error, in FLIP's form: a status and a detail, which may quote what the caller sent. */
export class HttpError extends AnswerError {
  override readonly name: string = "HttpError";

  constructor(
    status: number,
    detail: string,
    facts: { readonly code?: ErrorCode | undefined; readonly cause?: unknown } = {},
  ) {
    super(status, detail, { code: facts.code ?? "FLIP_REQUEST_REFUSED", cause: facts.cause });
  }
}

/** XNAT has it already. FLIP answers 500 to that too. */
export class AlreadyExistsError extends HttpError {
  override readonly name = "AlreadyExistsError";

  constructor(detail: string, cause?: unknown) {
    super(500, detail, { code: "FLIP_ALREADY_EXISTS", cause });
  }
}

/** A local file that is to be uploaded is not there. */
export class FileNotFoundError extends HttpError {
  override readonly name = "FileNotFoundError";

  constructor(detail: string) {
    super(500, detail, { code: "FLIP_FILE_NOT_FOUND" });
  }
}

/** A name leads out of the folder that it must be in. */
export class PathTraversalError extends HttpError {
  override readonly name = "PathTraversalError";

  constructor(detail: string) {
    super(400, detail, { code: "FLIP_PATH_UNSAFE" });
  }
}

/** The accession numbers of the cohort may not be known. `detail` is the data-access API's own, or empty. */
export class CohortRefusedError extends GatewayError {
  override readonly name = "CohortRefusedError";
  readonly detail: string;

  constructor(detail: string) {
    super("FLIP_COHORT_REFUSED");
    this.detail = detail;
  }
}

export function internalError(cause?: unknown): HttpError {
  return new HttpError(500, INTERNAL_DETAIL, {
    code: cause instanceof GatewayError ? cause.code : "INTERNAL",
    cause,
  });
}

/** FLIP answers with its NotFoundError as a text, and that begins with the status. */
export function notFound(detail: string, code: ErrorCode = "FLIP_REQUEST_REFUSED"): HttpError {
  return new HttpError(404, `404: ${detail}`, { code });
}

/** The class of an error, as FLIP names it in a detail: never its text, which may quote an identifier. */
export function className(thrown: unknown): string {
  return thrown instanceof Error ? thrown.constructor.name : typeof thrown;
}
