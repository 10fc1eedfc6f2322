import type { ErrorDetails, GatewayError } from "../../../errors/gateway-error.ts";
import type { ErrorCode } from "../../../errors/registry.ts";
import { factsText } from "../../fact-text.ts";

/** Why one of many things that a verb does failed. */
export interface ToldFailure {
  readonly code: ErrorCode;
  readonly message: string;
  /** What the error says besides, such as where in the object it is; absent when that is nothing. */
  readonly details?: ErrorDetails;
}

export function toldFailure({ code, message, details }: GatewayError): ToldFailure {
  return { code, message, ...(Object.keys(details).length === 0 ? {} : { details }) };
}

/** Code and details, as people read them. */
export function failureText(code: string, details: ErrorDetails = {}): string {
  return [code, ...(Object.keys(details).length === 0 ? [] : [factsText(details)])].join(", ");
}
