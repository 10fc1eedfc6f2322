import pg from "pg";
import { GatewayError } from "../../errors/gateway-error.ts";

/** Where the database is, and how much of it this gateway takes. */
export interface PostgresSettings {
  /** `postgres://user:password@host:port/database?sslmode=verify-full`. Never logged. */
  readonly url: string;
  /** PEM of who signs the server's certificate; absent: whom this machine trusts. */
  readonly certificateAuthority?: string | undefined;
  readonly poolSize?: number | undefined;
  /** How long a question waits for a connection. */
  readonly acquireTimeoutMs?: number | undefined;
  readonly statementTimeoutMs?: number | undefined;
}

const POOL_SIZE = 10;
const ACQUIRE_TIMEOUT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 30_000;
/** Beyond the server's own time-out: the server, or the way to it, is gone. */
const SILENCE_MS = 5_000;
const IDLE_TRANSACTION_TIMEOUT_MS = 60_000;

/** `require` and the like would encrypt without asking who answers. */
const TLS_MODES = ["disable", "verify-full"] as const;

const { builtins } = pg.types;

/** Integers as numbers, truth values as 0 and 1, as SQLite gives them. */
const PARSERS: Readonly<Record<number, (value: string) => unknown>> = {
  [builtins.INT8]: Number,
  [builtins.INT4]: Number,
  [builtins.INT2]: Number,
  [builtins.NUMERIC]: Number,
  [builtins.FLOAT8]: Number,
  [builtins.BOOL]: (value) => (value === "t" ? 1 : 0),
  // https://www.postgresql.org/docs/15/datatype-binary.html 8.4.1: `\x` and two digits for each byte
  [builtins.BYTEA]: (value) => new Uint8Array(Buffer.from(value.slice(2), "hex")),
};

const types = {
  getTypeParser: (oid: number) => PARSERS[oid] ?? ((value: string) => value),
};

/** @throws GatewayError STORE_URL_INVALID, which does not tell the URL */
export function connectionOf(settings: PostgresSettings): pg.PoolConfig {
  const { statementTimeoutMs = STATEMENT_TIMEOUT_MS } = settings;
  const url = URL.canParse(settings.url) ? new URL(settings.url) : undefined;
  if (url === undefined || !["postgres:", "postgresql:"].includes(url.protocol))
    throw new GatewayError("STORE_URL_INVALID", { problem: "not a postgres URL" });
  const host = url.searchParams.get("host") ?? url.hostname.replace(/^\[|\]$/g, "");
  return {
    host,
    port: Number(url.port || 5432),
    user: decoded(url.username),
    ...(url.password === "" ? {} : { password: decoded(url.password) }),
    database: decoded(url.pathname.slice(1)),
    ssl: tlsOf(url, host, settings.certificateAuthority),
    types,
    // The beginning of a transaction and its first statement go in one round trip.
    pipeline: true,
    application_name: "radferry",
    options: url.searchParams.get("options") ?? "",
    max: settings.poolSize ?? POOL_SIZE,
    connectionTimeoutMillis: settings.acquireTimeoutMs ?? ACQUIRE_TIMEOUT_MS,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + SILENCE_MS,
    idle_in_transaction_session_timeout: IDLE_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
  };
}

/** RFC 3986 2.1. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new GatewayError("STORE_URL_INVALID", { problem: "a % of the name or password is to be written %25" });
  }
}

/** A server elsewhere must show who it is; one on this machine need not. */
function tlsOf(url: URL, host: string, ca: string | undefined): pg.PoolConfig["ssl"] {
  const isHere = host === "" || host.startsWith("/") || ["localhost", "127.0.0.1", "::1"].includes(host);
  const asked = url.searchParams.get("sslmode") ?? (isHere ? "disable" : "verify-full");
  const mode = TLS_MODES.find((known) => known === asked);
  if (mode === undefined)
    throw new GatewayError("STORE_URL_INVALID", { problem: "sslmode", modes: TLS_MODES.join(" ") });
  return mode === "disable" ? false : { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) };
}
