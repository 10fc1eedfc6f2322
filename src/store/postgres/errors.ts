import pg from "pg";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";

/** SQLSTATEs, or their classes, that are not our own mistake. https://www.postgresql.org/docs/15/errcodes-appendix.html */
const ERRORS: Readonly<Record<string, ErrorCode>> = {
  "08": "STORE_UNAVAILABLE", // connection exception
  "25006": "STORE_READ_ONLY", // read_only_sql_transaction
  "25P03": "STORE_UNAVAILABLE", // idle_in_transaction_session_timeout: this machine was paused
  "25P04": "STORE_UNAVAILABLE", // transaction_timeout
  "28": "STORE_ACCESS_DENIED", // invalid authorization specification
  "3D": "STORE_ACCESS_DENIED", // invalid catalog name: no such database
  "40": "STORE_UNAVAILABLE", // transaction rollback
  "42501": "STORE_ACCESS_DENIED", // insufficient_privilege
  "53100": "STORE_FULL", // disk_full
  "53": "STORE_UNAVAILABLE", // insufficient resources
  "55P03": "STORE_UNAVAILABLE", // lock_not_available
  "57": "STORE_UNAVAILABLE", // operator intervention, time-outs among them
  "58": "STORE_UNAVAILABLE", // system error
  XX001: "STORE_DAMAGED", // data_corrupted
  XX002: "STORE_DAMAGED", // index_corrupted
};

/** Another transaction came first: done again from its beginning, this one sees what the other did. */
const LOST_RACES: ReadonlySet<string> = new Set([
  "40001", // serialization_failure
  "40P01", // deadlock_detected
  "23505", // unique_violation
  "23503", // foreign_key_violation
]);

/** After these the connection may be to a server that is going down, or is no longer the primary, or the server has ended it. */
const SPOILT = ["25006", "25P03", "25P04", "08", "57P"];

/** The SQLSTATE that the server answered with. Undefined: the error is not the server's. */
function sqlStateOf(thrown: unknown): string | undefined {
  return thrown instanceof pg.DatabaseError ? thrown.code : undefined;
}

export function isLostRace(thrown: unknown): boolean {
  return LOST_RACES.has(causeOf(thrown) ?? "");
}

/** The connection is not to be used again. */
export function isSpoilt(thrown: unknown): boolean {
  if (!(thrown instanceof GatewayError)) return false;
  const state = causeOf(thrown);
  return state === undefined ? thrown.code === "STORE_UNAVAILABLE" : SPOILT.some((start) => state.startsWith(start));
}

function causeOf(thrown: unknown): string | undefined {
  return sqlStateOf(thrown instanceof GatewayError ? thrown.cause : thrown);
}

/**
 * What a question to the server failed with: the server's errors by their SQLSTATE, all others are those of the way to it. Messages of
 * the server may hold values; only the SQLSTATE is told.
 */
export function asStoreError(thrown: unknown): unknown {
  if (thrown instanceof GatewayError) return thrown;
  const state = sqlStateOf(thrown);
  if (state === undefined) return new GatewayError("STORE_UNAVAILABLE", {}, thrown);
  const code = ERRORS[state] ?? ERRORS[state.slice(0, 2)] ?? (LOST_RACES.has(state) ? "STORE_UNAVAILABLE" : "INTERNAL");
  return new GatewayError(code, { sqlState: state }, thrown);
}
