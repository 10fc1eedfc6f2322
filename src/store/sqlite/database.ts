import { chmodSync, existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { GatewayError } from "../../errors/gateway-error.ts";
import { APPLICATION_ID, migrate } from "./schema.ts";

const BUSY_TIMEOUT_MS = 10_000;

/** Primary result codes. https://www.sqlite.org/rescode.html */
const ERRORS: Readonly<Record<number, "STORE_UNAVAILABLE" | "STORE_FULL" | "STORE_NOT_OURS">> = {
  5: "STORE_UNAVAILABLE", // SQLITE_BUSY
  6: "STORE_UNAVAILABLE", // SQLITE_LOCKED
  8: "STORE_UNAVAILABLE", // SQLITE_READONLY
  10: "STORE_UNAVAILABLE", // SQLITE_IOERR
  13: "STORE_FULL", // SQLITE_FULL
  14: "STORE_UNAVAILABLE", // SQLITE_CANTOPEN
  26: "STORE_NOT_OURS", // SQLITE_NOTADB
};

/** @throws GatewayError STORE_NOT_OURS, STORE_SCHEMA_NEWER, STORE_UNAVAILABLE */
export function openDatabase(path: string, nowMs: number): DatabaseSync {
  const isNew = !existsSync(path);
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    if (isNew) chmodSync(path, 0o600);
    const { application_id: id } = database.prepare("PRAGMA application_id").get() ?? {};
    const tables = database.prepare("SELECT count(*) AS count FROM sqlite_schema").get()?.count;
    if (id !== APPLICATION_ID && tables !== 0) throw new GatewayError("STORE_NOT_OURS");
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    migrate(database, nowMs);
    return database;
  } catch (thrown) {
    database.close();
    throw asStoreError(thrown);
  }
}

/** SQLite's errors by their number; ours as they are. */
export function asStoreError(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || !("errcode" in thrown) || typeof thrown.errcode !== "number") return thrown;
  const code = ERRORS[thrown.errcode & 0xff];
  return code === undefined ? thrown : new GatewayError(code, { sqlite: thrown.errcode }, thrown);
}
