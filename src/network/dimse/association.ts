import type { DataSet } from "../../dicom/data-set.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import { abortAfter } from "../../units/abort.ts";
import { createSemaphore } from "../../units/semaphore.ts";
import { type NegotiatedContext, proposeAssociation } from "../upper-layer/negotiation.ts";
import { connectTransport } from "../upper-layer/transport.ts";
import { cancellation, onCancelled, throwIfCancelled } from "./cancellation.ts";
import { COMMAND_FIELD } from "./command-set.ts";
import { receiveCommitmentResult } from "./commitment-result.ts";
import { sendCommitmentResult } from "./commitment-scp.ts";
import { requestCommitmentOn } from "./commitment-scu.ts";
import { type FindRequest, findOn } from "./find-scu.ts";
import type { Handled, Message } from "./message-reader.ts";
import { refuseRequest } from "./refusal.ts";
import { type RetrieveRequest, retrieveOn } from "./retrieve-scu.ts";
import { STORAGE_COMMITMENT_SOP_CLASS, VERIFICATION_SOP_CLASS } from "./service-classes.ts";
import type {
  AcceptedContext,
  Association,
  AssociationOptions,
  CommitmentResult,
  DimseTimeouts,
  OutgoingInstance,
  RetrieveResult,
  SopReference,
  StoreHandler,
  StoreResult,
  SubOperationCounts,
} from "./service-types.ts";
import { DimseSession } from "./session.ts";
import { STATUS, statusError } from "./status.ts";
import { receiveInstance } from "./store-scp.ts";
import { type MoveOriginator, sendInstance } from "./store-scu.ts";
import { completeTimeouts, DEFAULT_MAXIMUM_PDU_LENGTH } from "./timeouts.ts";

/**
 * Requests an association; resolves when the peer has accepted it, with the contexts it accepted (perhaps none).
 * @throws GatewayError CONNECTION_FAILED, TIMED_OUT, ASSOCIATION_REJECTED, ASSOCIATION_REJECTED_TRANSIENT,
 * ASSOCIATION_ABORTED, DIMSE_PROTOCOL_VIOLATION, USER_NOT_CONFIRMED, CANCELLED; with TLS also those that begin with TLS_.
 */
export async function openAssociation(options: AssociationOptions): Promise<RequestedAssociation> {
  throwIfCancelled(options.signal);
  const timeouts = completeTimeouts(options.timeouts);
  const association = new RequestedAssociation(options, timeouts);
  await association.establish();
  return association;
}

