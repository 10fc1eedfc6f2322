import { GatewayError, toGatewayError } from "../../../errors/gateway-error.ts";
import type { ErrorCode } from "../../../errors/registry.ts";

/** The archives of PIXL: what the first does not hold is looked for in the second. */
export type ArchiveName = "primary" | "secondary";

/** What was being done with a message. */
export type Stage = "asking" | "retrieving" | "handing-over";

/** Primary: the message goes on to the queue of the secondary archive. */
export class StudyNotInPrimaryArchiveError extends GatewayError {
  override readonly name: string = "StudyNotInPrimaryArchiveError";

  constructor() {
    super("PIXL_STUDY_NOT_IN_PRIMARY");
  }
}

/** Secondary: it may not be asked now. */
export class OutOfHoursError extends GatewayError {
  override readonly name: string = "OutOfHoursError";
  /** When its next window begins. */
  readonly untilMs: number;

  constructor(untilMs: number) {
    super("PIXL_OUT_OF_HOURS", { untilMs });
    this.untilMs = untilMs;
  }
}

/** Time may mend it, or who looks after the site: the message is tried again. The code says what happened. */
export class RequeueMessageError extends GatewayError {
  override readonly name: string = "RequeueMessageError";
  readonly stage: Stage;

  constructor(failure: GatewayError, stage: Stage) {
    super(failure.code, failure.details, failure);
    this.stage = stage;
  }
}

/** Trying again mends nothing: the code says why. */
export class DiscardError extends GatewayError {
  override readonly name: string = "DiscardError";
}

/** What is the fault of the message, or of what it asks for. All else is the site's, and may pass. */
const FAULTS_OF_MESSAGES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "FIND_LIMIT_REACHED",
  "PIXL_MESSAGE_CLASS_UNKNOWN",
  "PIXL_MESSAGE_FIELD_INVALID",
  "PIXL_MESSAGE_FIELD_MISSING",
  "PIXL_MESSAGE_HOSTILE",
  "PIXL_MESSAGE_KEYS_BLANK",
  "PIXL_MESSAGE_KEY_UNSAFE",
  "PIXL_MESSAGE_NOT_JSON",
  "PIXL_MESSAGE_NOT_OBJECT",
  "PIXL_MESSAGE_TOO_LARGE",
  "TOO_MANY_STUDIES",
]);

/** Whatever was thrown while a message was processed, as one of the four errors of this file. */
export function processingError(thrown: unknown, stage: Stage): GatewayError {
  if (
    thrown instanceof StudyNotInPrimaryArchiveError ||
    thrown instanceof OutOfHoursError ||
    thrown instanceof RequeueMessageError ||
    thrown instanceof DiscardError
  ) {
    return thrown;
  }
  const failure = toGatewayError(thrown);
  if (!FAULTS_OF_MESSAGES.has(failure.code)) return new RequeueMessageError(failure, stage);
  return new DiscardError(failure.code, failure.details, failure);
}
