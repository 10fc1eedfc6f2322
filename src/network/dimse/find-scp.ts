import { encodeIdentifier } from "./identifier.ts";
import type { FinalResponse, Operation } from "./operation.ts";
import { STATUS } from "./status.ts";

/** Answers a C-FIND from its handler, one pending answer for each match. PS3.4 C.4.1.3. */
export async function serveFind(operation: Operation): Promise<FinalResponse> {
  const { session, context, message, identifier, model, handlers, signal } = operation;
  if (handlers.find === undefined) return { answer: { status: STATUS.unrecognizedOperation } };
  for await (const match of handlers.find(identifier, model, signal)) {
    if (signal.aborted) break;
    await session.respond(message, { status: STATUS.pending }, encodeIdentifier(match, context.transferSyntaxUid));
  }
  return { answer: { status: signal.aborted ? STATUS.cancel : STATUS.success } };
}
