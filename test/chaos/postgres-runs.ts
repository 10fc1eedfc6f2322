import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openPostgresStore } from "../../src/store/postgres/open.ts";
import { type PostgresServer, startPostgres } from "../peers/postgres.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import { rehearseScene } from "./machine-scene.ts";
import type { Outcome } from "./rehearse.ts";

interface Database {
  readonly server: PostgresServer;
  /** Between the gateway and it. */
  readonly proxy: FaultProxy;
}

interface DatabaseStrike {
  strike(database: Database): Promise<void> | void;
  mend(database: Database): Promise<void> | void;
}

/** Short, as every row that hangs waits for it. */
const STATEMENT_TIMEOUT_SECONDS = 5;

/** A gateway whose store is on PostgreSQL, with the database struck while a study is fetched. */
export async function rehearseOnPostgres(seed: number, { strike, mend }: DatabaseStrike): Promise<Outcome> {
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await temporaryFolder());
  const server = opened.use(await startPostgres());
  const proxy = opened.use(await startFaultProxy(server.port));
  const urlFile = join(folder, "url");
  const urlAt = (port: number): string => `postgres://${server.user}@127.0.0.1:${port}/${server.user}`;
  await writeFile(urlFile, `${urlAt(proxy.port)}\n`, { mode: 0o600 });
  const database = { server, proxy };
  return await rehearseScene(seed, {
    settings: { store: { kind: "postgres", urlFile, statementTimeoutSeconds: STATEMENT_TIMEOUT_SECONDS } },
    strike: () => strike(database),
    mend: () => mend(database),
    async ledger(job) {
      await using store = await openPostgresStore({ url: urlAt(server.port), witnessPath: join(folder, "witness") });
      return await store.ledger(job);
    },
  });
}
