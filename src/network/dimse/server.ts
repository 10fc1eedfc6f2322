import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import { type Logger, silentLogger, withFields } from "../../units/logger.ts";
import { createSparseLogger, type SparseLogger } from "../../units/sparse-logger.ts";
import { type AcceptorDecision, type AcceptorPolicy, decideAssociation } from "../upper-layer/negotiation.ts";
import { type AssociateRequest, REJECTION, type Rejection } from "../upper-layer/pdu.ts";
import { createTransportServer, type TransportServer } from "../upper-layer/transport.ts";
import { violationOf } from "../upper-layer/violations.ts";
import { WAITING_LIMITS } from "../upper-layer/waiting-room.ts";
import { type Acceptance, chooseTransferSyntax, readRules } from "./acceptance.ts";
import { chooseToEnd } from "./make-room.ts";
import { queryRetrieveClass, STORAGE_COMMITMENT_SOP_CLASS, VERIFICATION_SOP_CLASS } from "./service-classes.ts";
import { ServiceProvider } from "./service-provider.ts";
import type { DimseServer, DimseServerOptions, ServiceHandlers } from "./service-types.ts";
import { DimseSession, RELEASED } from "./session.ts";
import { isAcceptableStorageClass } from "./storage-contexts.ts";
import { completeTimeouts, DEFAULT_MAXIMUM_PDU_LENGTH } from "./timeouts.ts";

const DEFAULT_MAXIMUM_ASSOCIATIONS = 100;
/** Connections that are about to end. */
const CONNECTIONS_BESIDE = 100;
const NOT_ESTABLISHED = "association not established";
/** What runs when the server closes may end within this time. */
const DRAIN_TIMEOUT_MS = 5_000;

/**
 * Listens for associations and answers what the handlers can.
 * @throws GatewayError CONNECTION_FAILED when it cannot listen; TLS_SETTINGS_INVALID, ACCEPTANCE_RULE_INVALID.
 */
export async function startDimseServer(options: DimseServerOptions): Promise<DimseServer> {
  const server = new AssociationServer(options);
  await server.listen();
  return server;
}

class AssociationServer implements DimseServer {
  readonly #options: DimseServerOptions;
  readonly #server: TransportServer;
  readonly #acceptance: Acceptance;
  readonly #sessions = new Map<DimseSession, ServiceProvider>();
  readonly #established = new Set<DimseSession>();
  /** Port scanners come every minute, and whoever has an association may open the next at once. */
  readonly #logger: SparseLogger;
  readonly #idleListeners: (() => void)[] = [];
  #closing = false;

