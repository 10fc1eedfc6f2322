import { COMMAND_FIELD, hasDataSet } from "./command-set.ts";
import { dropDataSet, type Handled, type Message } from "./message-reader.ts";
import type { DimseSession } from "./session.ts";

/** Answers a request with a failure status, after its data set, if it has one, is read and dropped. */
export function refuseRequest(session: DimseSession, message: Message, status: number): Handled {
  const answer = async (): Promise<undefined> => {
    // C-CANCEL has no answer. PS3.7 9.3.2.3.
    if (message.command.commandField !== COMMAND_FIELD["C-CANCEL-RQ"]) await session.respond(message, { status });
  };
  return hasDataSet(message.command) ? dropDataSet(answer) : answer();
}
