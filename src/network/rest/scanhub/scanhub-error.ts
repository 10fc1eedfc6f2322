import { GatewayError } from "../../../errors/gateway-error.ts";
import type { ErrorCode } from "../../../errors/registry.ts";
import type { Operation } from "./operations.ts";

export interface ScanHubFacts {
  readonly op: Operation;
  readonly status: number;
  readonly detail: string;
  readonly upstreamStatus?: number | undefined;
  readonly upstreamBody?: string | undefined;
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

/** A function of the exam-manager's client that failed: what ScanHub's own would have said, and what really happened. */
export class ScanHubError extends GatewayError {
  override readonly name = "ScanHubError";
  readonly op: Operation;
  /** With `detail`: the pair that ScanHub's client raises whatever the reason. */
  readonly status: number;
  readonly detail: string;
  /** What the exam-manager answered; undefined when it did not. */
  readonly upstreamStatus: number | undefined;
  /** Its words, at most 4 KiB. They may quote what was sent: never in a message or a log. */
  readonly upstreamBody: string | undefined;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;

  constructor(code: ErrorCode, facts: ScanHubFacts) {
    const { op, status, detail, upstreamStatus, upstreamBody, retryable = false, cause } = facts;
    super(code, { op, status, detail, ...(upstreamStatus === undefined ? {} : { upstreamStatus }) }, cause);
    this.op = op;
    this.status = status;
    this.detail = detail;
    this.upstreamStatus = upstreamStatus;
    this.upstreamBody = upstreamBody;
    this.retryable = retryable;
  }
}
