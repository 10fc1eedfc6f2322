import { join, resolve } from "node:path";
import { GatewayError } from "../errors/gateway-error.ts";
import { openSqliteStore } from "../store/sqlite/open.ts";
import type { Store } from "../store/store.ts";
import type { Logger } from "../units/logger.ts";
import { makeFolders } from "../units/make-folders.ts";
import { lockHome } from "./home-lock.ts";

/** Where a face keeps its state when nobody says where. */
export const USUAL_HOME = "/var/lib/radferry";

/** The home of a face that stands alone, for this process only. @throws GatewayError HOME_IN_USE, FOLDER_NOT_WRITABLE, STORE_… */
export async function openFaceHome(path: string, logger: Logger, opened: AsyncDisposableStack): Promise<Store> {
  const home = resolve(path);
  await makeFolders(home, { mode: 0o700 }).catch((thrown: unknown) => {
    throw new GatewayError("FOLDER_NOT_WRITABLE", { setting: "RADFERRY_HOME" }, thrown);
  });
  opened.use(lockHome(home));
  return opened.use(await openSqliteStore({ path: join(home, "radferry.db"), logger }));
}
