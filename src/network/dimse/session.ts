import type { Socket } from "node:net";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import type { AcceptorDecision, NegotiatedContext } from "../upper-layer/negotiation.ts";
import { contextsOfAnswer } from "../upper-layer/negotiation.ts";
import { type AssociateAccept, type AssociateRequest, REJECTION } from "../upper-layer/pdu.ts";
import { UpperLayer } from "../upper-layer/upper-layer.ts";
import { reportViolation, type Violation, type ViolationListeners } from "../upper-layer/violations.ts";
import {
  type CommandSet,
  DATA_SET_FOLLOWS,
  encodeCommandSet,
  hasDataSet,
  malformed,
  NO_DATA_SET,
  RESPONSE_BIT,
} from "./command-set.ts";
import { collectDataSet, type Handled, type Message, MessageReader } from "./message-reader.ts";
import { type DataSetSource, fragmentBytesFor, writeMessage } from "./message-writer.ts";
import type { DimseTimeouts } from "./service-types.ts";
import { type DimseService, describeStatus } from "./status.ts";

/** In the details of the error that requests on a released association get. */
export const RELEASED = "release";

export interface SessionOptions {
  readonly socket: Socket;
  readonly timeouts: DimseTimeouts;
  readonly maximumPduLength: number;
  /** Where breaches of the protocol by the peer are told: those that end the association, and those after it. */
  readonly violations?: ViolationListeners;
  /** Requests of the peer. */
  readonly onRequest: (session: DimseSession, message: Message) => Handled;
  /** What is proposed (requestor), or how a proposal is answered (acceptor). */
  readonly negotiation:
    | { readonly request: AssociateRequest }
    | { readonly decide: (request: AssociateRequest) => AcceptorDecision };
}

export interface Outgoing {
  readonly contextId: number;
  readonly service: DimseService;
  readonly command: CommandSet & { readonly commandField: number };
  readonly dataSet?: DataSetSource;
  /** Pending answers. A promise holds the peer back. */
  readonly onPending?: (command: CommandSet, dataSet: Uint8Array | undefined) => void | Promise<void>;
}

/** The final answer to a request. */
export interface FinalAnswer {
  readonly command: CommandSet;
  readonly status: number;
  readonly dataSet: Uint8Array | undefined;
}

interface PendingRequest {
  readonly outgoing: Outgoing;
  readonly resolve: (answer: FinalAnswer) => void;
  readonly reject: (error: GatewayError) => void;
}