/** An IPv6 address is written in brackets in `AET@host:port`. */
function hostOf(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

/** One operation at a time: further ones wait their turn, as the asynchronous operations window is 1. PS3.7 D.3.3.3. */
export class RequestedAssociation implements Association {
  readonly #options: AssociationOptions;
  readonly #timeouts: DimseTimeouts;
  readonly #session: DimseSession;
  readonly #operations = createSemaphore(1);
  readonly #cancellation: Disposable;
  #retrievedInto: StoreHandler | undefined;

  constructor(options: AssociationOptions, timeouts: DimseTimeouts) {
    this.#options = options;
    this.#timeouts = timeouts;
    const { address, callingAeTitle, maximumPduLength = DEFAULT_MAXIMUM_PDU_LENGTH } = options;
    const request = proposeAssociation(
      { calledAeTitle: address.aeTitle, callingAeTitle },
      options.contexts,
      maximumPduLength,
      { userIdentity: options.userIdentity, extendedNegotiation: options.extendedNegotiation },
    );
    this.#session = new DimseSession({
      socket: connectTransport({ host: hostOf(address.host), port: address.port, tls: options.tls }),
      timeouts,
      maximumPduLength,
      violations: options,
      negotiation: { request },
      onRequest: (session, message) => this.#onRequest(session, message),
    });
    this.#cancellation = onCancelled(options.signal, (error) => this.#session.abort(error));
  }

  async establish(): Promise<void> {
    using limit = abortAfter(this.#timeouts.connectTimeoutMs);
    // Who did not answer in this time is given no more of it to close the connection.
    using _ = onCancelled(limit, (error) => this.#session.abandon(error));
    try {
      await this.#session.established;
    } catch (error) {
      this.#cancellation[Symbol.dispose]();
      throw error;
    }
    this.#options.logger?.debug("association established", { accepted: this.#session.contexts.length });
  }

  get acceptedContexts(): readonly AcceptedContext[] {
    return this.#session.contexts;
  }

  /** It is open, and no operation runs on it. */
  get isReusable(): boolean {
    return !this.#session.signal.aborted && this.#operations.inUse === 0;
  }

  /** Aborted when the association has ended, in order or not. */
  get ended(): AbortSignal {
    return this.#session.signal;
  }

  /** Commands that the peer sent so far, answers among them. */
  get messagesHeard(): number {
    return this.#session.messagesHeard;
  }

  /** Aborts it and closes the connection: nothing is waited for. */
  abandon(): void {
    this.#cancellation[Symbol.dispose]();
    this.#session.abandon(new GatewayError("CANCELLED"));
  }

  echo(signal?: AbortSignal): Promise<void> {
    return this.#exclusively(signal, async () => {
      const context = this.#session.contexts.find(
        ({ abstractSyntaxUid }) => abstractSyntaxUid === VERIFICATION_SOP_CLASS,
      );
      if (context === undefined) throw new GatewayError("NO_PRESENTATION_CONTEXT", { service: "C-ECHO" });
      const { status } = await this.#session.request({
        contextId: context.id,
        service: "C-ECHO",
        command: { affectedSopClassUid: VERIFICATION_SOP_CLASS, commandField: COMMAND_FIELD["C-ECHO-RQ"] },
      });
      const error = statusError("C-ECHO", status);
      if (error !== undefined) throw error;
    });
  }

  async *find(request: FindRequest, signal?: AbortSignal): AsyncGenerator<DataSet, undefined> {
    using _turn = await this.#turn(signal);
    using _cancel = onCancelled(signal, (error) => this.#session.abort(error));
    yield* findOn(this.#session, request, this.#timeouts.artimTimeoutMs);
  }

  move(
    request: Required<Pick<RetrieveRequest, "model" | "identifier" | "destination">>,
    onProgress?: (counts: SubOperationCounts) => void,
    signal?: AbortSignal,
  ): Promise<RetrieveResult> {
    return this.#exclusively(signal, () => retrieveOn(this.#session, { ...request, onProgress }));
  }

  get(
    { model, identifier }: Pick<RetrieveRequest, "model" | "identifier">,
    store: StoreHandler,
    onProgress?: (counts: SubOperationCounts) => void,
    signal?: AbortSignal,
  ): Promise<RetrieveResult> {
    return this.#exclusively(signal, async () => {
      this.#retrievedInto = store;
      try {
        return await retrieveOn(this.#session, { model, identifier, onProgress });
      } finally {
        this.#retrievedInto = undefined;
      }
    });
  }

  store(instance: OutgoingInstance, signal?: AbortSignal): Promise<StoreResult> {
    return this.#store(instance, undefined, signal);
  }

  /** C-STORE as part of a peer's C-MOVE. */
  storeFor(
    originator: MoveOriginator,
    instance: OutgoingInstance,
    signal?: AbortSignal,
  ): Promise<{ readonly status: number }> {
    return this.#store(instance, originator, signal);
  }

  requestCommitment(
    request: { readonly transactionUid: string; readonly instances: readonly SopReference[] },
    signal?: AbortSignal,
  ): Promise<{ readonly status: number }> {
    return this.#exclusively(signal, () => requestCommitmentOn(this.#session, request));
  }

  reportCommitment(result: CommitmentResult, signal?: AbortSignal): Promise<{ readonly status: number }> {
    const context = this.#session.contexts.find(
      ({ abstractSyntaxUid, requestorIsScp }) => abstractSyntaxUid === STORAGE_COMMITMENT_SOP_CLASS && requestorIsScp,
    );
    return this.#exclusively(signal, () => sendCommitmentResult(this.#session, context?.id ?? 0, result));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancellation[Symbol.dispose]();
    // An operation that still runs was left behind: its answer will never be read.
    if (this.#operations.inUse > 0) this.#session.abort(new GatewayError("CANCELLED"));
    else this.#session.release();
    await this.#session.closed;
  }

  #store(instance: OutgoingInstance, originator: MoveOriginator | undefined, signal: AbortSignal | undefined) {
    const mayCarry = ({ requestorIsScu }: NegotiatedContext): boolean => requestorIsScu;
    return this.#exclusively(signal, () =>
      sendInstance(this.#session, { instance, mayCarry, ...(originator && { originator }) }),
    );
  }

  async #exclusively<T>(signal: AbortSignal | undefined, operation: () => Promise<T>): Promise<T> {
    using _turn = await this.#turn(signal);
    using _cancel = onCancelled(signal, (error) => this.#session.abort(error));
    return await operation();
  }

  /** @throws GatewayError when the signal is aborted while waiting: the association is left alone then. */
  async #turn(signal: AbortSignal | undefined): Promise<Disposable> {
    throwIfCancelled(signal);
    try {
      return await this.#operations.acquire(signal);
    } catch (error) {
      throw signal?.aborted ? cancellation(signal) : error;
    }
  }

  /** The only requests we expect are the C-STOREs of our own C-GET, and results of storage commitment. PS3.4 C.4.3, J.3.3. */
  #onRequest(session: DimseSession, message: Message): Handled {
    if (message.command.commandField === COMMAND_FIELD["N-EVENT-REPORT-RQ"]) {
      return receiveCommitmentResult(session, message, this.#options.commitmentResult);
    }
    const isStore = message.command.commandField === COMMAND_FIELD["C-STORE-RQ"];
    if (!isStore || this.#retrievedInto === undefined || !this.#offeredToReceive(session.context(message.contextId))) {
      session.reportViolation("COMMAND_OUT_OF_PLACE");
      return refuseRequest(session, message, STATUS.unrecognizedOperation);
    }
    return receiveInstance(session, message, this.#retrievedInto);
  }

  /** Archives send on contexts where we offered to be the SCP, whether or not they have granted that role: Orthanc with private SOP classes. */
  #offeredToReceive(context: NegotiatedContext | undefined): boolean {
    return this.#options.contexts.some(
      ({ abstractSyntaxUid, role = "scu" }) => role !== "scu" && abstractSyntaxUid === context?.abstractSyntaxUid,
    );
  }
}
