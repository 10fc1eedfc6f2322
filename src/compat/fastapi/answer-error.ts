import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";

/** What is said of everything that is nobody's business. */
export const INTERNAL_DETAIL = "Internal server error";

interface AnswerFacts {
  readonly code: ErrorCode;
  readonly cause?: unknown;
}

/** An answer that is an error, in FastAPI's form: a status and a detail, which may quote what the caller sent. */
export class AnswerError extends GatewayError {
  readonly status: number;
  readonly detail: string;

  constructor(status: number, detail: string, { code, cause }: AnswerFacts) {
    super(code, { status }, cause);
    this.status = status;
    this.detail = detail;
  }
}
