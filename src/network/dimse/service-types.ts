import type { AeTitle, DicomAddress } from "../../dicom/ae-title.ts";
import type { DataSet } from "../../dicom/data-set.ts";
import type { Logger } from "../../units/logger.ts";
import type { TlsClientOptions, TlsServerOptions } from "../upper-layer/tls.ts";
import type { UserIdentity } from "../upper-layer/user-identity.ts";
import type { Violation } from "../upper-layer/violations.ts";

export type { UserIdentity };

/** Levels of the Query/Retrieve information models. PS3.4 C.6. */
export type QueryRetrieveLevel = "PATIENT" | "STUDY" | "SERIES" | "IMAGE";

/** Query/Retrieve information models, both roots. PS3.4 C.6.1, C.6.2. */
export type InformationModel = "patient-root" | "study-root";

export interface DimseTimeouts {
  /** TCP connect and association negotiation. */
  readonly connectTimeoutMs: number;
  /** ARTIM timer: how long a peer may take to close after release or reject. PS3.8 9.1.5. */
  readonly artimTimeoutMs: number;
  /** Longest silence while an answer is awaited. */
  readonly idleTimeoutMs: number;
}

/** One proposed abstract syntax with its transfer syntaxes in order of preference; the SCP role is for C-GET. PS3.7 D.3.3.4. */
export interface ProposedContext {
  readonly abstractSyntaxUid: string;
  readonly transferSyntaxUids: readonly string[];
  readonly role?: "scu" | "scp" | "both";
}

/** One instance, by its class and its own UID. PS3.3 table 10-11. */
export interface SopReference {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
}

/** What an archive says it commits to keeping, by transaction. PS3.4 J.3.3. */
export interface CommitmentResult {
  readonly transactionUid: string;
  readonly committed: readonly SopReference[];
  /** The reason is a value of PS3.3 C.14.1.1; undefined when the archive names none. */
  readonly failed: readonly (SopReference & { readonly failureReason: number | undefined })[];
}

/** What a sender asks us to commit to keeping. PS3.4 J.3.2. */
export interface CommitmentRequest {
  readonly transactionUid: string;
  readonly instances: readonly SopReference[];
}

/** Answers a request with a DIMSE status; a result goes back over the same association, none is sent later over another one. */
export type CommitmentRequestHandler = (
  request: CommitmentRequest,
  sender: { readonly callingAeTitle: string; readonly calledAeTitle: string },
) => Promise<{ readonly status: number; readonly result?: CommitmentResult | undefined }>;

/** Takes a result; false when the transaction is none that we are waiting for: it is then answered with 0115H. */
export type CommitmentHandler = (result: CommitmentResult) => boolean | Promise<boolean>;

export interface AssociationOptions {
  readonly address: DicomAddress;
  readonly callingAeTitle: AeTitle;
  readonly contexts: readonly ProposedContext[];
  readonly timeouts?: Partial<DimseTimeouts>;
  /** Bytes of variable field we accept in a P-DATA-TF PDU. PS3.8 D.1. */
  readonly maximumPduLength?: number;
  /** Present: the association runs over TLS. PS3.15 B.12. */
  readonly tls?: TlsClientOptions;
  readonly userIdentity?: UserIdentity;
  /** Results of storage commitment that come over this association; without it they are refused. */
  readonly commitmentResult?: CommitmentHandler;
  /** SOP class extended negotiation, by SOP class UID: service-class application information as bytes. PS3.7 D.3.3.5. */
  readonly extendedNegotiation?: ReadonlyMap<string, Uint8Array>;
  /** Told of every breach of the protocol by the peer, once each, after it was logged. */
  readonly onViolation?: (violation: Violation) => void;
  readonly logger?: Logger;
  /** Aborts the association: A-ABORT, then the socket is closed. */
  readonly signal?: AbortSignal;
}

export interface AcceptedContext {
  readonly id: number;
  readonly abstractSyntaxUid: string;
  readonly transferSyntaxUid: string;
}

/**
 * Sub-operation counts of C-MOVE and C-GET. PS3.4 C.4.2.1.6. Absent ones are undefined: they are optional in pending answers. What has
 * ended never goes back, even where a peer's own counts do.
 */
export interface SubOperationCounts {
  readonly remaining: number | undefined;
  readonly completed: number | undefined;
  readonly failed: number | undefined;
  readonly warning: number | undefined;
}

export interface RetrieveResult extends SubOperationCounts {
  /** Final DIMSE status, as received: 0x0000, 0xB000, ... Success here proves nothing: verify by UID set. */
  readonly status: number;
  /** Number of UIDs in Failed SOP Instance UID List (0008,0058), and the UIDs. */
  readonly failedSopInstanceUids: readonly string[];
}

