import { once } from "node:events";
import { type AddressInfo, createServer as createTcpServer, isIP, type Server, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, createServer as createTlsServer, TLSSocket } from "node:tls";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { acceptedWithReadBuffer, connectWithReadBuffer } from "./read-buffer.ts";
import type { State } from "./state-table.ts";
import type { TlsClientOptions, TlsServerOptions } from "./tls.ts";
import { clientContext, serverMaterial } from "./tls-context.ts";
import { tlsCodeOf } from "./tls-errors.ts";
import { createWaitingRoom, WAITING_LIMITS, type WaitingLimits, type WaitingRoom } from "./waiting-room.ts";

export interface TransportAddress {
  readonly host: string;
  readonly port: number;
  /** Present: over TLS, and the peer's certificate is verified. */
  readonly tls?: TlsClientOptions | undefined;
}

/**
 * Opens a transport connection; `whenOpen` says when it is there, the socket's `error` and `close` that it is not.
 * @throws GatewayError TLS_SETTINGS_INVALID.
 */
export function connectTransport({ host, port, tls }: TransportAddress): Socket {
  if (tls === undefined) return connectWithReadBuffer({ host, port, noDelay: true });
  const serverName = tls.serverName ?? host;
  return connectTls({
    host,
    port,
    secureContext: clientContext(tls),
    // An address cannot be asked for by name (RFC 6066 3); the certificate is checked against it all the same.
    ...(isIP(serverName) === 0 && { servername: serverName }),
    checkServerIdentity: (_, certificate) => checkServerIdentity(serverName, certificate),
  });
}

/** Calls back once a connection made by `connectTransport` can carry data, after the handshake and its checks with TLS. */
export function whenOpen(socket: Socket, listener: () => void): void {
  if (socket instanceof TLSSocket) socket.once("secureConnect", listener);
  else if (socket.connecting) socket.once("connect", listener);
  else listener();
}

/** Why a transport connection was lost in this state; without a cause the peer closed it. */
export function transportError(socket: Socket, state: State, cause: NodeJS.ErrnoException | undefined): GatewayError {
  const code = (socket instanceof TLSSocket && handshakeCode(state, cause)) || plainCode(state);
  return new GatewayError(code, { by: "transport", cause: cause?.code ?? "closed" }, cause);
}

function plainCode(state: State): ErrorCode {
  return state === "Sta4" ? "CONNECTION_FAILED" : "ASSOCIATION_ABORTED";
}

function handshakeCode(state: State, cause: NodeJS.ErrnoException | undefined): ErrorCode | undefined {
  if (state === "Sta4") return cause === undefined ? "TLS_INTERRUPTED" : tlsCodeOf(cause.code);
  // With TLS 1.3 the peer's verdict on our certificate comes when the handshake is over for us.
  const code = state === "Sta5" ? tlsCodeOf(cause?.code) : undefined;
  return code === "TLS_INTERRUPTED" ? undefined : code;
}

export interface TransportServerOptions {
  /** Present: TLS only. */
  readonly tls?: TlsServerOptions | undefined;
  /** How long a TLS handshake may take, in milliseconds. */
  readonly handshakeTimeoutMs: number;
  /** More are closed at once. */
  readonly maximumConnections: number;
  /** Of those that nobody has told to have an association. */
  readonly waiting?: WaitingLimits | undefined;
  readonly onConnection: (socket: Socket) => void;
  /**
   * A connection that did not come about: TIMED_OUT or a TLS_ code when its handshake failed, CONNECTION_FAILED when this
   * machine could not take it (it has no more file descriptors, say).
   */
  readonly onConnectionFailed: (error: GatewayError, remoteAddress?: string) => void;
}

/** A listening port. */
export interface TransportServer {
  /** @throws GatewayError CONNECTION_FAILED when the port cannot be listened on. */
  listen(port: number, host: string): Promise<void>;
  /** Undefined while it does not listen. */
  readonly port: number | undefined;
  /** This one has an association: it waits no longer. */
  associated(socket: Socket): void;
  /** Takes no more connections and ends those still in a handshake; resolves when all others have ended. */
  close(): Promise<void>;
}

/** @throws GatewayError TLS_SETTINGS_INVALID. */
export function createTransportServer(options: TransportServerOptions): TransportServer {
  const handshakes = new Map<string, Socket>();
  const room = createWaitingRoom(options.waiting ?? WAITING_LIMITS);
  const { tls } = options;
  const server = tls === undefined ? plainServer(options, room) : tlsServer({ ...options, tls }, room, handshakes);
  server.maxConnections = options.maximumConnections;
  server.on("error", (error: NodeJS.ErrnoException) => {
    // Before that, `listen` tells it.
    if (!server.listening) return;
    options.onConnectionFailed(new GatewayError("CONNECTION_FAILED", { cause: error.code ?? "accept" }, error));
  });
  return {
    async listen(port, host) {
      server.listen(port, host);
      try {
        await once(server, "listening");
      } catch (error) {
        throw new GatewayError("CONNECTION_FAILED", { listening: false, port }, error);
      }
    },
    get port() {
      return (server.address() as AddressInfo | null)?.port;
    },
    associated: room.leave,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of handshakes.values()) socket.destroy();
      await closed;
    },
  };
}

function plainServer({ onConnection }: TransportServerOptions, room: WaitingRoom): Server {
  const options = { noDelay: true, pauseOnConnect: true };
  return createTcpServer(options, (accepted) => {
    const socket = acceptedWithReadBuffer(accepted);
    if (room.enter(socket)) onConnection(socket);
  });
}

function tlsServer(
  { tls, ...options }: TransportServerOptions & { readonly tls: TlsServerOptions },
  room: WaitingRoom,
  handshakes: Map<string, Socket>,
): Server {
  const isMutual = tls.clientCertificateAuthorities !== undefined;
  const server = createTlsServer({
    ...serverMaterial(tls),
    noDelay: true,
    requestCert: isMutual,
    rejectUnauthorized: isMutual,
    handshakeTimeout: options.handshakeTimeoutMs,
  });
  // The TCP connection below a TLS one is told by its remote end.
  const keyOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
  server.on("connection", (socket) => {
    if (!room.enter(socket)) return;
    const key = keyOf(socket);
    handshakes.set(key, socket);
    socket.once("close", () => handshakes.delete(key));
  });
  server.on("secureConnection", (socket) => {
    handshakes.delete(keyOf(socket));
    options.onConnection(socket);
  });
  server.on("tlsClientError", (error, socket) => {
    const { remoteAddress } = socket;
    socket.destroy();
    options.onConnectionFailed(handshakeError(error, socket, options.handshakeTimeoutMs), remoteAddress);
  });
  return server;
}

function handshakeError(error: NodeJS.ErrnoException, socket: TLSSocket, timeoutMs: number): GatewayError {
  if (error.code === "ERR_TLS_HANDSHAKE_TIMEOUT") return new GatewayError("TIMED_OUT", { timeoutMs }, error);
  // A certificate that was seen and not accepted is told by this alone, with the error of a closed connection.
  const code = verificationErrorOf(socket) ?? error.code ?? "";
  return new GatewayError(tlsCodeOf(code) ?? "TLS_FAILED", { cause: code }, error);
}

function verificationErrorOf({ authorizationError }: TLSSocket): string | undefined {
  const told: unknown = authorizationError;
  return typeof told === "string" ? told : undefined;
}
