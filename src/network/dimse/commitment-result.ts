import { type CommandSet, hasDataSet } from "./command-set.ts";
import { COMMITMENT_EVENTS, decodeCommitmentResult } from "./commitment-messages.ts";
import { collectDataSet, type Handled, type Message } from "./message-reader.ts";
import { refuseRequest } from "./refusal.ts";
import { STORAGE_COMMITMENT_SOP_CLASS, STORAGE_COMMITMENT_SOP_INSTANCE } from "./service-classes.ts";
import type { CommitmentHandler } from "./service-types.ts";
import type { DimseSession } from "./session.ts";
import { STATUS } from "./status.ts";

/** Takes the N-EVENT-REPORT of an archive that was asked for storage commitment. PS3.4 J.3.3, PS3.7 10.1.1. */
export function receiveCommitmentResult(
  session: DimseSession,
  message: Message,
  handler: CommitmentHandler | undefined,
): Handled {
  const context = session.context(message.contextId);
  const isCommitment = context?.abstractSyntaxUid === STORAGE_COMMITMENT_SOP_CLASS;
  if (handler === undefined || !isCommitment || !hasDataSet(message.command)) {
    session.reportViolation("COMMAND_OUT_OF_PLACE");
    return refuseRequest(session, message, STATUS.unrecognizedOperation);
  }
  return collectDataSet(async (bytes) => {
    const refusal = refusalOf(message.command);
    const status = refusal ?? (await statusOf(bytes, context.transferSyntaxUid, handler));
    if (session.signal.aborted) return;
    const { affectedSopInstanceUid, eventTypeId } = message.command;
    await session.respond(message, {
      status,
      ...(affectedSopInstanceUid !== undefined && { affectedSopInstanceUid }),
      ...(eventTypeId !== undefined && { eventTypeId }),
    });
  });
}

const EVENTS: ReadonlySet<number | undefined> = new Set(Object.values(COMMITMENT_EVENTS));

/** PS3.7 10.1.1.1.8. */
function refusalOf({ affectedSopInstanceUid, eventTypeId }: CommandSet): number | undefined {
  if (affectedSopInstanceUid !== STORAGE_COMMITMENT_SOP_INSTANCE) return STATUS.noSuchInstance;
  return EVENTS.has(eventTypeId) ? undefined : STATUS.noSuchEventType;
}

async function statusOf(bytes: Uint8Array, transferSyntaxUid: string, handler: CommitmentHandler): Promise<number> {
  try {
    const result = decodeCommitmentResult(bytes, transferSyntaxUid);
    const isKnown = result !== undefined && (await handler(result));
    return isKnown ? STATUS.success : STATUS.invalidArgumentValue;
  } catch {
    return STATUS.processingFailure;
  }
}
