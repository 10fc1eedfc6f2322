import { join } from "node:path";
import { readCertificateFile, readPasswordFile } from "../config/credential-files.ts";
import type { Settings, StoreSettings } from "../config/settings.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { OwnCheck } from "../operations/context.ts";
import { openPostgresStore, type PostgresStoreOptions } from "../store/postgres/open.ts";
import { measureSkewMs } from "../store/postgres/skew.ts";
import { openSqliteStore } from "../store/sqlite/open.ts";
import type { Store } from "../store/store.ts";
import { type Clock, systemClock } from "../units/clock.ts";
import type { Logger } from "../units/logger.ts";

/** A gateway whose clock is further off than this is refused by `doctor`: its own deadlines would be wrong beside those of the others. */
const SKEW_LIMIT_MS = 10_000;

type PostgresSettings = Extract<StoreSettings, { readonly kind: "postgres" }>;

/** The embedded store's database, and what the file of the audit trail's head is named after. */
export function storePath(home: string): string {
  return join(home, "radferry.db");
}

/** @throws GatewayError SECRET_FILE_…, PASSWORD_FILE_MALFORMED, CERTIFICATE_FILE_…, STORE_… */
export async function openStore(
  { home, store }: Pick<Settings, "home" | "store">,
  {
    logger,
    clock = systemClock,
    isRehearsal = false,
  }: { readonly logger?: Logger; readonly clock?: Clock; readonly isRehearsal?: boolean } = {},
): Promise<Store> {
  const world = { clock, isRehearsal, ...(logger === undefined ? {} : { logger }) };
  if (store.kind === "sqlite") return await openSqliteStore({ path: storePath(home), ...world });
  return await openPostgresStore({ ...(await postgresOptions(home, store)), ...world });
}

/** What `doctor` asks of a database server. */
export function storeChecks({ home, store }: Pick<Settings, "home" | "store">, clock: Clock): readonly OwnCheck[] {
  if (store.kind === "sqlite") return [];
  const examine = async (): Promise<string> => {
    const skewMs = await measureSkewMs(await postgresOptions(home, store), clock);
    if (Math.abs(skewMs) > SKEW_LIMIT_MS) throw new GatewayError("STORE_CLOCK_DIFFERS", { skewMs });
    return `yes, within ${Math.ceil(Math.abs(skewMs) / 1_000)} s`;
  };
  return [{ what: "the database's clock is ours", examine }];
}

export async function postgresOptions(home: string, settings: PostgresSettings): Promise<PostgresStoreOptions> {
  const { urlFile, replicaUrlFile, authoritiesFile, connections, statementTimeoutSeconds } = settings;
  return {
    url: await readPasswordFile(urlFile),
    readUrl: replicaUrlFile === undefined ? undefined : await readPasswordFile(replicaUrlFile),
    certificateAuthority: authoritiesFile === undefined ? undefined : (await readCertificateFile(authoritiesFile)).pem,
    poolSize: connections,
    statementTimeoutMs: statementTimeoutSeconds * 1_000,
    witnessPath: storePath(home),
  };
}
