import { GatewayError } from "../../errors/gateway-error.ts";
import type { NegotiatedContext } from "../upper-layer/negotiation.ts";
import { COMMAND_FIELD, PRIORITY_MEDIUM } from "./command-set.ts";
import type { OutgoingInstance, StoreResult } from "./service-types.ts";
import type { DimseSession } from "./session.ts";

/** Whose C-MOVE a C-STORE is part of. PS3.7 9.1.1.1. */
export interface MoveOriginator {
  readonly aeTitle: string;
  readonly messageId: number;
}

export interface StoreRequest {
  readonly instance: OutgoingInstance;
  /** Which of the association's contexts may carry it: those where we are the SCU. */
  readonly mayCarry: (context: NegotiatedContext) => boolean;
  readonly originator?: MoveOriginator;
}

/**
 * C-STORE of one instance, streamed, over the context of the very syntax it is in: it is never converted. Resolves with the status of the
 * answer.
 * @throws GatewayError NO_PRESENTATION_CONTEXT, or what ended the association.
 */
export async function sendInstance(session: DimseSession, request: StoreRequest): Promise<StoreResult> {
  const { instance, originator } = request;
  const context = session.contexts.find(
    (candidate) =>
      candidate.abstractSyntaxUid === instance.sopClassUid &&
      candidate.transferSyntaxUid === instance.transferSyntaxUid &&
      request.mayCarry(candidate),
  );
  if (context === undefined) {
    const { sopClassUid, transferSyntaxUid } = instance;
    throw new GatewayError("NO_PRESENTATION_CONTEXT", { sopClassUid, transferSyntaxUid });
  }
  const { status, command } = await session.request({
    contextId: context.id,
    service: "C-STORE",
    command: {
      affectedSopClassUid: instance.sopClassUid,
      commandField: COMMAND_FIELD["C-STORE-RQ"],
      priority: PRIORITY_MEDIUM,
      affectedSopInstanceUid: instance.sopInstanceUid,
      ...(originator && {
        moveOriginatorApplicationEntityTitle: originator.aeTitle,
        moveOriginatorMessageId: originator.messageId,
      }),
    },
    dataSet: instance.open(),
  });
  const { errorComment = "" } = command;
  return { status, ...(errorComment === "" ? {} : { errorComment }) };
}
