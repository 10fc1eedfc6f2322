import { chmodSync, closeSync, existsSync, openSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { APPLICATION_ID, migrate, rehearseMigration } from "./schema.ts";

/** How long a write waits for another process, such as the command line beside a running service. */
const BUSY_TIMEOUT_MS = 10_000;
/** The change to WAL does not wait for others by itself (https://www.sqlite.org/wal.html): it is tried again this often. */
const BUSY_PAUSE_MS = 50;

const SQLITE_BUSY = 5;

/** Primary result codes that are not our own mistake. https://www.sqlite.org/rescode.html */
const ERRORS: Readonly<Record<number, ErrorCode>> = {
  3: "STORE_UNAVAILABLE", // SQLITE_PERM
  [SQLITE_BUSY]: "STORE_UNAVAILABLE",
  6: "STORE_UNAVAILABLE", // SQLITE_LOCKED
  7: "STORE_UNAVAILABLE", // SQLITE_NOMEM
  8: "STORE_UNAVAILABLE", // SQLITE_READONLY
  10: "STORE_UNAVAILABLE", // SQLITE_IOERR
  11: "STORE_DAMAGED", // SQLITE_CORRUPT
  13: "STORE_FULL", // SQLITE_FULL
  14: "STORE_UNAVAILABLE", // SQLITE_CANTOPEN
  26: "STORE_NOT_OURS", // SQLITE_NOTADB
};

/**
 * Opens the file, makes it if there is none, and brings it to this version. Waits up to 10 s for another process.
 * @throws GatewayError STORE_NOT_OURS, STORE_SCHEMA_NEWER, STORE_UNAVAILABLE, STORE_DAMAGED, STORE_FULL
 */
export function openDatabase(path: string, nowMs: number): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    if (!existsSync(path)) createPrivately(path);
    // A copy put back from a backup.
    else if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    checkOurs(database);
    enterWal(database);
    // What a statement would need to undo itself is kept in memory: a file for it costs more than the statement. What is deleted, or moved as
    // its row grows, is overwritten: patients who withdrew leave nothing behind. https://www.sqlite.org/pragma.html#pragma_secure_delete
    database.exec(
      "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON",
    );
    migrate(database, nowMs);
    return database;
  } catch (thrown) {
    database?.close();
    throw asStoreError(thrown);
  }
}

/**
 * Opens the file for what is never committed; of a home without one, a database in memory. The first write locks other writers out until it is
 * closed. An older database is brought to this version within the same transaction.
 * @throws GatewayError as `openDatabase`
 */
export function openRehearsal(path: string, nowMs: number): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(existsSync(path) ? path : ":memory:", { timeout: BUSY_TIMEOUT_MS });
    checkOurs(database);
    // What is not to stay does not get into the journal either: https://www.sqlite.org/pragma.html#pragma_cache_spill
    database.exec("PRAGMA cache_spill = OFF; PRAGMA foreign_keys = ON");
    rehearseMigration(database, nowMs);
    return database;
  } catch (thrown) {
    database?.close();
    throw asStoreError(thrown);
  }
}

function checkOurs(database: DatabaseSync): void {
  // In this order: whoever makes the file's tables at this moment writes whose they are together with them.
  const tables = database.prepare("SELECT count(*) AS count FROM sqlite_schema").get()?.count;
  const { application_id: id } = database.prepare("PRAGMA application_id").get() ?? {};
  if (id !== APPLICATION_ID && tables !== 0) throw new GatewayError("STORE_NOT_OURS");
}

/** Readable by its owner only from its first moment on; SQLite gives its side files the same mode. */
function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
    if (code === "EEXIST") return;
    throw new GatewayError(code === "ENOSPC" ? "STORE_FULL" : "STORE_UNAVAILABLE", {}, thrown);
  }
}

/** Two processes that open a new file at once: one of them makes the change, the other finds it made. */
function enterWal(database: DatabaseSync): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; ; waitedMs += BUSY_PAUSE_MS) {
    try {
      database.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (thrown) {
      if (primaryCodeOf(thrown) !== SQLITE_BUSY || waitedMs >= BUSY_TIMEOUT_MS) throw thrown;
      Atomics.wait(pause, 0, 0, BUSY_PAUSE_MS);
    }
  }
}

/** SQLite's errors by their number; ours as they are. */
export function asStoreError(thrown: unknown): unknown {
  const primary = primaryCodeOf(thrown);
  const code = primary === undefined ? undefined : ERRORS[primary];
  return code === undefined ? thrown : new GatewayError(code, { sqlite: primary ?? 0 }, thrown);
}

/** The low byte of an extended result code. */
function primaryCodeOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !("errcode" in thrown) || typeof thrown.errcode !== "number") return undefined;
  return thrown.errcode & 0xff;
}
