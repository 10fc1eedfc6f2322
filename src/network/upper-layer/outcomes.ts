import { GatewayError } from "../../errors/gateway-error.ts";
import { type ControlPdu, type PduError, REJECT_RESULT, REJECTION, type Rejection } from "./pdu.ts";

/** What the service provider itself refuses: a protocol without version 1. PS3.8 9.3.2, 9.3.4. */
export function refusalByProvider(pdu: ControlPdu | undefined): Rejection | undefined {
  const supported = pdu?.kind !== "A-ASSOCIATE-RQ" || (pdu.protocolVersion & 1) === 1;
  return supported ? undefined : REJECTION.protocolVersionNotSupported;
}

export function rejectionError({ result, source, reason }: Rejection): GatewayError {
  const code = result === REJECT_RESULT.transient ? "ASSOCIATION_REJECTED_TRANSIENT" : "ASSOCIATION_REJECTED";
  return new GatewayError(code, { source, reason });
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