  constructor(options: DimseServerOptions) {
    this.#options = options;
    this.#logger = createSparseLogger(options.logger ?? silentLogger);
    this.#acceptance = readRules(options.aeTitle, options.rules);
    this.#server = createTransportServer({
      tls: options.tls,
      handshakeTimeoutMs: completeTimeouts(options.timeouts).artimTimeoutMs,
      maximumConnections: this.#maximumAssociations + WAITING_LIMITS.maximum + CONNECTIONS_BESIDE,
      onConnection: (socket) => this.#onConnection(socket),
      onConnectionFailed: ({ code, details }, remoteHost) =>
        this.#logger.info(NOT_ESTABLISHED, { code, ...details, remoteHost }),
    });
  }

  async listen(): Promise<void> {
    await this.#server.listen(this.#options.port, this.#options.host);
  }

  get host(): string {
    return this.#options.host;
  }

  get port(): number {
    return this.#server.port ?? this.#options.port;
  }

  get openAssociations(): number {
    return this.#established.size;
  }

  onIdle(listener: () => void): void {
    this.#idleListeners.push(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const closed = this.#server.close();
    for (const session of this.#sessions.keys()) this.#endIfQuiet(session);
    const drained = new AbortController();
    const limit = delay(DRAIN_TIMEOUT_MS, undefined, { signal: drained.signal }).then(
      () => {
        for (const session of this.#sessions.keys()) session.abort(new GatewayError("CANCELLED"));
      },
      () => {},
    );
    await closed;
    drained.abort();
    await limit;
    this.#logger[Symbol.dispose]();
  }

  get #maximumAssociations(): number {
    return this.#options.rules?.maximumAssociations ?? DEFAULT_MAXIMUM_ASSOCIATIONS;
  }

  #onConnection(socket: Socket): void {
    const { handlers, aeTitle, onViolation } = this.#options;
    const remoteHost = socket.remoteAddress;
    const timeouts = completeTimeouts(this.#options.timeouts);
    const logger = withFields(this.#logger, { remoteHost });
    const provider = new ServiceProvider({
      handlers,
      aeTitle,
      timeouts,
      logger,
      onQuiet: () => this.#closing && this.#endIfQuiet(session),
    });
    const session: DimseSession = new DimseSession({
      socket,
      timeouts,
      maximumPduLength: this.#options.maximumPduLength ?? DEFAULT_MAXIMUM_PDU_LENGTH,
      violations: {
        logger,
        ...(onViolation !== undefined && { onViolation }),
      },
      negotiation: {
        decide: (request) => {
          const decision = this.#decide(request, socket.remoteAddress ?? "");
          if ("accept" in decision.answer) {
            this.#server.associated(socket);
            this.#onEstablished(session, provider);
          }
          return decision;
        },
      },
      onRequest: (_, message) => provider.onRequest(session, message),
    });
    this.#sessions.set(session, provider);
    session.signal.addEventListener("abort", () => this.#onEnded(session, logger), { once: true });
    void session.closed.then(() => this.#sessions.delete(session));
  }

  #decide(request: AssociateRequest, remoteAddress: string): AcceptorDecision {
    const { handlers, rules, maximumPduLength = DEFAULT_MAXIMUM_PDU_LENGTH } = this.#options;
    const acceptUnknown = rules?.acceptUnknownSopClasses ?? true;
    const peer = this.#acceptance.peer(request, remoteAddress);
    const { sopClassUids, transferSyntaxUids = rules?.transferSyntaxUids } = "rule" in peer ? peer.rule : {};
    const roles = rolesOf(handlers, acceptUnknown);
    return decideAssociation(request, {
      maximumPduLength,
      // Room is made only for who is let in.
      refusal: () => ("refused" in peer ? peer.refused : (this.#acceptance.refusedUser(request) ?? this.#full())),
      roles: (abstractSyntaxUid) =>
        sopClassUids?.includes(abstractSyntaxUid) === false ? undefined : roles(abstractSyntaxUid),
      chooseTransferSyntax: (abstractSyntaxUid, proposed) =>
        chooseTransferSyntax(proposed, isAcceptableStorageClass(abstractSyntaxUid, acceptUnknown), transferSyntaxUids),
      confirmsUsers: this.#acceptance.confirmsUsers,
    });
  }

  #full(): Rejection | undefined {
    const isFull = (): boolean => this.#closing || this.#established.size >= this.#maximumAssociations;
    if (isFull() && !this.#closing) this.#makeRoom();
    return isFull() ? REJECTION.localLimitExceeded : undefined;
  }

  #makeRoom(): void {
    const held = [...this.#established].map((session) => {
      const provider = this.#sessions.get(session);
      const isBusy = !session.isDripping && (session.isBusy || provider?.isBusy !== false);
      return { session, remoteAddress: session.remoteAddress, workedAtMs: isBusy ? undefined : provider?.workedAtMs };
    });
    chooseToEnd(held, performance.now())?.session.abandon(new GatewayError("CANCELLED", { by: "limit" }));
  }

  #onEstablished(session: DimseSession, provider: ServiceProvider): void {
    this.#established.add(session);
    provider.begin(session);
  }

  #onEnded(session: DimseSession, logger: Logger): void {
    const { code, details } = toGatewayError(session.signal.reason);
    const wasEstablished = this.#established.delete(session);
    if (details.by === RELEASED) logger.debug("association released");
    else if (wasEstablished) logger.info("association ended early", { code, ...details });
    // A breach of the protocol is told already.
    else if (violationOf(session.signal.reason) === undefined) logger.info(NOT_ESTABLISHED, { code, ...details });
    if (wasEstablished && this.#established.size === 0) for (const listener of this.#idleListeners) listener();
  }

  #endIfQuiet(session: DimseSession): void {
    if (this.#sessions.get(session)?.isBusy !== true) session.abort(new GatewayError("CANCELLED"));
  }
}

/** Roles a requestor may have: SCU of what is handled; SCP of storage when we can send instances to it (C-GET). */
export function rolesOf(handlers: ServiceHandlers, acceptUnknown: boolean): AcceptorPolicy["roles"] {
  const handled = {
    find: handlers.find !== undefined,
    get: handlers.select !== undefined,
    move: handlers.select !== undefined && handlers.resolveDestination !== undefined,
  };
  return (abstractSyntaxUid) => {
    if (abstractSyntaxUid === VERIFICATION_SOP_CLASS) return { scu: true, scp: false };
    if (abstractSyntaxUid === STORAGE_COMMITMENT_SOP_CLASS) {
      const roles = { scu: handlers.commitmentRequest !== undefined, scp: handlers.commitmentResult !== undefined };
      return roles.scu || roles.scp ? roles : undefined;
    }
    const queryRetrieve = queryRetrieveClass(abstractSyntaxUid);
    if (queryRetrieve !== undefined) {
      return handled[queryRetrieve.service] ? { scu: true, scp: false } : undefined;
    }
    if (!isAcceptableStorageClass(abstractSyntaxUid, acceptUnknown)) return undefined;
    const roles = { scu: handlers.store !== undefined, scp: handlers.select !== undefined };
    return roles.scu || roles.scp ? roles : undefined;
  };
}
