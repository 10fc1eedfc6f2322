import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { type ControlPdu, type PduError, REJECT_RESULT, REJECTION, type Rejection } from "./pdu.ts";

/** What the service provider itself refuses: a protocol without version 1. PS3.8 9.3.2, 9.3.4. */
export function refusalByProvider(pdu: ControlPdu | undefined): Rejection | undefined {
  const supported = pdu?.kind !== "A-ASSOCIATE-RQ" || (pdu.protocolVersion & 1) === 1;
  return supported ? undefined : REJECTION.protocolVersionNotSupported;
}

interface RejectionRow {
  readonly source: number;
  readonly reason: number;
  readonly meaning: string;
  /** Where more is known than that it was refused for good. */
  readonly code?: ErrorCode;
}

/** PS3.8 9.3.4 table 9-21; what is not here is reserved. */
const REJECTIONS: readonly RejectionRow[] = [
  { source: 1, reason: 1, meaning: "no reason given" },
  { source: 1, reason: 2, meaning: "application context name not supported" },
  { source: 1, reason: 3, meaning: "calling AE title not recognized", code: "CALLING_AE_TITLE_UNKNOWN" },
  { source: 1, reason: 7, meaning: "called AE title not recognized", code: "CALLED_AE_TITLE_UNKNOWN" },
  { source: 2, reason: 1, meaning: "no reason given" },
  { source: 2, reason: 2, meaning: "protocol version not supported" },
  { source: 3, reason: 1, meaning: "temporary congestion" },
  { source: 3, reason: 2, meaning: "local limit exceeded" },
];

/** Texts of our own, which logs may show. */
export const REJECTION_MEANINGS: ReadonlySet<unknown> = new Set(REJECTIONS.map(({ meaning }) => meaning));

export function rejectionError({ result, source, reason }: Rejection): GatewayError {
  const row = REJECTIONS.find((each) => each.source === source && each.reason === reason);
  const forGood = row?.code ?? "ASSOCIATION_REJECTED";
  const code = result === REJECT_RESULT.transient ? "ASSOCIATION_REJECTED_TRANSIENT" : forGood;
  return new GatewayError(code, { source, reason, ...(row !== undefined && { meaning: row.meaning }) });
}

export function abortError(pdu: ControlPdu | undefined): GatewayError {
  const details = pdu?.kind === "A-ABORT" ? { source: pdu.source, reason: pdu.reason } : {};
  return new GatewayError("ASSOCIATION_ABORTED", { by: "peer", ...details });
}

export function violationError(pdu: ControlPdu | undefined, pduError: PduError | undefined): GatewayError {
  const details =
    pduError === undefined
      ? { violation: "PDU_UNEXPECTED", unexpected: pdu?.kind ?? "P-DATA-TF" }
      : { violation: pduError.violation, reason: pduError.reason };
  return new GatewayError("DIMSE_PROTOCOL_VIOLATION", details, pduError);
}
