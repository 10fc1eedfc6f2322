import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../../test/peers/postgres.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { claimed, type StoreUnderTest, submit } from "../contract/support.testing.ts";
import type { Store } from "../store.ts";
import { describeStoreContract } from "../store-contract.testing.ts";
import { THUMBNAILS_KEPT } from "../thumbnails.ts";
import { openPostgresStore } from "./open.ts";

let server: PostgresServer;
let store: Store;
let beside: pg.Client;
let folder: string;
let emptying = "";

if (requirePeer("initdb")) {
  beforeAll(async () => {
    server = await startPostgres();
    folder = await mkdtemp(join(tmpdir(), "witness-"));
    const url = `postgres://${server.user}@127.0.0.1:${server.port}/${server.user}`;
    store = await openPostgresStore({ url, witnessPath: join(folder, "radferry"), timeOf: "callers" });
    beside = new pg.Client(url);
    await beside.connect();
    const { rows } = await beside.query(
      "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('schema_migrations', 'radferry_store')",
    );
    emptying = rows.map(({ tablename }) => `DELETE FROM ${tablename};`).join(" ");
    // The audit trail lets nobody take anything from it; a replica's session runs no triggers.
    await beside.query("SET session_replication_role = replica");
  }, 30_000);

  afterAll(async () => {
    await beside?.end();
    await store?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  /** One store for the whole contract, emptied from beside before each test. */
  describeStoreContract("postgres", async (): Promise<StoreUnderTest> => {
    await rm(join(folder, "radferry.audit-head"), { force: true });
    await beside.query(`BEGIN; ${emptying} ALTER SEQUENCE job_change_numbers RESTART; COMMIT`);
    return { store, [Symbol.asyncDispose]: () => Promise.resolve() };
  }, ["keeps the pictures of the last studies alone"]);

  it("keeps the pictures of the last studies alone, by their numbers", async () => {
    await beside.query(emptying);
    await submit(store, [{ studyInstanceUid: "1.1" }, { studyInstanceUid: "1.2" }]);
    const [first, second] = [await claimed(store), await claimed(store)];
    const thumbnail = Uint8Array.of(1);
    await store.change(first.lease, { thumbnail }, 1);
    await beside.query(
      "SELECT setval('thumbnails_thumbnail_no_seq', (SELECT max(thumbnail_no) + $1 FROM thumbnails))",
      [THUMBNAILS_KEPT - 2],
    );
    await store.change(second.lease, { thumbnail }, 1);
    expect(await store.thumbnail(first.job.id)).toEqual(thumbnail);
    await store.change(second.lease, { thumbnail }, 1);
    expect(await store.thumbnail(first.job.id)).toBeUndefined();
  });
}
