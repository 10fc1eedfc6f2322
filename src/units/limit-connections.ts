import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import type { Logger } from "./logger.ts";

export interface ConnectionLimit {
  readonly maximum: number;
  readonly logger?: Logger | undefined;
  /** Connections become something else on request, and are at work from then on. */
  readonly upgrades?: boolean;
}

interface Connection {
  readonly socket: Socket;
  readonly address: string;
  /** Requests that are not answered yet. */
  running: number;
  /** When it came, or its last request ended. */
  idleSinceMs: number;
}

/** Who connects asks at once: among one's own, those that have just come are spared. */
const GRACE_MS = 1_000;
/** Connections that are about to end. */
const CONNECTIONS_BESIDE = 100;

/**
 * Lets a server have so many connections, shared fairly: where there are as many, one of the address that has most of them is closed for
 * one of an address that has fewer, an idle one before one at work. Who has most himself gets in where one of his own lies idle.
 */
export function limitConnections(server: Server, { maximum, logger, upgrades }: ConnectionLimit): void {
  /** By their remote ends, which a TCP connection and the TLS one above it share; oldest first. */
  const open = new Map<string, Connection>();
  const close = (address: string, socket: Socket): void => {
    logger?.warn("connection closed, there are too many", { remoteHost: address });
    socket.destroy();
  };
  const begin = ({ socket }: Pick<IncomingMessage, "socket">): Connection | undefined => {
    const connection = open.get(keyOf(socket));
    if (connection !== undefined) connection.running += 1;
    return connection;
  };
  server.maxConnections = maximum + CONNECTIONS_BESIDE;
  server.prependListener("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    const nowMs = performance.now();
    if (open.size >= maximum) {
      const leaving = chooseToClose([...open.values()], address, nowMs);
      if (leaving === undefined) return close(address, socket);
      open.delete(keyOf(leaving.socket));
      close(leaving.address, leaving.socket);
    }
    const key = keyOf(socket);
    const connection = { socket, address, running: 0, idleSinceMs: nowMs };
    open.set(key, connection);
    socket.once("close", () => {
      if (open.get(key) === connection) open.delete(key);
    });
  });
  server.prependListener("request", (request, response) => {
    const connection = begin(request);
    response.once("close", () => {
      if (connection === undefined) return;
      connection.running -= 1;
      connection.idleSinceMs = performance.now();
    });
  });
  if (upgrades === true) server.prependListener("upgrade", begin);
}

function chooseToClose(open: readonly Connection[], newcomer: string, nowMs: number): Connection | undefined {
  const byAddress = Map.groupBy(open, ({ address }) => address);
  const own = byAddress.get(newcomer)?.length ?? 0;
  const [most = []] = [...byAddress.values()].sort((a, b) => b.length - a.length);
  const isOwn = own >= most.length;
  const of = isOwn ? (byAddress.get(newcomer) ?? []) : most;
  const idle = of.filter(({ running }) => running === 0).sort((a, b) => a.idleSinceMs - b.idleSinceMs);
  if (!isOwn) return idle[0] ?? of[0];
  return idle.find(({ idleSinceMs }) => nowMs - idleSinceMs >= GRACE_MS);
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
