import { HttpError } from "../http-error.ts";
import { type Connection, openConnection, type WireOptions } from "./connection.ts";

/** Unless the peer says less, a connection that nobody uses is kept so long. */
const KEPT_MS = 4_000;

export interface PoolOptions extends WireOptions {
  /** At once; who asks for more waits. */
  readonly connections: number;
}

export interface ConnectionPool {
  /** One that nobody else uses. @throws as `openConnection`; HttpError CANCELLED when the pool is closed */
  acquire(): Promise<Connection>;
  /** What cannot be used again is to be destroyed before. */
  release(connection: Connection): void;
  /** Ends all that is open. */
  destroy(): void;
}

export function createConnectionPool(options: PoolOptions): ConnectionPool {
  const lifetime = new AbortController();
  const open = new Set<Connection>();
  /** The last that was used comes first. */
  const resting = new Map<Connection, NodeJS.Timeout>();
  const waiting: ((place: Connection | undefined) => void)[] = [];
  /** Those that are being opened, and those that are open. */
  let places = 0;

  const forget = (connection: Connection): void => {
    clearTimeout(resting.get(connection));
    resting.delete(connection);
    if (open.delete(connection)) vacate();
  };
  const vacate = (): void => {
    const next = waiting.shift();
    if (next === undefined) places -= 1;
    else next(undefined);
  };
  const openOne = async (): Promise<Connection> => {
    try {
      const connection = await openConnection(options, lifetime.signal);
      open.add(connection);
      return connection;
    } catch (thrown) {
      vacate();
      throw thrown;
    }
  };
  return {
    async acquire() {
      lifetime.signal.throwIfAborted();
      const [rested] = [...resting.keys()].slice(-1);
      if (rested !== undefined) {
        clearTimeout(resting.get(rested));
        resting.delete(rested);
        return rested;
      }
      if (places < options.connections) {
        places += 1;
        return await openOne();
      }
      const given = await new Promise<Connection | undefined>((resolve) => {
        waiting.push(resolve);
      });
      lifetime.signal.throwIfAborted();
      return given ?? (await openOne());
    },
    release(connection) {
      if (!connection.isReusable || lifetime.signal.aborted) {
        connection.destroy();
        return forget(connection);
      }
      const next = waiting.shift();
      if (next !== undefined) return next(connection);
      const timer = setTimeout(() => connection.destroy(), KEPT_MS).unref();
      resting.set(connection, timer);
      connection.rest(() => forget(connection));
    },
    destroy() {
      const cancelled = new HttpError("CANCELLED");
      lifetime.abort(cancelled);
      for (const connection of open) connection.destroy(cancelled);
      for (const next of waiting.splice(0)) next(undefined);
    },
  };
}
