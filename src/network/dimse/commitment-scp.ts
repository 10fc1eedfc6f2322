import { GatewayError } from "../../errors/gateway-error.ts";
import { COMMAND_FIELD, hasDataSet } from "./command-set.ts";
import {
  COMMITMENT_EVENTS,
  decodeCommitmentRequest,
  encodeCommitmentResult,
  REQUEST_STORAGE_COMMITMENT,
} from "./commitment-messages.ts";
import { collectDataSet, type Handled, type Message } from "./message-reader.ts";
import { refuseRequest } from "./refusal.ts";
import { STORAGE_COMMITMENT_SOP_CLASS, STORAGE_COMMITMENT_SOP_INSTANCE } from "./service-classes.ts";
import type { CommitmentRequestHandler, CommitmentResult } from "./service-types.ts";
import type { DimseSession } from "./session.ts";
import { STATUS } from "./status.ts";

/** Takes the N-ACTION of a sender who asks for storage commitment. PS3.4 J.3.2, PS3.7 10.1.4. */
export function receiveCommitmentRequest(
  session: DimseSession,
  message: Message,
  handler: CommitmentRequestHandler | undefined,
): Handled {
  const context = session.context(message.contextId);
  const isCommitment = context?.abstractSyntaxUid === STORAGE_COMMITMENT_SOP_CLASS && context.requestorIsScu;
  if (handler === undefined || !isCommitment || !hasDataSet(message.command)) {
    session.reportViolation("COMMAND_OUT_OF_PLACE");
    return refuseRequest(session, message, STATUS.unrecognizedOperation);
  }
  return collectDataSet(async (bytes) => {
    const { status, result } = await answerOf(session, message, { bytes, handler });
    if (session.signal.aborted) return;
    const { requestedSopInstanceUid, actionTypeId } = message.command;
    await session.respond(message, {
      status,
      affectedSopClassUid: STORAGE_COMMITMENT_SOP_CLASS,
      ...(requestedSopInstanceUid !== undefined && { affectedSopInstanceUid: requestedSopInstanceUid }),
      ...(actionTypeId !== undefined && { actionTypeId }),
    });
    // Beside the reading of the association, as the answer comes over it. Who has gone by then asks again.
    if (result !== undefined) sendCommitmentResult(session, message.contextId, result).catch(() => undefined);
  });
}

/** PS3.7 10.1.4.1.10. */
async function answerOf(
  session: DimseSession,
  { command: { requestedSopInstanceUid, actionTypeId }, contextId }: Message,
  { bytes, handler }: { readonly bytes: Uint8Array; readonly handler: CommitmentRequestHandler },
): ReturnType<CommitmentRequestHandler> {
  if (requestedSopInstanceUid !== STORAGE_COMMITMENT_SOP_INSTANCE) return { status: STATUS.noSuchInstance };
  if (actionTypeId !== REQUEST_STORAGE_COMMITMENT) return { status: STATUS.noSuchAction };
  try {
    const request = decodeCommitmentRequest(bytes, session.context(contextId)?.transferSyntaxUid ?? "");
    return request === undefined ? { status: STATUS.invalidArgumentValue } : await handler(request, session);
  } catch {
    return { status: STATUS.processingFailure };
  }
}

/** N-EVENT-REPORT of the Storage Commitment Push Model; resolves with the status of its answer. PS3.4 J.3.3, PS3.7 10.1.1. */
export async function sendCommitmentResult(
  session: DimseSession,
  contextId: number,
  result: CommitmentResult,
): Promise<{ readonly status: number }> {
  const context = session.context(contextId);
  if (context === undefined) throw new GatewayError("NO_PRESENTATION_CONTEXT", { service: "N-EVENT-REPORT" });
  const { status } = await session.request({
    contextId,
    service: "N-EVENT-REPORT",
    command: {
      affectedSopClassUid: STORAGE_COMMITMENT_SOP_CLASS,
      commandField: COMMAND_FIELD["N-EVENT-REPORT-RQ"],
      affectedSopInstanceUid: STORAGE_COMMITMENT_SOP_INSTANCE,
      eventTypeId: result.failed.length === 0 ? COMMITMENT_EVENTS.successful : COMMITMENT_EVENTS.failuresExist,
    },
    dataSet: encodeCommitmentResult(result, context.transferSyntaxUid),
  });
  return { status };
}
