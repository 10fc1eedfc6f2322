import type { DataSet } from "../../dicom/data-set.ts";
import { COMMAND_FIELD, malformed, PRIORITY_MEDIUM } from "./command-set.ts";
import { Handoff } from "./handoff.ts";
import { decodeIdentifier, encodeIdentifier } from "./identifier.ts";
import { cancelAndDrain, queryContext } from "./query-scu.ts";
import type { InformationModel } from "./service-types.ts";
import type { DimseSession } from "./session.ts";
import { statusError } from "./status.ts";

export interface FindRequest {
  readonly model: InformationModel;
  readonly identifier: DataSet;
  readonly maximumAnswers?: number;
}

/** C-FIND on a session that is ours alone until the loop is left. PS3.4 C.4.1. */
export async function* findOn(
  session: DimseSession,
  { model, identifier, maximumAnswers = Number.POSITIVE_INFINITY }: FindRequest,
  drainTimeoutMs: number,
): AsyncGenerator<DataSet, undefined> {
  const context = queryContext(session, model, "find");
  const messageId = session.nextMessageId();
  const answers = new Handoff<Uint8Array>();
  const final = session.request({
    contextId: context.id,
    service: "C-FIND",
    command: {
      affectedSopClassUid: context.abstractSyntaxUid,
      commandField: COMMAND_FIELD["C-FIND-RQ"],
      messageId,
      priority: PRIORITY_MEDIUM,
    },
    dataSet: encodeIdentifier(identifier, context.transferSyntaxUid),
    onPending: (_, dataSet) => {
      if (dataSet === undefined) throw malformed("a pending answer without identifier");
      return answers.push(dataSet);
    },
  });
  final.then(
    ({ status }) => answers.end(statusError("C-FIND", status)),
    (error: unknown) => answers.end(error),
  );
  try {
    for (let count = 0; count < maximumAnswers; count += 1) {
      const answer = await answers.next();
      if (answer === undefined) return;
      yield decodeIdentifier(answer, context.transferSyntaxUid);
    }
  } finally {
    answers.drain();
    if (!answers.ended) await cancelAndDrain(session, { context, messageId, final, drainTimeoutMs });
  }
}
