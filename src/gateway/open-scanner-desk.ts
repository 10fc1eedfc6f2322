import { join, resolve } from "node:path";
import type { LakeWriter } from "../acquisition/lake/writer.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { createAuditTrail } from "../observe/audit-trail.ts";
import { createScannerOperations } from "../operations/create-scanner-operations.ts";
import type { ScannerContext, ScannerOperations } from "../operations/scanner-operations.ts";
import { openSqliteStore } from "../store/sqlite/open.ts";
import type { Store } from "../store/store.ts";
import type { Actor } from "../units/actor.ts";
import type { AuditTrail } from "../units/audit.ts";
import { type Clock, systemClock } from "../units/clock.ts";
import { type Logger, silentLogger } from "../units/logger.ts";
import { makeFolders } from "../units/make-folders.ts";
import { type Random, systemRandom } from "../units/random.ts";
import { USUAL_HOME } from "./face-home.ts";
import { openScanFiles } from "./scan-files.ts";
import { systemUserName } from "./system-user.ts";

/** What people at the command line work with, beside a running service too: the store of its home, and a thread that reads files. */
export interface ScannerDesk extends AsyncDisposable {
  readonly store: Store;
  readonly files: Pick<LakeWriter, "sumOf">;
  readonly operations: ScannerOperations;
  /** What the operations work with. */
  readonly context: ScannerContext;
  readonly audit: AuditTrail;
  readonly actor: Actor;
  readonly clock: Clock;
  readonly random: Random;
}

/** @throws GatewayError FOLDER_NOT_WRITABLE, STORE_… */
export async function openScannerDesk({
  home: given,
  isRehearsal = false,
  clock = systemClock,
  logger = silentLogger,
}: {
  /** @default /var/lib/radferry */
  readonly home?: string | undefined;
  /** Nothing that is asked of it stays. */
  readonly isRehearsal?: boolean;
  readonly clock?: Clock | undefined;
  readonly logger?: Logger | undefined;
}): Promise<ScannerDesk> {
  const home = resolve(given || USUAL_HOME);
  if (!isRehearsal)
    await makeFolders(home, { mode: 0o700 }).catch((thrown: unknown) => {
      throw new GatewayError("FOLDER_NOT_WRITABLE", { setting: "RADFERRY_HOME" }, thrown);
    });
  await using opened = new AsyncDisposableStack();
  const store = opened.use(await openSqliteStore({ path: join(home, "radferry.db"), isRehearsal, logger }));
  const files = opened.use(openScanFiles());
  const closing = opened.move();
  const audit = createAuditTrail({ store, clock });
  const actor: Actor = { name: systemUserName(), kind: "command line", role: "admin" };
  // Whoever works at the command line reads what the operating system lets him.
  const context = {
    store,
    audit,
    actor,
    clock,
    scanFiles: { sumOf: files.sumOf, lake: () => Promise.resolve(undefined) },
  };
  return {
    store,
    files,
    operations: createScannerOperations(context),
    context,
    audit,
    actor,
    clock,
    random: systemRandom,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
