import { GatewayError } from "../../errors/gateway-error.ts";
import { abortAfter } from "../../units/abort.ts";
import type { NegotiatedContext } from "../upper-layer/negotiation.ts";
import { onCancelled } from "./cancellation.ts";
import { COMMAND_FIELD } from "./command-set.ts";
import { QUERY_RETRIEVE_SOP_CLASSES, type QueryRetrieveService } from "./service-classes.ts";
import type { InformationModel } from "./service-types.ts";
import type { DimseSession } from "./session.ts";

/** @throws GatewayError NO_PRESENTATION_CONTEXT when the peer does not offer this service of this model. */
export function queryContext(
  session: DimseSession,
  model: InformationModel,
  service: QueryRetrieveService,
): NegotiatedContext {
  const sopClassUid = QUERY_RETRIEVE_SOP_CLASSES[model][service];
  const context = session.contexts.find(
    ({ abstractSyntaxUid, requestorIsScu }) => abstractSyntaxUid === sopClassUid && requestorIsScu,
  );
  if (context === undefined) throw new GatewayError("NO_PRESENTATION_CONTEXT", { model, service });
  return context;
}

/**
 * C-CANCEL, then the answers still on their way are dropped. Some archives ignore C-CANCEL and go on for minutes:
 * after `drainTimeoutMs` the association is aborted instead. PS3.7 9.3.2.3.
 */
export async function cancelAndDrain(
  session: DimseSession,
  operation: {
    readonly context: NegotiatedContext;
    readonly messageId: number;
    readonly final: Promise<unknown>;
    readonly drainTimeoutMs: number;
  },
): Promise<void> {
  using limit = abortAfter(operation.drainTimeoutMs);
  using _ = onCancelled(limit, (error) => session.abort(error));
  try {
    await session.send(operation.context.id, {
      commandField: COMMAND_FIELD["C-CANCEL-RQ"],
      messageIdBeingRespondedTo: operation.messageId,
    });
    await operation.final;
  } catch {
    // The consumer has left; the association tells its next user that it has ended.
  }
}
