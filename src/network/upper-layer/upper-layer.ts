import type { Socket } from "node:net";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import { abortError, refusalByProvider, rejectionError, violationError } from "./outcomes.ts";
import {
  ABORT_REASON,
  ABORT_SOURCE,
  type AssociateAccept,
  type AssociateRequest,
  type ControlPdu,
  PduError,
  type Rejection,
} from "./pdu.ts";
import { encodePdu } from "./pdu-encoder.ts";
import { type DataFragment, PduReader } from "./pdu-reader.ts";
import { holdBack, onChunk } from "./read-buffer.ts";
import { SilenceTimer } from "./silence-timer.ts";
import { ACTIONS, type Action, actionFor, type Event, type State } from "./state-table.ts";
import { transportError, whenOpen } from "./transport.ts";
import { type Violation, violationOf } from "./violations.ts";

export interface UpperLayerTimeouts {
  readonly artimTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

type AssociateAnswer = { readonly accept: AssociateAccept } | { readonly reject: Rejection };

/** The local user of the service. PS3.8 7. */
export interface UpperLayerUser {
  /** Acceptor: A-ASSOCIATE indication. What it throws aborts. */
  associateIndication(request: AssociateRequest): AssociateAnswer;
  /** Requestor: A-ASSOCIATE confirmation. What it throws aborts: the answer does not fit the request. */
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
  /** A breach of the protocol by the peer: the one that ended the association, before `ended`, and each kind after it once. */
  readonly onViolation?: ((violation: Violation) => void) | undefined;
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
  readonly #onViolation: UpperLayerOptions["onViolation"];
  readonly #breaches = new Set<Violation>();
  readonly #reader: PduReader;
  readonly silence: SilenceTimer;
  /** Resolves when the transport connection is gone. */
  readonly closed: Promise<void>;
  #state: State = "Sta1";
  #artim: NodeJS.Timeout | undefined;
  #finished = false;
  #endError: GatewayError | undefined;
  #transportError: NodeJS.ErrnoException | undefined;
  /** The peer has no right to send anything any more: it released, aborted, rejected or was rejected. */
  #peerIsDone = false;

  constructor(options: UpperLayerOptions) {
    this.#role = options.role;
    this.#socket = options.socket;
    this.#timeouts = options.timeouts;
    this.#user = options.user;
    this.#onViolation = options.onViolation;
    this.silence = new SilenceTimer(options.timeouts.idleTimeoutMs, () => {
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
    using _ = this.silence.wait();
    await new Promise<void>((resolve, reject) => {
      const taken = (error?: Error | null): void => {
        this.silence.touch();
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

  /** A-ABORT request; the connection is closed behind it, whether or not the peer reads what it was sent. */
  abandon(error: GatewayError): void {
    this.abort(error);
    this.#socket.destroy();
  }

  /** Until disposed, silence of the peer longer than the idle time-out aborts with TIMED_OUT. */
  awaitPeer(): Disposable {
    return this.silence.wait();
  }

  #attach(): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    onChunk(socket, (chunk) => this.#onChunk(chunk));
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
    this.silence.heard(chunk.length);
    const waiting = this.#reader.push(chunk);
    if (waiting === undefined) return;
    const held = this.silence.hold();
    const settled = waiting.catch((error: unknown) => this.#fail(error)).finally(() => held[Symbol.dispose]());
    holdBack(this.#socket, settled);
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
    try {
      this.#handle(PDU_EVENTS[pdu.kind], { pdu });
    } catch (error) {
      this.#fail(error);
    }
  }

  #onTransportClosed(): void {
    if (actionFor(this.#state, "Evt17") !== undefined) this.#handle("Evt17");
    clearTimeout(this.#artim);
    this.silence.stop();
  }

  #handle(event: Event, payload: Payload = {}): void {
    const action = actionFor(this.#state, event);
    if (this.#peerIsDone && (action === undefined || action === "AA-6")) this.#noteAfterEnd(event, payload);
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

  /** What comes when nothing may come any more is not answered (AA-6), but told. */
  #noteAfterEnd(event: Event, { pduError }: Payload): void {
    if (PDUS_OF_AN_ASSOCIATION.has(event)) this.#noteBreach(pduError?.violation ?? "PDU_UNEXPECTED");
  }

  /** One who goes on breaking the protocol does not fill the log. */
  #noteBreach(violation: Violation): void {
    if (this.#breaches.has(violation)) return;
    this.#breaches.add(violation);
    this.#onViolation?.(violation);
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
      this.#peerIsDone = true;
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
      this.#peerIsDone = true;
      this.#finish(undefined);
      this.#socket.destroySoon();
    },
    "AR-4": () => {
      this.#peerIsDone = true;
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
      // A service user gives no reason. PS3.8 9.3.8.
      this.#writeLast({ kind: "A-ABORT", source: ABORT_SOURCE.serviceUser, reason: ABORT_REASON.notSpecified });
      // We wait for nothing more: a peer that no longer reads PDUs sees the end of the connection.
      if (error !== undefined) this.#socket.end();
      this.#finish(error ?? violationError(pdu, pduError));
    },
    "AA-2": ({ error, pdu }) => {
      this.#stopArtim();
      const expired = new GatewayError("TIMED_OUT", { timeoutMs: this.#timeouts.artimTimeoutMs });
      this.#finish(error ?? (pdu === undefined ? expired : abortError(pdu)));
      this.#socket.destroy();
    },
    "AA-3": ({ pdu }) => {
      this.#peerIsDone = true;
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
      this.#noteBreach(pduError?.violation ?? "PDU_UNEXPECTED");
      // One who does not read gets no further aborts to keep for it.
      if (this.#socket.writableLength > 0) return;
      const reason = pduError?.reason ?? ABORT_REASON.unexpectedPdu;
      this.#write({ kind: "A-ABORT", source: ABORT_SOURCE.serviceProvider, reason });
    },
    "AA-8": ({ pdu, pduError }) => {
      const reason = pduError?.reason ?? ABORT_REASON.unexpectedPdu;
      this.#writeLast({ kind: "A-ABORT", source: ABORT_SOURCE.serviceProvider, reason });
      this.#finish(violationError(pdu, pduError));
    },
  };

  #reject(rejection: Rejection): void {
    this.#peerIsDone = true;
    this.#writeLast({ kind: "A-ASSOCIATE-RJ", ...rejection });
    this.#finish(rejectionError(rejection));
  }

  #write(pdu: ControlPdu | undefined): void {
    if (pdu !== undefined && this.#socket.writable) this.#socket.write(encodePdu(pdu));
  }

  /** The peer closes next; it gets the ARTIM time for it. Our side stays open until then, for AA-7. */
  #writeLast(pdu: ControlPdu): void {
    this.#write(pdu);
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
    this.silence.stop();
    const violation = violationOf(error);
    if (violation !== undefined) this.#noteBreach(violation);
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

const PDUS_OF_AN_ASSOCIATION: ReadonlySet<Event> = new Set([
  "Evt3",
  "Evt4",
  "Evt6",
  "Evt10",
  "Evt12",
  "Evt13",
  "Evt19",
]);
