import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../../test/peers/postgres.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { finish, refusal, submit } from "../contract/support.testing.ts";
import { SILENT_MS } from "../nodes.ts";
import { KNOWN_VERSION, type Migration, migrate, migrations } from "./schema.ts";
import { makeDatabase, type TestDatabase } from "./support.testing.ts";

const NEXT: Migration = {
  version: KNOWN_VERSION + 1,
  name: "what the next version adds",
  sql: "ALTER TABLE study_jobs ADD COLUMN of_tomorrow TEXT",
};
const NODE = { name: "north", version: "1", roles: ["worker"], address: undefined, startedAtMs: 0 };

/** As a gateway of the next version does when it starts. */
async function upgrade({ url }: TestDatabase, next: Migration): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await migrate(client, 0, undefined, [...migrations, next]);
  } finally {
    await client.end();
  }
}

const versionOf = async ({ query }: TestDatabase) =>
  (await query("SELECT max(version)::INT AS version FROM schema_migrations"))[0]?.version;

describe.runIf(requirePeer("initdb"))("two versions on one PostgreSQL", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.[Symbol.asyncDispose]());

  it("work together after an update that only adds; the older one does not start again", async () => {
    await using database = await makeDatabase(server);
    await using store = await database.open();
    await store.beatNode(NODE, Date.now());
    const cohort = await submit(store, [{ studyInstanceUid: "1.1" }]);
    await upgrade(database, NEXT);
    expect(await versionOf(database)).toBe(NEXT.version);
    await submit(store, [{ studyInstanceUid: "1.2" }]);
    await finish(store, "delivered");
    expect(await store.cohortStatus(cohort)).toMatchObject({ states: { delivered: 1 } });
    await store.beatNode(NODE, Date.now());
    await expect(database.open()).rejects.toEqual(refusal("STORE_SCHEMA_NEWER"));
  });

  it("do not work together where the update says so: it waits until nobody of the older one is at work", async () => {
    await using database = await makeDatabase(server);
    await using store = await database.open();
    const alone: Migration = { ...NEXT, needsAllStopped: true };
    await store.beatNode(NODE, Date.now());
    await expect(upgrade(database, alone)).rejects.toEqual(refusal("STORE_UPGRADE_BLOCKED"));
    expect(await versionOf(database)).toBe(KNOWN_VERSION);
    await store.leaveNodes(NODE.name);
    await upgrade(database, alone);
    expect(await versionOf(database)).toBe(NEXT.version);
  });

  it("count a node that was killed as at work for a while, by the database's clock", async () => {
    await using database = await makeDatabase(server);
    await using store = await database.open();
    const alone: Migration = { ...NEXT, needsAllStopped: true };
    await store.beatNode(NODE, Date.now());
    await expect(upgrade(database, alone)).rejects.toEqual(refusal("STORE_UPGRADE_BLOCKED"));
    await database.query(`UPDATE nodes SET seen_at = seen_at - ${SILENT_MS}`);
    await upgrade(database, alone);
    expect(await versionOf(database)).toBe(NEXT.version);
  });

  it("leave the store as it was when an update breaks off", async () => {
    await using database = await makeDatabase(server);
    await using store = await database.open();
    await expect(upgrade(database, { ...NEXT, sql: `${NEXT.sql}; SELECT 1 / 0` })).rejects.toThrow();
    expect(await versionOf(database)).toBe(KNOWN_VERSION);
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    await finish(store, "delivered");
  });
});
