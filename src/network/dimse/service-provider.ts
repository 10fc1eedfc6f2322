import type { DataSet } from "../../dicom/data-set.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { Logger } from "../../units/logger.ts";
import type { NegotiatedContext } from "../upper-layer/negotiation.ts";
import { COMMAND_FIELD, hasDataSet, malformed } from "./command-set.ts";
import { receiveCommitmentResult } from "./commitment-result.ts";
import { receiveCommitmentRequest } from "./commitment-scp.ts";
import { serveFind } from "./find-scp.ts";
import { decodeIdentifier } from "./identifier.ts";
import { collectDataSet, type DataSetReceiver, type Handled, type Message } from "./message-reader.ts";
import type { FinalResponse, Operation } from "./operation.ts";
import { refuseRequest } from "./refusal.ts";
import { type MoveSettings, serveGet, serveMove } from "./retrieve-scp.ts";
import { type QueryRetrieveService, queryRetrieveClass } from "./service-classes.ts";
import type { ServiceHandlers } from "./service-types.ts";
import type { DimseSession } from "./session.ts";
import { STATUS } from "./status.ts";
import { receiveInstance } from "./store-scp.ts";

export interface ServiceProviderOptions extends MoveSettings {
  readonly handlers: ServiceHandlers;
  readonly logger: Logger;
  /** Called when an operation has ended and none is running. */
  readonly onQuiet: () => void;
}

/** Command fields that carry an identifier, and the service their SOP class must be of. */
const IDENTIFIER_REQUESTS: ReadonlyMap<number, QueryRetrieveService> = new Map([
  [COMMAND_FIELD["C-FIND-RQ"], "find"],
  [COMMAND_FIELD["C-MOVE-RQ"], "move"],
  [COMMAND_FIELD["C-GET-RQ"], "get"],
]);

/** Answers the requests of one association. One operation at a time, as the asynchronous operations window is 1. */
export class ServiceProvider {
  readonly #options: ServiceProviderOptions;
  #workedAtMs = performance.now();
  #running: { readonly messageId: number; readonly cancellation: AbortController } | undefined;
  #storing = false;
  /** While nothing runs here, it is the peer's turn. */
  #peersTurn: Disposable | undefined;

  constructor(options: ServiceProviderOptions) {
    this.#options = options;
  }

  get isBusy(): boolean {
    return this.#running !== undefined || this.#storing;
  }

  /** When it was last asked for anything but C-ECHO, or had done it. */
  get workedAtMs(): number {
    return this.#workedAtMs;
  }

  /** Starts to wait for requests. */
  begin(session: DimseSession): void {
    this.#peersTurn = session.awaitPeer();
  }

