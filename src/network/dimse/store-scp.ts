import { isFieldUid } from "../../dicom/uid.ts";
import { toGatewayError } from "../../errors/gateway-error.ts";
import { type DataSetReceiver, dropDataSet, type Message } from "./message-reader.ts";
import type { InstanceSink, StoreHandler } from "./service-types.ts";
import type { DimseSession } from "./session.ts";
import { STATUS } from "./status.ts";

/** Receives one C-STORE request. The answer is what the sink's `close` says; nothing else acknowledges. PS3.7 9.1.1. */
export async function receiveInstance(
  session: DimseSession,
  message: Message,
  handler: StoreHandler,
): Promise<DataSetReceiver> {
  const opened = await open(session, message, handler);
  const answer = (status: number): Promise<void> => answerStore(session, message, status);
  if ("refuse" in opened) return dropDataSet(() => answer(opened.refuse));
  return new SinkReceiver(opened, answer);
}

async function open(
  session: DimseSession,
  { command, contextId }: Message,
  handler: StoreHandler,
): Promise<InstanceSink | { readonly refuse: number }> {
  const context = session.context(contextId);
  const { affectedSopClassUid: sopClassUid = "", affectedSopInstanceUid: sopInstanceUid = "" } = command;
  if (!isFieldUid(sopInstanceUid)) return { refuse: STATUS.invalidObjectInstance };
  if (context === undefined || sopClassUid !== context.abstractSyntaxUid)
    return { refuse: STATUS.sopClassNotSupported };
  const instance = {
    sopClassUid,
    sopInstanceUid,
    transferSyntaxUid: context.transferSyntaxUid,
    callingAeTitle: session.callingAeTitle,
    calledAeTitle: session.calledAeTitle,
    remoteAddress: session.remoteAddress,
  };
  try {
    return await handler(instance, session.signal);
  } catch (error) {
    return { refuse: statusOfError(error) };
  }
}

async function answerStore(session: DimseSession, message: Message, status: number): Promise<void> {
  // The peer may have gone while the sink was closed: there is nobody to answer.
  if (session.signal.aborted) return;
  const { affectedSopInstanceUid = "" } = message.command;
  await session.respond(message, { affectedSopInstanceUid, status });
}

/** Trying again may help: out of resources; else processing failure. PS3.4 B.2.3, PS3.7 C.5.16. */
function statusOfError(error: unknown): number {
  return toGatewayError(error).class === "transient" ? STATUS.outOfResources : STATUS.processingFailure;
}

/** Writes to a sink; after its first failure the rest is dropped and answered with a failure status. */
class SinkReceiver implements DataSetReceiver {
  readonly #sink: InstanceSink;
  readonly #answer: (status: number) => Promise<void>;
  #failure: number | undefined;
  #settled = false;

  constructor(sink: InstanceSink, answer: (status: number) => Promise<void>) {
    this.#sink = sink;
    this.#answer = answer;
  }

  write(bytes: Uint8Array): void | Promise<void> {
    if (this.#failure !== undefined) return;
    try {
      const written = this.#sink.write(bytes);
      if (written instanceof Promise) return written.catch((error: unknown) => this.#fail(error));
    } catch (error) {
      return this.#fail(error);
    }
  }

  async end(): Promise<void> {
    if (this.#failure === undefined) {
      this.#settled = true;
      try {
        return await this.#answer(await this.#sink.close());
      } catch (error) {
        this.#failure = statusOfError(error);
      }
    }
    await this.#answer(this.#failure);
  }

  abort(): void {
    void this.#abortSink();
  }

  async #fail(error: unknown): Promise<void> {
    this.#failure = statusOfError(error);
    await this.#abortSink();
  }

  async #abortSink(): Promise<void> {
    if (this.#settled) return;
    this.#settled = true;
    try {
      await this.#sink.abort();
    } catch {
      // The sink cleans up after itself; what it could not remove is swept when its owner starts.
    }
  }
}
