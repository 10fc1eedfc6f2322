import { Client, DatabaseError } from "pg";
import { GatewayError } from "../../../errors/gateway-error.ts";

export interface DatabaseOptions {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

/** A connection to PIXL's database. */
export interface Database extends AsyncDisposable {
  /** @throws GatewayError PIXL_DATABASE_UNAVAILABLE, PIXL_DATABASE_REFUSED */
  query(sql: string, parameters?: readonly unknown[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** All of it, or nothing. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
}

const CONNECT_TIMEOUT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 300_000;
/** Beyond the server's own time-out: the server, or the way to it, is gone. */
const SILENCE_MS = 5_000;

/** @throws GatewayError PIXL_DATABASE_UNAVAILABLE, PIXL_DATABASE_REFUSED */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const client = new Client({
    ...options,
    application_name: "radferry",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS + SILENCE_MS,
    keepAlive: true,
  });
  // A connection that is lost between statements fails the next one.
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (thrown) {
    await client.end().catch(() => undefined);
    throw databaseError(thrown);
  }
  const query: Database["query"] = async (sql, parameters) => {
    try {
      // Without parameters several statements are run one after another, and there are several results.
      const result = await client.query(sql, parameters === undefined ? undefined : [...parameters]);
      return Array.isArray(result) ? [] : result.rows;
    } catch (thrown) {
      const error = databaseError(thrown);
      // Whatever is asked after it would wait as long.
      if (!(thrown instanceof DatabaseError)) void client.end();
      throw error;
    }
  };
  return {
    query,
    async transaction(work) {
      await query("BEGIN");
      try {
        const result = await work();
        await query("COMMIT");
        return result;
      } catch (thrown) {
        await query("ROLLBACK").catch(() => undefined);
        throw thrown;
      }
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}

/** Connection exceptions, too many connections, and a server that ends or begins. PostgreSQL appendix A. */
const CONNECTION_STATE = /^(?:08|53300|57P)/;

/** What the server says may quote a row. */
function databaseError(thrown: unknown): GatewayError {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "unknown";
  const isRefusal = thrown instanceof DatabaseError && !CONNECTION_STATE.test(code);
  return new GatewayError(isRefusal ? "PIXL_DATABASE_REFUSED" : "PIXL_DATABASE_UNAVAILABLE", { reason: code }, thrown);
}
