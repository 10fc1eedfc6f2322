import type { DataSet } from "../../dicom/data-set.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { COMMAND_FIELD, malformed, PRIORITY_MEDIUM } from "./command-set.ts";
import { Handoff } from "./handoff.ts";
import { decodeIdentifier, encodeIdentifier } from "./identifier.ts";
import { cancelAndDrain, queryContext } from "./query-scu.ts";
import type { InformationModel } from "./service-types.ts";
import type { DimseSession } from "./session.ts";
import { formatStatus, STATUS, statusError } from "./status.ts";

export interface FindRequest {
  readonly model: InformationModel;
  readonly identifier: DataSet;
  readonly maximumAnswers?: number;
}

/**
 * Final answers of a provider that stopped by itself. B001H says so (PS3.4 C.4.1.1.4); Orthanc answers as if we had cancelled.
 */
const STOPPED_BY_PEER: ReadonlySet<number> = new Set([STATUS.matchingReachedResponseLimit, STATUS.cancel]);

/** Only for searches that nobody cancelled: whoever leaves the loop is not told how it ended. */
export function findError(status: number): GatewayError | undefined {
  if (!STOPPED_BY_PEER.has(status)) return statusError("C-FIND", status);
  return new GatewayError("FIND_LIMIT_REACHED", { by: "peer", status: formatStatus(status) });
}

/**
 * C-FIND on a session that is ours alone until the loop is left. PS3.4 C.4.1.
 * @throws GatewayError FIND_LIMIT_REACHED behind the last answer when there are more
 */
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
      if (dataSet === undefined) throw malformed("DATA_SET_OUT_OF_PLACE", "a pending answer without identifier");
      return answers.push(dataSet);
    },
  });
  final.then(
    ({ status }) => answers.end(findError(status)),
    (error: unknown) => answers.end(error),
  );
  try {
    for (let count = 0; ; count += 1) {
      const answer = await answers.next();
      if (answer === undefined) return;
      if (count >= maximumAnswers) throw new GatewayError("FIND_LIMIT_REACHED", { by: "us", maximumAnswers });
      yield decodeIdentifier(answer, context.transferSyntaxUid);
    }
  } finally {
    answers.drain();
    if (!answers.ended) await cancelAndDrain(session, { context, messageId, final, drainTimeoutMs });
  }
}