/** What is known about an incoming instance before its data set. PS3.7 9.1.1.1. */
export interface IncomingInstance {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
  /** Who asked the sender for it by C-MOVE, as the sender says: Move Originator Application Entity Title (0000,1030). */
  readonly moveOriginatorAeTitle?: string | undefined;
  readonly remoteAddress: string;
  /** The study that was asked for over the association that it comes over: of a C-GET. */
  readonly askedStudyInstanceUid?: string | undefined;
}

/** What a data set says of itself, as far as it was read; not checked. */
export interface NamedObject {
  readonly sopInstanceUid?: string;
  readonly studyInstanceUid?: string;
}

/** A DIMSE status, and what else the sender is told: Error Comment (0000,0902), 64 characters at most. PS3.7 9.1.1.1.9. */
export type StoreAnswer = number | { readonly status: number; readonly errorComment: string };

/** How a peer answered our C-STORE. */
export interface StoreResult {
  readonly status: number;
  /** The peer's own words, which may name the patient: for the eyes of who sends, and for no log. PS3.7 9.1.1.1.9. */
  readonly errorComment?: string;
}

/**
 * Where the bytes of one incoming data set go, in order, as received. A `write` that returns a promise holds the sender back;
 * the chunk is read into again when it has returned, or its promise has settled: what is to be kept is copied.
 * `close` returns the DIMSE status to answer (0x0000 only when the bytes are as durable as the receiver promises);
 * `abort` is called instead when the association ends in the middle; and, with the breach, when the data set turns out to be another object
 * than its command announced, which is answered with A900H, or its command is of another class than its presentation context (0122H).
 */
export interface InstanceSink {
  write(chunk: Uint8Array): void | Promise<void>;
  close(): Promise<StoreAnswer>;
  abort(violation?: Violation, named?: NamedObject): Promise<void>;
}

/** Opens a sink, or refuses the instance with a DIMSE status; the data set is then read and dropped. */
export type StoreHandler = (
  instance: IncomingInstance,
  signal: AbortSignal,
) => Promise<InstanceSink | { readonly refuse: number }>;

/** A stored object to be sent: its UIDs and the bytes of its data set, read from `open` in chunks. */
export interface OutgoingInstance {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  /** The syntax the bytes are in; only an accepted context with the same syntax can carry them. */
  readonly transferSyntaxUid: string;
  /** A chunk is the sender's until three more have been taken, or the sending has ended: then it may be filled again. */
  open(): AsyncIterable<Uint8Array>;
}

/** An association we requested. Closing releases it (A-RELEASE); after a failure or an aborted signal it is A-ABORTed. */
export interface Association extends AsyncDisposable {
  readonly acceptedContexts: readonly AcceptedContext[];
  /** @throws GatewayError when the answer's status is not success. */
  echo(signal?: AbortSignal): Promise<void>;
  /**
   * C-FIND: one identifier for each pending answer. Leaving the loop early sends C-CANCEL, and so does reaching
   * `maximumAnswers`. PS3.4 C.4.1.
   * @throws GatewayError FIND_LIMIT_REACHED behind the last answer when there are more than `maximumAnswers`, or when the peer has
   * more than it gives at once; `details.by` is "us" or "peer". The association can be used on.
   */
  find(
    request: { readonly model: InformationModel; readonly identifier: DataSet; readonly maximumAnswers?: number },
    signal?: AbortSignal,
  ): AsyncIterable<DataSet>;
  /** C-MOVE to an AE title the peer knows. Resolves at the final answer, whatever its status. PS3.4 C.4.2. */
  move(
    request: { readonly model: InformationModel; readonly identifier: DataSet; readonly destination: AeTitle },
    onProgress?: (counts: SubOperationCounts) => void,
    signal?: AbortSignal,
  ): Promise<RetrieveResult>;
  /** C-GET: instances come back over this association into `store`. PS3.4 C.4.3. */
  get(
    request: { readonly model: InformationModel; readonly identifier: DataSet },
    store: StoreHandler,
    onProgress?: (counts: SubOperationCounts) => void,
    signal?: AbortSignal,
  ): Promise<RetrieveResult>;
  /** C-STORE; resolves with the DIMSE status of the answer. @throws GatewayError NO_PRESENTATION_CONTEXT when no context fits. */
  store(instance: OutgoingInstance, signal?: AbortSignal): Promise<StoreResult>;
  /**
   * N-ACTION that asks for storage commitment; resolves with the DIMSE status of the answer. Success means that the archive will tell
   * the result, over this association or one of its own to us. PS3.4 J.3.2.
   * @throws GatewayError NO_PRESENTATION_CONTEXT
   */
  requestCommitment(
    request: { readonly transactionUid: string; readonly instances: readonly SopReference[] },
    signal?: AbortSignal,
  ): Promise<{ readonly status: number }>;
  /**
   * N-EVENT-REPORT with the result of a request for storage commitment, in the role of the SCP; resolves with the DIMSE status of the answer. PS3.4 J.3.3.
   * @throws GatewayError NO_PRESENTATION_CONTEXT
   */
  reportCommitment(result: CommitmentResult, signal?: AbortSignal): Promise<{ readonly status: number }>;
}

