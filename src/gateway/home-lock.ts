import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import { asStoreError } from "../store/sqlite/database.ts";

/** SQLITE_BUSY: somebody else holds the lock. https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

export function lockFile(home: string): string {
  return join(home, "gateway.lock");
}

/**
 * Makes sure that one process works on a home. The lock is a file lock that SQLite takes, so the kernel gives it back however the process ends,
 * and no stale file can keep a service from starting.
 * @throws GatewayError HOME_IN_USE; STORE_UNAVAILABLE where the home may not be written, such as another user's
 */
export function lockHome(home: string): Disposable {
  let database: DatabaseSync | undefined;
  try {
    const locking = new DatabaseSync(lockFile(home));
    database = locking;
    locking.exec("PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;");
    return { [Symbol.dispose]: () => locking.close() };
  } catch (thrown) {
    database?.close();
    throw errorNumberOf(thrown) === SQLITE_BUSY ? new GatewayError("HOME_IN_USE") : asStoreError(thrown);
  }
}

/** Whether a process works on the home. @throws what keeps the lock from being looked at */
export function isServed(home: string): boolean {
  if (!existsSync(lockFile(home))) return false;
  try {
    lockHome(home)[Symbol.dispose]();
    return false;
  } catch (thrown) {
    if (toGatewayError(thrown).code === "HOME_IN_USE") return true;
    throw thrown;
  }
}

function errorNumberOf(thrown: unknown): number | undefined {
  return thrown instanceof Error && "errcode" in thrown && typeof thrown.errcode === "number"
    ? thrown.errcode & 0xff
    : undefined;
}
