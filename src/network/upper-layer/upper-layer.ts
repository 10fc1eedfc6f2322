import type { Socket } from "node:net";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import {
  ABORT_REASON,
  ABORT_SOURCE,
  type AssociateAccept,
  type AssociateRequest,
  type ControlPdu,
  PduError,
  REJECT_RESULT,
  REJECTION,
  type Rejection,
} from "./pdu.ts";
import { encodePdu } from "./pdu-encoder.ts";
import { type DataFragment, PduReader } from "./pdu-reader.ts";
import { SilenceTimer } from "./silence-timer.ts";
import { ACTIONS, type Action, actionFor, type Event, type State } from "./state-table.ts";
import { transportError, whenOpen } from "./transport.ts";

export interface UpperLayerTimeouts {
  readonly artimTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

type AssociateAnswer = { readonly accept: AssociateAccept } | { readonly reject: Rejection };

/** The local user of the service. PS3.8 7. */
export interface UpperLayerUser {
  /** Acceptor: A-ASSOCIATE indication. */
  associateIndication(request: AssociateRequest): AssociateAnswer;
  /** Requestor: A-ASSOCIATE confirmation. A PduError thrown here aborts: the answer does not fit the request. */
  associateConfirmation(answer: AssociateAccept): void;
  /** P-DATA indication; a promise holds the peer back. What it throws aborts the association. */
  dataIndication(fragment: DataFragment): void | Promise<void>;
  /** Exactly once; undefined when the association was released in order. */
  ended(error: GatewayError | undefined): void;
}

export interface UpperLayerOptions {
  readonly role: "requestor" | "acceptor";
  readonly socket: Socket;
  readonly timeouts: UpperLayerTimeouts;
  readonly maximumPduLength: number;
  readonly user: UpperLayerUser;
}

/** What an event brings with it. */
interface Payload {
  readonly pdu?: ControlPdu;
  readonly answer?: AssociateAnswer;
  readonly error?: GatewayError;
  readonly pduError?: PduError;
  readonly data?: readonly Uint8Array[];
  /** Called when the transport has taken the data. */
  readonly taken?: (error?: Error | null) => void;
}

/** One association on one transport connection, driven by the table of PS3.8 9.2.3. */
export class UpperLayer {
  readonly #role: UpperLayerOptions["role"];
  readonly #socket: Socket;
  readonly #timeouts: UpperLayerTimeouts;
  readonly #user: UpperLayerUser;
  readonly #reader: PduReader;
  readonly #silence: SilenceTimer;
  /** Resolves when the transport connection is gone. */
  readonly closed: Promise<void>;
  #state: State = "Sta1";
  #artim: NodeJS.Timeout | undefined;
  #finished = false;
  #endError: GatewayError | undefined;
  #transportError: NodeJS.ErrnoException | undefined;