/** What one peer, or a group of them, may do. A peer is matched by all of `callingAeTitles` and `addresses` that are given. */
export interface PeerRule {
  readonly callingAeTitles?: readonly string[];
  /** IP addresses, or networks as `10.0.0.0/8`. */
  readonly addresses?: readonly string[];
  readonly calledAeTitles?: readonly string[];
  /** Absent: whatever the handlers serve. */
  readonly sopClassUids?: readonly string[];
  /** As `transferSyntaxUids` of `AcceptanceRules`, and instead of it. */
  readonly transferSyntaxUids?: readonly string[];
}

/** Who may associate and what is accepted. Everything by default; unknown storage SOP classes too. */
export interface AcceptanceRules {
  /** The first that matches decides; a peer that none matches is rejected. Absent: any peer. */
  readonly peers?: readonly PeerRule[];
  /** Of instances: accepted ones, the preferred first; absent: all we know, in the requestor's order. Identifiers stay uncompressed. */
  readonly transferSyntaxUids?: readonly string[];
  /** Says whether a user may associate; not called when a request names none, unless `userIdentityRequired`. PS3.7 D.3.3.7. */
  readonly authenticate?: (identity: UserIdentity) => boolean;
  readonly userIdentityRequired?: boolean;
  /** Called AE titles answered to; absent: our own only. `"any"`: whatever is called. */
  readonly calledAeTitles?: readonly string[] | "any";
  readonly callingAeTitles?: readonly string[];
  /** 100 when absent; one more takes the place of one that has long been idle, or is rejected as transient, local limit exceeded. */
  readonly maximumAssociations?: number;
  /** Private storage SOP classes too; true when absent. */
  readonly acceptUnknownSopClasses?: boolean;
}

/** What a Q/R SCP answers from. Each handler is optional; a service without one is not accepted in negotiation. */
export interface ServiceHandlers {
  readonly store?: StoreHandler;
  /** Answers to a C-FIND identifier. A thrown GatewayError becomes status C001H (unable to process). */
  readonly find?: (identifier: DataSet, model: InformationModel, signal: AbortSignal) => AsyncIterable<DataSet>;
  /** The instances a C-MOVE or C-GET identifier selects. */
  readonly select?: (
    identifier: DataSet,
    model: InformationModel,
    signal: AbortSignal,
  ) => Promise<readonly OutgoingInstance[]>;
  /** Where a move destination listens; undefined is answered with A801H. PS3.4 C.4.2.1.5. */
  readonly resolveDestination?: (aeTitle: string) => DicomAddress | undefined;
  /** Results of storage commitment, which archives bring over an association of their own in the role of the SCP. PS3.4 J.3.3. */
  readonly commitmentResult?: CommitmentHandler;
  /** Requests for storage commitment. PS3.4 J.3.2. */
  readonly commitmentRequest?: CommitmentRequestHandler | undefined;
}

export interface DimseServerOptions {
  readonly host: string;
  /** 0: any free port; the server says which. */
  readonly port: number;
  readonly aeTitle: AeTitle;
  readonly handlers: ServiceHandlers;
  readonly rules?: AcceptanceRules;
  /** Present: the port speaks TLS only. PS3.15 B.12. */
  readonly tls?: TlsServerOptions;
  /** Told of every breach of the protocol by a peer, once each, after it was logged. */
  readonly onViolation?: (violation: Violation) => void;
  readonly timeouts?: Partial<DimseTimeouts>;
  readonly maximumPduLength?: number;
  readonly logger?: Logger;
}

/** A listening DICOM application entity. Closing stops listening, lets running associations end for a moment, then aborts them. */
export interface DimseServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Associations open now, and the time the last one ended (for `--exit-after-idle`). */
  readonly openAssociations: number;
  onIdle(listener: () => void): void;
}
