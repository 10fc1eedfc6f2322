import { existsSync } from "node:fs";
import { access } from "node:fs/promises";
import { GatewayError } from "../errors/gateway-error.ts";
import { type MovedTableFacts, type MoveProgress, moveStore, rehearseMove } from "../store/move/move-store.ts";
import { lockFile, lockHome } from "./home-lock.ts";
import { postgresOptions, storePath } from "./open-store.ts";
import { adminOf, type HomeOptions } from "./restore-home.ts";

export interface MoveHomeOptions extends HomeOptions {
  readonly onProgress?: (progress: MoveProgress) => void;
  readonly signal?: AbortSignal;
}

/**
 * Moves the store of a home that nobody works on to the database that the settings name; the file stays as it is. Broken off, it goes on where it
 * was when it is called again.
 * @throws GatewayError HOME_IN_USE, ROLE_INSUFFICIENT, STORE_MOVE_UNSET, STORE_…, AUDIT_TRAIL_BROKEN
 */
export async function moveHome(options: MoveHomeOptions): Promise<readonly MovedTableFacts[]> {
  const { settings, isRehearsal = false, clock, onProgress, signal } = options;
  const actor = adminOf(options, "migrate");
  const { home, store } = settings;
  if (store.kind !== "postgres") throw new GatewayError("STORE_MOVE_UNSET");
  const path = storePath(home);
  await access(path).catch((thrown: unknown) => {
    throw new GatewayError("STORE_UNAVAILABLE", {}, thrown);
  });
  // One that is not there is held by nobody.
  using _ = isRehearsal && !existsSync(lockFile(home)) ? undefined : lockHome(home);
  const target = await postgresOptions(home, store);
  if (isRehearsal) return await rehearseMove({ path, target });
  return await moveStore({
    path,
    target,
    audit: { event: "store-moved", actor, outcome: "success" },
    ...(clock === undefined ? {} : { clock }),
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  });
}
