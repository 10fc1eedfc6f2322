import { GatewayError } from "../../errors/gateway-error.ts";
import type { Logger } from "../../units/logger.ts";

/** What peers do that the protocol does not allow: the codes under which it is logged and counted. PS3.7, PS3.8. */
export const VIOLATIONS = {
  ASSOCIATION_ANSWER_INVALID: "the answer to our association request does not fit the request",
  COMMAND_MALFORMED: "a command set breaks the encoding rules",
  COMMAND_OUT_OF_PLACE: "a command that may not come here",
  CONTEXT_NOT_ACCEPTED: "data on a presentation context that was not accepted",
  DATA_SET_OUT_OF_PLACE: "a data set where none may be, or none where one must be",
  INSTANCE_UID_DIFFERS: "the data set has another SOP Instance UID than its command",
  LIMIT_EXCEEDED: "more bytes than a message of this kind may have",
  PDU_LENGTH_INVALID: "a PDU of a length it cannot have",
  PDU_MALFORMED: "the fields of a PDU break the encoding rules",
  PDU_TYPE_UNKNOWN: "a PDU of an unknown type",
  PDU_UNEXPECTED: "a PDU that may not come in this state of the association",
  PDV_MALFORMED: "a presentation data value whose length does not fit its PDU",
  RESPONSE_MALFORMED: "an answer to no request, or of another service, or without status",
  SOP_CLASS_DIFFERS: "the data set or the command has another SOP class than the presentation context",
} as const satisfies Record<string, string>;

export type Violation = keyof typeof VIOLATIONS;

/** Where breaches of the protocol are told. */
export interface ViolationListeners {
  readonly logger?: Logger;
  readonly onViolation?: (violation: Violation) => void;
}

/** The breach behind an error; undefined when there is none. */
export function violationOf(error: unknown): Violation | undefined {
  const violation = error instanceof GatewayError ? error.details.violation : undefined;
  return typeof violation === "string" && isViolation(violation) ? violation : undefined;
}

/** Logs and counts one breach of the protocol by the peer. */
export function reportViolation(violation: Violation, { logger, onViolation }: ViolationListeners): void {
  logger?.warn("the peer broke the protocol", { violation });
  onViolation?.(violation);
}

function isViolation(name: string): name is Violation {
  return Object.hasOwn(VIOLATIONS, name);
}