  constructor(options: UpperLayerOptions) {
    this.#role = options.role;
    this.#socket = options.socket;
    this.#timeouts = options.timeouts;
    this.#user = options.user;
    this.#silence = new SilenceTimer(options.timeouts.idleTimeoutMs, () => {
      this.abort(new GatewayError("TIMED_OUT", { timeoutMs: options.timeouts.idleTimeoutMs }));
    });
    this.#reader = new PduReader(options.maximumPduLength, {
      pdu: (pdu) => this.#onPdu(pdu),
      dataPdu: () => this.#handle("Evt10"),
      fragment: (fragment) => this.#onFragment(fragment),
      invalid: (pduError) => this.#handle("Evt19", { pduError }),
    });
    this.closed = new Promise((resolve) => {
      this.#socket.once("close", () => {
        this.#onTransportClosed();
        resolve();
      });
    });
    this.#attach();
  }

  /** Acceptor: the connection is there, ARTIM runs. */
  listen(): void {
    this.#handle("Evt5");
  }

  /** Requestor: the request is sent as soon as the connection is there. */
  request(pdu: AssociateRequest): void {
    this.#handle("Evt1");
    whenOpen(this.#socket, () => this.#handle("Evt2", { pdu }));
  }

  /**
   * P-DATA request: whole P-DATA-TF PDUs, written in one go. Resolves when the transport has taken them.
   * @throws GatewayError when the association has ended, or ends before they are taken.
   */
  async send(pdus: readonly Uint8Array[]): Promise<void> {
    using _ = this.#silence.wait();
    await new Promise<void>((resolve, reject) => {
      const taken = (error?: Error | null): void => {
        this.#silence.touch();
        if (error) reject(this.#endError ?? new GatewayError("ASSOCIATION_ABORTED", { by: "transport" }, error));
        else resolve();
      };
      if (actionFor(this.#state, "Evt9") === undefined) taken(new Error(`no association: ${this.#state}`));
      else this.#handle("Evt9", { data: pdus, taken });
    });
  }

  /** A-RELEASE request; `ended` and `closed` tell the rest. Does nothing when there is no association. */
  release(): void {
    if (this.#state === "Sta6") this.#handle("Evt11");
  }

  /** A-ABORT request. Does nothing when the association has ended. */
  abort(error: GatewayError): void {
    if (actionFor(this.#state, "Evt15") !== undefined) this.#handle("Evt15", { error });
    else if (this.#state === "Sta2") {
      this.#finish(error);
      this.#socket.destroy();
    }
  }

  /** Until disposed, silence of the peer longer than the idle time-out aborts with TIMED_OUT. */
  awaitPeer(): Disposable {
    return this.#silence.wait();
  }

  #attach(): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#onChunk(chunk));
    // The cause is told by `close`, which always follows.
    socket.on("error", (error) => {
      this.#transportError = error;
    });
    socket.on("end", () => {
      this.#onTransportClosed();
      socket.destroy();
    });
  }

  #onChunk(chunk: Buffer): void {
    this.#silence.touch();
    const waiting = this.#reader.push(chunk);
    if (waiting === undefined) return;
    const held = this.#silence.hold();
    this.#socket.pause();
    waiting
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        held[Symbol.dispose]();
        this.#socket.resume();
      });
  }

  #onFragment(fragment: DataFragment): void | Promise<void> {
    if (this.#state !== "Sta6" && this.#state !== "Sta7") return;
    try {
      return this.#user.dataIndication(fragment);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The user could not go on with what came. */
  #fail(error: unknown): void {
    if (error instanceof PduError) this.#handle("Evt19", { pduError: error });
    else this.abort(toGatewayError(error));
  }

  #onPdu(pdu: ControlPdu): void {
    const event = PDU_EVENTS[pdu.kind];
    this.#handle(event, { pdu });
  }

  #onTransportClosed(): void {
    if (actionFor(this.#state, "Evt17") !== undefined) this.#handle("Evt17");
    clearTimeout(this.#artim);
    this.#silence.stop();
  }

  #handle(event: Event, payload: Payload = {}): void {
    const action = actionFor(this.#state, event);
    if (action === undefined) return;
    // The state is set first: actions may raise the next event (a response to an indication).
    const before = this.#state;
    this.#state = this.#nextState(action, payload);
    this.#actions[action](payload, before);
  }

  #nextState(action: Action, payload: Payload): State {
    const [usual, other] = ACTIONS[action] as readonly [State, State?];
    if (action === "AE-6" && refusalByProvider(payload.pdu) !== undefined) return other ?? usual;
    if (action === "AR-8" && this.#role === "acceptor") return other ?? usual;
    return usual;
  }

  /** Actions of PS3.8 tables 9-6 to 9-9. */
  readonly #actions: { readonly [A in Action]: (payload: Payload, before: State) => void } = {
    // The transport connection is opened by the caller.
    "AE-1": () => {},
    "AE-2": ({ pdu }) => this.#write(pdu),
    "AE-3": ({ pdu }) => {
      if (pdu?.kind === "A-ASSOCIATE-AC") this.#user.associateConfirmation(pdu);
    },
    "AE-4": ({ pdu }) => {
      if (pdu?.kind === "A-ASSOCIATE-RJ") this.#finish(rejectionError(pdu));
      this.#socket.destroySoon();
    },
    "AE-5": () => this.#startArtim(),
    "AE-6": ({ pdu }) => {
      this.#stopArtim();
      const refusal = refusalByProvider(pdu);
      if (refusal !== undefined) this.#reject(refusal);
      else if (pdu?.kind === "A-ASSOCIATE-RQ") {
        const answer = this.#user.associateIndication(pdu);
        this.#handle("accept" in answer ? "Evt7" : "Evt8", { answer });
      }
    },
    "AE-7": ({ answer }) => {
      if (answer !== undefined && "accept" in answer) this.#write(answer.accept);
    },
    "AE-8": ({ answer }) => {
      if (answer !== undefined && "reject" in answer) this.#reject(answer.reject);
    },
    "DT-1": (payload) => this.#writeData(payload),
    // Fragments follow one by one, as they arrive.
    "DT-2": () => {},
    "AR-1": () => {
      this.#write({ kind: "A-RELEASE-RQ" });
      this.#startArtim();
    },
    "AR-2": () => this.#handle("Evt14"),
    "AR-3": () => {
      this.#finish(undefined);
      this.#socket.destroySoon();
    },
    "AR-4": () => {
      this.#writeLast({ kind: "A-RELEASE-RP" });
      this.#finish(undefined);
    },
    "AR-5": () => this.#stopArtim(),
    "AR-6": () => {},
    "AR-7": (payload) => this.#writeData(payload),
    "AR-8": () => this.#handle("Evt14"),
    "AR-9": () => this.#write({ kind: "A-RELEASE-RP" }),
    "AR-10": () => this.#handle("Evt14"),
    "AA-1": ({ error, pdu, pduError }) => {
      const reason = pduError?.reason ?? ABORT_REASON.notSpecified;
      this.#writeLast({ kind: "A-ABORT", source: ABORT_SOURCE.serviceUser, reason });
      this.#finish(error ?? violation(pdu, pduError));
    },
    "AA-2": ({ error, pdu }) => {
      this.#stopArtim();
      const expired = new GatewayError("TIMED_OUT", { timeoutMs: this.#timeouts.artimTimeoutMs });
      this.#finish(error ?? (pdu === undefined ? expired : abortError(pdu)));
      this.#socket.destroy();
    },
    "AA-3": ({ pdu }) => {
      this.#finish(abortError(pdu));
      this.#socket.destroy();
    },
    "AA-4": (_, before) => {
      this.#finish(transportError(this.#socket, before, this.#transportError));
    },
    "AA-5": () => {
      this.#stopArtim();
      this.#finish(new GatewayError("ASSOCIATION_ABORTED", { by: "transport" }));
    },
    "AA-6": () => {},
    "AA-7": ({ pduError }) => {
      const reason = pduError?.reason ?? ABORT_REASON.unexpectedPdu;
      this.#writeLast({ kind: "A-ABORT", source: ABORT_SOURCE.serviceProvider, reason });
    },
    "AA-8": ({ pdu, pduError }) => {
      const reason = pduError?.reason ?? ABORT_REASON.unexpectedPdu;
      this.#writeLast({ kind: "A-ABORT", source: ABORT_SOURCE.serviceProvider, reason });
      this.#finish(violation(pdu, pduError));
    },
  };

  #reject(rejection: Rejection): void {
    this.#writeLast({ kind: "A-ASSOCIATE-RJ", ...rejection });
    this.#finish(rejectionError(rejection));
  }

  #write(pdu: ControlPdu | undefined): void {
    if (pdu !== undefined && this.#socket.writable) this.#socket.write(encodePdu(pdu));
  }

  /** The peer closes next; it gets the ARTIM time for it. */
  #writeLast(pdu: ControlPdu): void {
    if (this.#socket.writable) this.#socket.end(encodePdu(pdu));
    this.#startArtim();
  }

  #writeData({ data: buffers = [], taken }: Payload): void {
    const socket = this.#socket;
    socket.cork();
    buffers.forEach((buffer, index) => {
      if (index === buffers.length - 1) socket.write(buffer, taken);
      else socket.write(buffer);
    });
    socket.uncork();
  }

  #startArtim(): void {
    clearTimeout(this.#artim);
    this.#artim = setTimeout(() => {
      // Waiting for A-RELEASE-RP is not under ARTIM in the standard, but must end all the same.
      if (actionFor(this.#state, "Evt18") !== undefined) this.#handle("Evt18");
      else this.abort(new GatewayError("TIMED_OUT", { timeoutMs: this.#timeouts.artimTimeoutMs }));
    }, this.#timeouts.artimTimeoutMs);
  }

  #stopArtim(): void {
    clearTimeout(this.#artim);
  }

  #finish(error: GatewayError | undefined): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#endError = error;
    this.#silence.stop();
    this.#user.ended(error);
  }
}

const PDU_EVENTS = {
  "A-ASSOCIATE-AC": "Evt3",
  "A-ASSOCIATE-RJ": "Evt4",
  "A-ASSOCIATE-RQ": "Evt6",
  "A-RELEASE-RQ": "Evt12",
  "A-RELEASE-RP": "Evt13",
  "A-ABORT": "Evt16",
} as const satisfies Record<ControlPdu["kind"], Event>;

/** What the service provider itself refuses: a protocol without version 1. PS3.8 9.3.2, 9.3.4. */
function refusalByProvider(pdu: ControlPdu | undefined): Rejection | undefined {
  const supported = pdu?.kind !== "A-ASSOCIATE-RQ" || (pdu.protocolVersion & 1) === 1;
  return supported ? undefined : REJECTION.protocolVersionNotSupported;
}

function rejectionError({ result, source, reason }: Rejection): GatewayError {
  const code = result === REJECT_RESULT.transient ? "ASSOCIATION_REJECTED_TRANSIENT" : "ASSOCIATION_REJECTED";
  return new GatewayError(code, { source, reason });
}

function abortError(pdu: ControlPdu | undefined): GatewayError {
  const details = pdu?.kind === "A-ABORT" ? { source: pdu.source, reason: pdu.reason } : {};
  return new GatewayError("ASSOCIATION_ABORTED", { by: "peer", ...details });
}

function violation(pdu: ControlPdu | undefined, pduError: PduError | undefined): GatewayError {
  const details = pduError === undefined ? { unexpected: pdu?.kind ?? "P-DATA-TF" } : { reason: pduError.reason };
  return new GatewayError("DIMSE_PROTOCOL_VIOLATION", details, pduError);
}
