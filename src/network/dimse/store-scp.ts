import { isFieldUid } from "../../dicom/uid.ts";
import { toGatewayError } from "../../errors/gateway-error.ts";
import type { Violation } from "../upper-layer/violations.ts";
import { DataSetHead } from "./data-set-head.ts";
import { type DataSetReceiver, dropDataSet, type Message } from "./message-reader.ts";
import type { IncomingInstance, InstanceSink, StoreAnswer, StoreHandler } from "./service-types.ts";
import type { DimseSession } from "./session.ts";
import { STATUS } from "./status.ts";

/**
 * Receives one C-STORE request. The answer is what the sink's `close` says; nothing else acknowledges. A data set that is another object
 * than its command announced is dropped and answered with A900H. PS3.7 9.1.1, PS3.4 B.2.3.
 */
export async function receiveInstance(
  session: DimseSession,
  message: Message,
  handler: StoreHandler,
): Promise<DataSetReceiver> {
  const answer = (told: StoreAnswer): Promise<void> => answerStore(session, message, told);
  const announced = announcedBy(session, message);
  if ("refuse" in announced) {
    const { refuse, violation, instance } = announced;
    session.reportViolation(violation);
    if (instance !== undefined) await tellOf(violation, instance, session, handler);
    return dropDataSet(() => answer(refuse));
  }
  const opened = await open(session, announced, handler);
  if ("refuse" in opened) return dropDataSet(() => answer(opened.refuse));
  return new SinkReceiver(opened, new DataSetHead(announced), {
    answer,
    reportViolation: (violation) => session.reportViolation(violation),
  });
}

/** Refused by its command; the instance, as far as that names one. */
interface Breach {
  readonly refuse: number;
  readonly violation: Violation;
  readonly instance?: IncomingInstance;
}

function announcedBy(session: DimseSession, { command, contextId }: Message): IncomingInstance | Breach {
  const context = session.context(contextId);
  const { affectedSopClassUid: sopClassUid = "", affectedSopInstanceUid: sopInstanceUid = "" } = command;
  const moveOriginatorAeTitle = command.moveOriginatorApplicationEntityTitle?.trim();
  if (!isFieldUid(sopInstanceUid)) return { refuse: STATUS.invalidObjectInstance, violation: "COMMAND_MALFORMED" };
  const breach = { refuse: STATUS.sopClassNotSupported, violation: "SOP_CLASS_DIFFERS" } as const;
  if (context === undefined) return breach;
  const instance = {
    sopClassUid,
    sopInstanceUid,
    transferSyntaxUid: context.transferSyntaxUid,
    callingAeTitle: session.callingAeTitle,
    calledAeTitle: session.calledAeTitle,
    ...(moveOriginatorAeTitle !== undefined && { moveOriginatorAeTitle }),
    remoteAddress: session.remoteAddress,
  };
  return sopClassUid === context.abstractSyntaxUid ? instance : { ...breach, instance };
}

/** Whoever stores it hears of what its command alone shows, too: they may be waiting for it. */
async function tellOf(
  violation: Violation,
  instance: IncomingInstance,
  session: DimseSession,
  handler: StoreHandler,
): Promise<void> {
  const opened = await open(session, instance, handler);
  if (!("refuse" in opened)) await opened.abort(violation).catch(() => undefined);
}

async function open(
  session: DimseSession,
  instance: IncomingInstance,
  handler: StoreHandler,
): Promise<InstanceSink | { readonly refuse: number }> {
  try {
    return await handler(instance, session.signal);
  } catch (error) {
    return { refuse: statusOfError(error) };
  }
}

async function answerStore(session: DimseSession, message: Message, told: StoreAnswer): Promise<void> {
  // The peer may have gone while the sink was closed: there is nobody to answer.
  if (session.signal.aborted) return;
  const { affectedSopInstanceUid = "" } = message.command;
  const answer = typeof told === "number" ? { status: told } : told;
  await session.respond(message, { affectedSopInstanceUid, ...answer });
}

/** Trying again may help: out of resources; else processing failure. PS3.4 B.2.3, PS3.7 C.5.16. */
function statusOfError(error: unknown): number {
  return toGatewayError(error).class === "transient" ? STATUS.outOfResources : STATUS.processingFailure;
}

interface Peer {
  readonly answer: (told: StoreAnswer) => Promise<void>;
  readonly reportViolation: (violation: Violation) => void;
}

/** Writes to a sink; after its first failure the rest is dropped and answered with a failure status. */
class SinkReceiver implements DataSetReceiver {
  readonly #sink: InstanceSink;
  readonly #peer: Peer;
  readonly #head: DataSetHead;
  #failure: number | undefined;
  #settled = false;

  constructor(sink: InstanceSink, head: DataSetHead, peer: Peer) {
    this.#sink = sink;
    this.#head = head;
    this.#peer = peer;
  }

  write(bytes: Uint8Array): void | Promise<void> {
    if (this.#failure !== undefined) return;
    const violation = this.#head.add(bytes);
    if (violation !== undefined) return this.#refuse(violation);
    try {
      const written = this.#sink.write(bytes);
      if (written instanceof Promise) return written.catch((error: unknown) => this.#fail(error));
    } catch (error) {
      return this.#fail(error);
    }
  }

  async end(): Promise<void> {
    const violation = this.#failure === undefined ? this.#head.end() : undefined;
    if (violation !== undefined) await this.#refuse(violation);
    if (this.#failure === undefined) {
      this.#settled = true;
      try {
        return await this.#peer.answer(await this.#sink.close());
      } catch (error) {
        this.#failure = statusOfError(error);
      }
    }
    await this.#peer.answer(this.#failure);
  }

  abort(): void {
    void this.#abortSink();
  }

  async #refuse(violation: Violation): Promise<void> {
    this.#failure = STATUS.dataSetDoesNotMatchSopClass;
    this.#peer.reportViolation(violation);
    await this.#abortSink(violation);
  }

  async #fail(error: unknown): Promise<void> {
    this.#failure = statusOfError(error);
    await this.#abortSink();
  }

  async #abortSink(violation?: Violation): Promise<void> {
    if (this.#settled) return;
    this.#settled = true;
    try {
      await this.#sink.abort(violation, this.#head.named);
    } catch {
      // The sink cleans up after itself; what it could not remove is swept when its owner starts.
    }
  }
}
