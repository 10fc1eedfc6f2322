import { chmod } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { makeCertificate } from "../../../test/peers/certificates.ts";
import { giveToPostgres, type PostgresServer, startPostgres } from "../../../test/peers/postgres.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { mountSmallDisk } from "../../../test/support/small-disk.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { finish, refusal, request, submit } from "../contract/support.testing.ts";
import { makeDatabase, type TestDatabase, urlOf } from "./support.testing.ts";

const WAIT = { timeout: 20_000, interval: 50 };
const tables = ({ query }: TestDatabase) => query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'");

describe.runIf(requirePeer("initdb"))("PostgreSQL as it may be", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.[Symbol.asyncDispose]());

  it("is refused while it takes no writes, with nothing made, and taken when it does", async () => {
    await using database = await makeDatabase(server);
    await database.administer(`ALTER DATABASE ${database.name} SET default_transaction_read_only = on`);
    await expect(database.open()).rejects.toEqual(refusal("STORE_READ_ONLY"));
    expect(await tables(database)).toEqual([]);
    await database.administer(`ALTER DATABASE ${database.name} SET default_transaction_read_only = off`);
    await using store = await database.open();
    await submit(store, [{ studyInstanceUid: "1.1" }]);
  });

  it("is refused to a user who may make no tables", async () => {
    await using database = await makeDatabase(server);
    await database.administer("CREATE ROLE clerk LOGIN");
    await database.query("REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    const url = database.url.replace("postgres@", "clerk@");
    await expect(database.open({ url })).rejects.toEqual(refusal("STORE_ACCESS_DENIED"));
    expect(await tables(database)).toEqual([]);
  });

  it("says that its disk is full, keeps what it acknowledged, and goes on when there is room", async ({ skip }) => {
    using disk = mountSmallDisk(14_000);
    if (disk === undefined) return skip();
    await giveToPostgres(disk.path);
    await using database = await makeDatabase(server);
    await database.administer(`CREATE TABLESPACE small LOCATION '${disk.path}'`);
    try {
      await database.administer(`ALTER DATABASE ${database.name} SET TABLESPACE small`);
      await using store = await database.open();
      const cohorts = [await submit(store, [{ studyInstanceUid: "1.1" }])];
      const wide = Array.from({ length: 200 }, (_, index) =>
        request({
          rowNumber: index + 1,
          cells: ["cell".repeat(1_000)],
          studyInstanceUid: undefined,
          patientId: `P${index}`,
        }),
      );
      const fill = async (): Promise<void> => {
        for (;;) {
          const requests = wide.map((row) => ({ ...row, accessionNumber: `${cohorts.length}-${row.rowNumber}` }));
          const { cohort } = await store.submitCohort(
            { project: "lung", columns: ["column"], requests, refused: [] },
            0,
          );
          cohorts.push(cohort);
        }
      };
      await expect(fill()).rejects.toEqual(refusal("STORE_FULL"));
      expect(cohorts.length).toBeGreaterThan(1);
      for (const cohort of cohorts) expect((await store.cohortStatus(cohort)).total).toBeGreaterThan(0);
      disk.resize(60_000);
      await submit(store, [{ studyInstanceUid: "1.2" }]);
    } finally {
      await database.administer(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database.name}'`,
      );
      await database.administer(`ALTER DATABASE ${database.name} SET TABLESPACE pg_default`);
      await database.administer("DROP TABLESPACE small");
    }
  }, 60_000);

  it("is left empty when its disk is too small for the tables", async ({ skip }) => {
    using disk = mountSmallDisk(9_000);
    if (disk === undefined) return skip();
    await giveToPostgres(disk.path);
    await using database = await makeDatabase(server);
    await database.administer(`CREATE TABLESPACE tiny LOCATION '${disk.path}'`);
    try {
      await database.administer(`ALTER DATABASE ${database.name} SET TABLESPACE tiny`);
      disk.resize(8_000);
      await expect(database.open()).rejects.toEqual(refusal("STORE_FULL"));
      expect(await tables(database)).toEqual([]);
      disk.resize(30_000);
      await using store = await database.open();
      await submit(store, [{ studyInstanceUid: "1.1" }]);
    } finally {
      await database.administer(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database.name}'`,
      );
      await database.administer(`ALTER DATABASE ${database.name} SET TABLESPACE pg_default`);
      await database.administer("DROP TABLESPACE tiny");
    }
  }, 60_000);

  it.runIf(requirePeer("openssl"))(
    "shows by TLS who it is, or is not spoken to",
    async () => {
      await using folder = await temporaryFolder();
      await chmod(folder.path, 0o755);
      const own = await makeCertificate(folder.path, "server");
      const other = await makeCertificate(folder.path, "other", { names: "DNS:elsewhere.example" });
      for (const { keyFile } of [own, other]) await chmod(keyFile, 0o600);
      await giveToPostgres(own.keyFile, other.keyFile);
      const present = async ({ certificateFile, keyFile }: typeof own): Promise<void> => {
        await database.administer(`ALTER SYSTEM SET ssl_cert_file = '${certificateFile}'`);
        await database.administer(`ALTER SYSTEM SET ssl_key_file = '${keyFile}'`);
        await database.administer("ALTER SYSTEM SET ssl = on");
        await database.administer("SELECT pg_reload_conf()");
      };
      await using database = await makeDatabase(server);
      const url = `${database.url}?sslmode=verify-full`;
      try {
        await present(own);
        await vi.waitFor(async () => {
          await using store = await database.open({ url, certificateAuthority: own.certificate });
          await submit(store, [{ studyInstanceUid: "1.1" }]);
          const [row] = await database.query(
            "SELECT bool_or(ssl) AS ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)",
          );
          expect(row).toEqual({ ssl: true });
        }, WAIT);
        const trusting = (certificateAuthority: string) => database.open({ url, certificateAuthority });
        await expect(trusting(other.certificate)).rejects.toEqual(refusal("STORE_UNAVAILABLE"));
        await present(other);
        await vi.waitFor(() => expect(trusting(own.certificate)).rejects.toEqual(refusal("STORE_UNAVAILABLE")), WAIT);
        await expect(trusting(other.certificate), "its name is another").rejects.toEqual(refusal("STORE_UNAVAILABLE"));
      } finally {
        await database.administer("ALTER SYSTEM SET ssl = off");
        await database.administer("SELECT pg_reload_conf()");
      }
    },
    60_000,
  );

  it("has a replica that answers lists a moment behind, and whose end stops nothing else", async () => {
    await using database = await makeDatabase(server);
    await (await database.open())[Symbol.asyncDispose]();
    await using replica = await startPostgres({ replicaOf: server });
    await using store = await database.open({ readUrl: urlOf(replica, database.name) });
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    await vi.waitFor(async () => expect(await store.listJobs({ limit: 2 })).toHaveLength(1), WAIT);
    await using reading = await database.open({ url: urlOf(replica, database.name) });
    await expect(submit(reading, [{ studyInstanceUid: "1.2" }])).rejects.toEqual(refusal("STORE_READ_ONLY"));
    await replica.kill();
    await expect(store.listJobs({ limit: 2 })).rejects.toEqual(refusal("STORE_UNAVAILABLE"));
    const job = await finish(store, "delivered");
    expect(await store.job(job)).toMatchObject({ state: "delivered" });
    await replica.restart();
    await vi.waitFor(async () => expect(await store.listJobs({ limit: 2 })).toHaveLength(1), WAIT);
  }, 60_000);
});