/** One association as an exchange of DIMSE messages; the same for both ends. PS3.7 6. */
export class DimseSession {
  readonly #upperLayer: UpperLayer;
  readonly #options: SessionOptions;
  readonly #reader: MessageReader;
  readonly #pending = new Map<number, PendingRequest>();
  readonly #established = Promise.withResolvers<void>();
  readonly #lifetime = new AbortController();
  #contexts: ReadonlyMap<number, NegotiatedContext> = new Map();
  #fragmentBytes = 0;
  #lastMessageId = 0;
  #sendQueue: Promise<void> = Promise.resolve();
  #endError: GatewayError | undefined;
  #messagesHeard = 0;
  /** Of the association request. */
  callingAeTitle = "";
  calledAeTitle = "";

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#established.promise.catch(() => {});
    this.#reader = new MessageReader(
      (contextId) => this.#contexts.has(contextId),
      (message) => this.#onMessage(message),
    );
    const { negotiation } = options;
    this.#upperLayer = new UpperLayer({
      role: "request" in negotiation ? "requestor" : "acceptor",
      socket: options.socket,
      timeouts: options.timeouts,
      maximumPduLength: options.maximumPduLength,
      user: {
        associateIndication: (request) => this.#onAssociateIndication(request),
        associateConfirmation: (answer) => this.#onAssociateConfirmation(answer),
        dataIndication: (fragment) => this.#reader.fragment(fragment),
        ended: (error) => this.#onEnded(error),
      },
      onViolation: (violation) => this.reportViolation(violation),
    });
    if ("request" in negotiation) this.#upperLayer.request(negotiation.request);
    else this.#upperLayer.listen();
  }

  /** Resolves when the association is there; rejects with the reason why it is not. */
  get established(): Promise<void> {
    return this.#established.promise;
  }

  /** Aborted when the association has ended, in order or not. */
  get signal(): AbortSignal {
    return this.#lifetime.signal;
  }

  /** Resolves when the transport connection is gone. */
  get closed(): Promise<void> {
    return this.#upperLayer.closed;
  }

  get contexts(): readonly NegotiatedContext[] {
    return [...this.#contexts.values()];
  }

  get remoteAddress(): string {
    return this.#options.socket.remoteAddress ?? "";
  }

  /** Commands of the peer, requests and answers. */
  get messagesHeard(): number {
    return this.#messagesHeard;
  }

  /** A message of the peer is coming in, or an answer of it is awaited. */
  get isBusy(): boolean {
    return this.#reader.isWithinMessage || this.#pending.size > 0;
  }

  /** It sends what belongs to a message, and far less than the slowest of lines would bring. */
  get isDripping(): boolean {
    return this.#reader.isWithinMessage && this.#upperLayer.silence.isSlow;
  }

  context(contextId: number): NegotiatedContext | undefined {
    return this.#contexts.get(contextId);
  }

  /** For breaches that are answered with a status; those that end the association report themselves. */
  reportViolation(violation: Violation): void {
    reportViolation(violation, this.#options.violations ?? {});
  }

  /** See `UpperLayer.awaitPeer`. */
  awaitPeer(): Disposable {
    return this.#upperLayer.awaitPeer();
  }

  release(): void {
    this.#upperLayer.release();
  }

  abort(error: GatewayError): void {
    this.#upperLayer.abort(error);
  }

  /** An abort that does not wait for the peer to close. */
  abandon(error: GatewayError): void {
    this.#upperLayer.abandon(error);
  }

  /** 1 to 65535, then again from 1. PS3.7 E.1. */
  nextMessageId(): number {
    this.#lastMessageId = (this.#lastMessageId % 0xffff) + 1;
    return this.#lastMessageId;
  }

  /** Sends one message; messages never interleave. A source that fails half-way aborts the association. */
  send(contextId: number, command: CommandSet, dataSet?: DataSetSource): Promise<void> {
    const bytes = encodeCommandSet({
      ...command,
      commandDataSetType: dataSet === undefined ? NO_DATA_SET : DATA_SET_FOLLOWS,
    });
    const sent = this.#sendQueue.then(async () => {
      if (this.#lifetime.signal.aborted) throw this.#endError ?? new GatewayError("ASSOCIATION_ABORTED");
      try {
        await writeMessage(contextId, bytes, dataSet, this.#fragmentBytes, (pdus) => this.#upperLayer.send(pdus));
      } catch (error) {
        this.abort(toGatewayError(error));
        throw error;
      }
    });
    this.#sendQueue = sent.catch(() => {});
    return sent;
  }

  /** Sends a request and waits for its final answer. @throws GatewayError when the association ends before. */
  async request(outgoing: Outgoing): Promise<FinalAnswer> {
    using _ = this.awaitPeer();
    const messageId = outgoing.command.messageId ?? this.nextMessageId();
    const final = new Promise<FinalAnswer>((resolve, reject) => {
      this.#pending.set(messageId, { outgoing, resolve, reject });
    });
    const sent = this.send(outgoing.contextId, { ...outgoing.command, messageId }, outgoing.dataSet);
    try {
      const [answer] = await Promise.all([final, sent]);
      return answer;
    } finally {
      this.#pending.delete(messageId);
    }
  }

  /** Answers a request of the peer. */
  respond(request: Message, answer: CommandSet & { readonly status: number }, dataSet?: Uint8Array): Promise<void> {
    const { affectedSopClassUid, commandField = 0, messageId = 0 } = request.command;
    return this.send(
      request.contextId,
      {
        ...(affectedSopClassUid !== undefined && { affectedSopClassUid }),
        commandField: commandField | RESPONSE_BIT,
        messageIdBeingRespondedTo: messageId,
        ...answer,
      },
      dataSet,
    );
  }

  #onAssociateIndication(request: AssociateRequest): AcceptorDecision["answer"] {
    const { negotiation } = this.#options;
    if (!("decide" in negotiation)) return { reject: REJECTION.noReason };
    const { answer, contexts } = negotiation.decide(request);
    if ("accept" in answer) this.#onEstablished(request, request, contexts);
    return answer;
  }

  #onAssociateConfirmation(answer: AssociateAccept): void {
    const { negotiation } = this.#options;
    if (!("request" in negotiation)) return;
    this.#onEstablished(negotiation.request, answer, contextsOfAnswer(negotiation.request, answer));
  }

  #onEstablished(
    request: AssociateRequest,
    peer: AssociateRequest | AssociateAccept,
    contexts: readonly NegotiatedContext[],
  ): void {
    this.#contexts = new Map(contexts.map((context) => [context.id, context]));
    this.#fragmentBytes = fragmentBytesFor(peer.userInformation.maximumPduLength);
    this.callingAeTitle = request.callingAeTitle;
    this.calledAeTitle = request.calledAeTitle;
    this.#established.resolve();
  }

  #onEnded(error: GatewayError | undefined): void {
    this.#endError = error ?? new GatewayError("ASSOCIATION_ABORTED", { by: RELEASED });
    this.#lifetime.abort(this.#endError);
    this.#established.reject(this.#endError);
    this.#reader.end();
    for (const { reject } of this.#pending.values()) reject(this.#endError);
  }

  #onMessage(message: Message): Handled {
    this.#messagesHeard += 1;
    this.#upperLayer.silence.measureAnew();
    const { commandField } = message.command;
    if (commandField === undefined) throw malformed("COMMAND_MALFORMED", "command set has no command field");
    if ((commandField & RESPONSE_BIT) === 0) return this.#options.onRequest(this, message);
    return this.#onResponse(message.command, commandField);
  }

  #onResponse(command: CommandSet, commandField: number): Handled {
    const pending = this.#pending.get(command.messageIdBeingRespondedTo ?? -1);
    if (pending === undefined) throw malformed("RESPONSE_MALFORMED", "an answer to no request");
    if (commandField !== (pending.outgoing.command.commandField | RESPONSE_BIT)) {
      throw malformed("RESPONSE_MALFORMED", "an answer of another service than the request");
    }
    const { status } = command;
    if (status === undefined) throw malformed("RESPONSE_MALFORMED", "an answer without status");
    const deliver = (dataSet: Uint8Array | undefined): void | Promise<void> => {
      if (describeStatus(pending.outgoing.service, status).class === "pending") {
        return pending.outgoing.onPending?.(command, dataSet);
      }
      pending.resolve({ command, status, dataSet });
    };
    if (hasDataSet(command)) return collectDataSet(deliver);
    const delivered = deliver(undefined);
    return delivered instanceof Promise ? delivered.then(() => undefined) : undefined;
  }
}