  onRequest(session: DimseSession, message: Message): Handled {
    const { commandField, messageIdBeingRespondedTo } = message.command;
    const context = session.context(message.contextId);
    if (context === undefined || commandField === undefined)
      throw malformed("COMMAND_MALFORMED", "a request without command field");
    if (commandField === COMMAND_FIELD["C-CANCEL-RQ"]) {
      // A cancel that comes after the final answer is no mistake. PS3.7 9.3.2.3.
      if (this.#running?.messageId === messageIdBeingRespondedTo) this.#running?.cancellation.abort();
      return undefined;
    }
    if (this.#running !== undefined)
      throw malformed("COMMAND_OUT_OF_PLACE", "a request before the one before is answered");
    if (message.command.messageId === undefined) throw malformed("COMMAND_MALFORMED", "a request without message id");
    if (commandField === COMMAND_FIELD["C-ECHO-RQ"] && !hasDataSet(message.command)) {
      return session.respond(message, { status: STATUS.success }).then(() => undefined);
    }
    this.#workedAtMs = performance.now();
    if (commandField === COMMAND_FIELD["C-STORE-RQ"]) return this.#onStore(session, message, context);
    if (commandField === COMMAND_FIELD["N-EVENT-REPORT-RQ"]) {
      return receiveCommitmentResult(session, message, this.#options.handlers.commitmentResult);
    }
    if (commandField === COMMAND_FIELD["N-ACTION-RQ"]) {
      return receiveCommitmentRequest(session, message, this.#options.handlers.commitmentRequest);
    }
    const service = IDENTIFIER_REQUESTS.get(commandField);
    const offered = queryRetrieveClass(context.abstractSyntaxUid);
    if (service === undefined || offered?.service !== service || !hasDataSet(message.command)) {
      session.reportViolation("COMMAND_OUT_OF_PLACE");
      return refuseRequest(session, message, STATUS.unrecognizedOperation);
    }
    return collectDataSet((bytes) => this.#start(session, message, context, service, bytes));
  }

  async #onStore(
    session: DimseSession,
    message: Message,
    context: NegotiatedContext,
  ): Promise<DataSetReceiver | undefined> {
    const { store } = this.#options.handlers;
    const isStorage = queryRetrieveClass(context.abstractSyntaxUid) === undefined && context.requestorIsScu;
    if (store === undefined || !isStorage || !hasDataSet(message.command)) {
      session.reportViolation("COMMAND_OUT_OF_PLACE");
      return await refuseRequest(session, message, STATUS.sopClassNotSupported);
    }
    this.#storing = true;
    const receiver = await receiveInstance(session, message, store);
    return {
      write: (bytes) => receiver.write(bytes),
      end: async () => {
        await receiver.end();
        this.#storing = false;
        this.#onQuiet();
      },
      abort: () => receiver.abort(),
    };
  }

  /** Runs beside the reading of the association, so that C-CANCEL and the answers to C-GET's C-STOREs come through. */
  #start(
    session: DimseSession,
    message: Message,
    context: NegotiatedContext,
    service: QueryRetrieveService,
    identifierBytes: Uint8Array,
  ): void {
    const cancellation = new AbortController();
    this.#running = { messageId: message.command.messageId ?? 0, cancellation };
    this.#peersTurn?.[Symbol.dispose]();
    const signal = AbortSignal.any([cancellation.signal, session.signal]);
    const run = async (): Promise<void> => {
      const { answer, dataSet } = await this.#serve(service, session, message, context, identifierBytes, signal);
      // From here on the peer may send its next request: it can only come after this answer.
      this.#running = undefined;
      if (session.signal.aborted) return;
      this.#peersTurn = session.awaitPeer();
      await session.respond(message, answer, dataSet);
      this.#onQuiet();
    };
    run().catch((error: unknown) => {
      session.abort(error instanceof GatewayError ? error : new GatewayError("INTERNAL", {}, error));
    });
  }

  #onQuiet(): void {
    this.#workedAtMs = performance.now();
    this.#options.onQuiet();
  }

  async #serve(
    service: QueryRetrieveService,
    session: DimseSession,
    message: Message,
    context: NegotiatedContext,
    identifierBytes: Uint8Array,
    signal: AbortSignal,
  ): Promise<FinalResponse> {
    const model = queryRetrieveClass(context.abstractSyntaxUid)?.model ?? "study-root";
    let identifier: DataSet;
    try {
      identifier = decodeIdentifier(identifierBytes, context.transferSyntaxUid);
    } catch {
      return { answer: { status: STATUS.identifierDoesNotMatchSopClass } };
    }
    const { handlers, logger } = this.#options;
    const operation: Operation = { session, context, model, message, identifier, handlers, signal };
    try {
      return await SERVICES[service](operation, this.#options);
    } catch (error) {
      if (signal.aborted) return { answer: { status: STATUS.cancel } };
      logger.warn("request could not be answered", {
        service,
        code: error instanceof GatewayError ? error.code : "INTERNAL",
      });
      return { answer: { status: STATUS.unableToProcess } };
    }
  }
}

const SERVICES: {
  readonly [S in QueryRetrieveService]: (operation: Operation, settings: MoveSettings) => Promise<FinalResponse>;
} = { find: serveFind, get: serveGet, move: serveMove };
