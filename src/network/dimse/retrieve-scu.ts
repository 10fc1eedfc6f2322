import type { AeTitle } from "../../dicom/ae-title.ts";
import type { DataSet } from "../../dicom/data-set.ts";
import { COMMAND_FIELD, PRIORITY_MEDIUM } from "./command-set.ts";
import { encodeIdentifier, failedInstancesOf } from "./identifier.ts";
import { queryContext } from "./query-scu.ts";
import type { InformationModel, RetrieveResult, SubOperationCounts } from "./service-types.ts";
import type { DimseSession } from "./session.ts";
import { createSubOperationAccount } from "./sub-operations.ts";

export interface RetrieveRequest {
  readonly model: InformationModel;
  readonly identifier: DataSet;
  /** C-MOVE when present, else C-GET. */
  readonly destination?: AeTitle;
  readonly onProgress?: ((counts: SubOperationCounts) => void) | undefined;
}

/** C-MOVE or C-GET up to its final answer, whatever its status. PS3.4 C.4.2, C.4.3. */
export async function retrieveOn(session: DimseSession, request: RetrieveRequest): Promise<RetrieveResult> {
  const { model, identifier, destination, onProgress } = request;
  const isMove = destination !== undefined;
  const context = queryContext(session, model, isMove ? "move" : "get");
  const account = createSubOperationAccount();
  const { command, status, dataSet } = await session.request({
    contextId: context.id,
    service: isMove ? "C-MOVE" : "C-GET",
    command: {
      affectedSopClassUid: context.abstractSyntaxUid,
      commandField: COMMAND_FIELD[isMove ? "C-MOVE-RQ" : "C-GET-RQ"],
      priority: PRIORITY_MEDIUM,
      ...(isMove && { moveDestination: destination }),
    },
    dataSet: encodeIdentifier(identifier, context.transferSyntaxUid),
    onPending: (pending) => {
      const counts = account.pending(pending);
      onProgress?.(counts);
    },
  });
  const failedSopInstanceUids = dataSet === undefined ? [] : failedInstancesOf(dataSet, context.transferSyntaxUid);
  return { status, ...account.final(command), failedSopInstanceUids };
}
