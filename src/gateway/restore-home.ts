import { existsSync } from "node:fs";
import { access, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Settings } from "../config/settings.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { BackupFacts } from "../store/backup.ts";
import { openSqliteStore } from "../store/sqlite/open.ts";
import { checkBackup, restoreStore } from "../store/sqlite/restore.ts";
import { type Actor, hasRole } from "../units/actor.ts";
import { type Clock, systemClock } from "../units/clock.ts";
import { isMissing } from "../units/durable-files.ts";
import { makeFolders } from "../units/make-folders.ts";
import { lockFile, lockHome } from "./home-lock.ts";
import { openStore } from "./open-store.ts";
import { systemUserName } from "./system-user.ts";

export interface HomeOptions {
  readonly settings: Settings;
  readonly clock?: Clock;
  /** Everything is looked at, and nothing is made. */
  readonly isRehearsal?: boolean;
  /** Who runs this process; the operating system's user unless told. */
  readonly userName?: string;
}

/**
 * Makes the home of a backup. It is empty as before when anything is wrong.
 * @throws GatewayError ROLE_INSUFFICIENT, BACKUP_FILE_UNREADABLE, BACKUP_HOME_NOT_EMPTY, BACKUP_NOT_WHOLE, STORE_…, AUDIT_TRAIL_BROKEN
 */
export async function restoreHome(file: string, options: HomeOptions): Promise<BackupFacts> {
  const { settings, clock = systemClock } = options;
  const actor = adminOf(options, "restore");
  if (settings.store.kind !== "sqlite") throw new GatewayError("STORE_BACKUP_ELSEWHERE", { tool: "pg_restore" });
  await access(file).catch((thrown: unknown) => {
    throw new GatewayError("BACKUP_FILE_UNREADABLE", {}, thrown);
  });
  if (options.isRehearsal !== true) await makeFolders(settings.home, { mode: 0o700 });
  if ((await namesIn(settings.home)).length > 0) throw new GatewayError("BACKUP_HOME_NOT_EMPTY");
  if (options.isRehearsal) return await checkBackup(file);
  const path = join(settings.home, "radferry.db");
  using _ = lockHome(settings.home);
  try {
    const facts = await restoreStore(file, path);
    await using store = await openSqliteStore({ path });
    await store.appendAudit({ event: "backup-restored", actor, outcome: "success" }, clock.nowMs());
    return facts;
  } catch (thrown) {
    for (const name of await readdir(settings.home)) await rm(join(settings.home, name), { force: true });
    throw thrown;
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return await readdir(folder).catch((thrown: unknown) => {
    if (isMissing(thrown)) return [];
    throw thrown;
  });
}

/** Brings the store of a home that nobody works on to this version, as every start does. @throws GatewayError HOME_IN_USE, STORE_… */
export async function migrateHome(options: HomeOptions): Promise<void> {
  adminOf(options, "migrate");
  const { home, store } = options.settings;
  if (store.kind !== "sqlite") {
    await using _server = await openStore(options.settings, { isRehearsal: options.isRehearsal === true });
    return;
  }
  const path = join(home, "radferry.db");
  await access(path).catch((thrown: unknown) => {
    throw new GatewayError("STORE_UNAVAILABLE", {}, thrown);
  });
  const isRehearsal = options.isRehearsal === true;
  // One that is not there is held by nobody.
  using _ = isRehearsal && !existsSync(lockFile(home)) ? undefined : lockHome(home);
  await using _store = await openSqliteStore({ path, isRehearsal });
}

/** @throws GatewayError ROLE_INSUFFICIENT */
export function adminOf({ settings, userName = systemUserName() }: HomeOptions, operation: string): Actor {
  const role = settings.access.commandLineRole;
  const actor: Actor = { name: userName, kind: "command line", role };
  if (!hasRole(actor, "admin")) throw new GatewayError("ROLE_INSUFFICIENT", { operation, needed: "admin", role });
  return actor;
}
