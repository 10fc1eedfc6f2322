import { GatewayError } from "../../errors/gateway-error.ts";
import { COMMAND_FIELD } from "./command-set.ts";
import { encodeCommitmentRequest, REQUEST_STORAGE_COMMITMENT } from "./commitment-messages.ts";
import { STORAGE_COMMITMENT_SOP_CLASS, STORAGE_COMMITMENT_SOP_INSTANCE } from "./service-classes.ts";
import type { SopReference } from "./service-types.ts";
import type { DimseSession } from "./session.ts";

/**
 * N-ACTION of the Storage Commitment Push Model; resolves with the status of its answer. PS3.4 J.3.2, PS3.7 10.1.4.
 * @throws GatewayError NO_PRESENTATION_CONTEXT, or what ended the association.
 */
export async function requestCommitmentOn(
  session: DimseSession,
  request: { readonly transactionUid: string; readonly instances: readonly SopReference[] },
): Promise<{ readonly status: number }> {
  const context = session.contexts.find(
    ({ abstractSyntaxUid, requestorIsScu }) => abstractSyntaxUid === STORAGE_COMMITMENT_SOP_CLASS && requestorIsScu,
  );
  if (context === undefined) throw new GatewayError("NO_PRESENTATION_CONTEXT", { service: "N-ACTION" });
  const { status } = await session.request({
    contextId: context.id,
    service: "N-ACTION",
    command: {
      requestedSopClassUid: STORAGE_COMMITMENT_SOP_CLASS,
      commandField: COMMAND_FIELD["N-ACTION-RQ"],
      requestedSopInstanceUid: STORAGE_COMMITMENT_SOP_INSTANCE,
      actionTypeId: REQUEST_STORAGE_COMMITMENT,
    },
    dataSet: encodeCommitmentRequest(request, context.transferSyntaxUid),
  });
  return { status };
}
