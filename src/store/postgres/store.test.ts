import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../../test/peers/postgres.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { systemClock } from "../../units/clock.ts";
import { verifyAuditTrail } from "../audit-chain.ts";
import { claimed, finish, LEASE_MS, refusal, request, submit } from "../contract/support.testing.ts";
import { migrate as migrateSqlite } from "../sqlite/schema.ts";
import type { Store } from "../store.ts";
import { openPostgresStore } from "./open.ts";
import { checkVersion, KNOWN_VERSION } from "./schema.ts";
import { measureSkewMs } from "./skew.ts";
import { makeDatabase, urlOf } from "./support.testing.ts";

const actor = { name: "sam", kind: "command line", role: "admin" } as const;

describe.runIf(requirePeer("initdb"))("PostgreSQL", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.[Symbol.asyncDispose]());

  it("has the tables and columns of SQLite's store", async () => {
    await using database = await makeDatabase(server);
    await using _ = await database.open();
    using sqlite = new DatabaseSync(":memory:");
    migrateSqlite(sqlite, 0);
    const theirs = sqlite
      .prepare(
        "SELECT m.name || '.' || c.name AS name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY 1",
      )
      .all();
    const ours = await database.query(
      `SELECT table_name || '.' || column_name AS name FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name <> 'radferry_store' AND column_name <> 'slot' ORDER BY 1`,
    );
    const names = (rows: readonly Readonly<Record<string, unknown>>[]) => rows.map(({ name }) => String(name)).sort();
    // Each job has one row of changes here, which needs not say what it came to.
    const addedOnly = new Set(["job_changes.state", "job_changes.stage"]);
    expect(names(ours)).toEqual(names(theirs).filter((name) => !addedOnly.has(name)));
  });

  it("is brought to its version once when several gateways start at once", async () => {
    await using database = await makeDatabase(server);
    const stores = await Promise.all([database.open(), database.open(), database.open()]);
    await Promise.all(stores.map((store) => store[Symbol.asyncDispose]()));
    expect(await database.query("SELECT count(*)::INT AS count FROM schema_migrations")).toEqual([
      { count: KNOWN_VERSION },
    ]);
  });

  it("rehearses as the store would answer, of an empty database too, and leaves nothing of it", async () => {
    await using database = await makeDatabase(server);
    {
      await using rehearsal = await database.open({ isRehearsal: true });
      await submit(rehearsal, [{ studyInstanceUid: "1.2.3" }]);
      expect(await rehearsal.listCohorts({ limit: 10, newestFirst: false })).toHaveLength(1);
    }
    expect(await database.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).toEqual([]);
    await using store = await database.open();
    const cohort = await submit(store, [{ studyInstanceUid: "1.2.3" }, { studyInstanceUid: "1.2.4" }]);
    {
      await using rehearsal = await database.open({ isRehearsal: true });
      expect(await rehearsal.cancelJobs({ cohort }, 2)).toBe(2);
      await rehearsal.appendAudit({ event: "studies-cancelled", actor, outcome: "success" }, 2);
      await expect(rehearsal.cancelJobs({ cohort: "none" }, 2)).rejects.toEqual(refusal("COHORT_NOT_FOUND"));
      const both = [rehearsal.cohortStatus(cohort), rehearsal.auditRecords({ after: 0, limit: 10 })];
      expect(await Promise.all(both)).toMatchObject([{ states: { cancelled: 2 } }, { length: 1 }]);
    }
    expect(await store.cohortStatus(cohort)).toMatchObject({ states: { queued: 2 } });
    expect(await store.auditRecords({ after: 0, limit: 10 })).toEqual([]);
  });

  it("refuses another product's tables and leaves them as they are", async () => {
    await using database = await makeDatabase(server);
    await database.query("CREATE TABLE schema_migrations (version TEXT)");
    await expect(database.open()).rejects.toEqual(refusal("STORE_NOT_OURS"));
    expect(await database.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).toHaveLength(1);
  });

  it("refuses a newer version's database and leaves it as it is", async () => {
    await using database = await makeDatabase(server);
    await (await database.open())[Symbol.asyncDispose]();
    await database.query("INSERT INTO schema_migrations VALUES (9999, 'later', 0)");
    await expect(database.open()).rejects.toEqual(refusal("STORE_SCHEMA_NEWER"));
  });

  it("leaves nothing of a migration that could not end", async () => {
    await using database = await makeDatabase(server);
    // A function of this name cannot be made a second time: the twelfth migration fails.
    await database.query("CREATE FUNCTION counter_slot() RETURNS INT LANGUAGE sql AS 'SELECT 1'");
    await expect(database.open()).rejects.toThrow();
    expect(await database.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).toEqual([]);
  });

  it.each([
    ["PostgreSQL 12.1 on x86_64", 120_001],
    ["CockroachDB CCL v23.1", 130_000],
  ])("refuses %s", (product, version) => {
    expect(() => checkVersion(product, version)).toThrow(expect.objectContaining({ code: "STORE_SERVER_UNSUPPORTED" }));
  });

  const WRONG: readonly (readonly [what: string, url: (right: string) => string, code: ErrorCode])[] = [
    ["a user that is not there", (url) => url.replace("postgres@", "nobody:secret-word@"), "STORE_ACCESS_DENIED"],
    ["a database that is not there", (url) => `${url}-gone`, "STORE_ACCESS_DENIED"],
    ["a port where nobody listens", (url) => url.replace(/:\d+\//, ":1/"), "STORE_UNAVAILABLE"],
    ["another kind of URL", () => "mysql://sam:secret-word@host/database", "STORE_URL_INVALID"],
    ["a password with a bare percent sign", () => "postgres://sam:secret-word%@host/database", "STORE_URL_INVALID"],
    ["TLS that asks nobody who he is", (url) => `${url}?sslmode=require`, "STORE_URL_INVALID"],
    ["TLS that the server has not", (url) => `${url}?sslmode=verify-full`, "STORE_UNAVAILABLE"],
  ];

  it.each(WRONG)("names %s, and tells no URL", async (_what, change, code) => {
    const url = change(urlOf(server, server.user));
    const refused = await openPostgresStore({ url, witnessPath: "/nowhere", acquireTimeoutMs: 2_000 }).catch(
      (thrown: unknown) => thrown,
    );
    expect(refused).toEqual(refusal(code));
    expect(JSON.stringify(refused)).not.toContain("secret-word");
  });

  it("names a database that takes no writes, and goes on when it does", async () => {
    await using database = await makeDatabase(server);
    await using store = await database.open();
    const cohort = await submit(store, [{ studyInstanceUid: "1.1" }]);
    const turn = async (isReadOnly: "on" | "off"): Promise<void> => {
      await database.administer(`ALTER DATABASE ${database.name} SET default_transaction_read_only = ${isReadOnly}`);
      await database.administer(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database.name}'`,
      );
    };
    await turn("on");
    await expect(eventually(() => store.submitCohort(nothing, 0), "STORE_READ_ONLY")).resolves.toBe(true);
    expect(await store.cohortStatus(cohort)).toMatchObject({ total: 1 });
    await turn("off");
    await expect(eventually(() => submit(store, [{ studyInstanceUid: "1.2" }]))).resolves.toBe(true);
  });

  it("gives up a statement that waits too long for what another holds", async () => {
    await using database = await makeDatabase(server);
    await using store = await database.open({ statementTimeoutMs: 300 });
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease } = await claimed(store);
    const other = new pg.Client(database.url);
    await other.connect();
    try {
      await other.query("BEGIN; SELECT 1 FROM study_jobs FOR UPDATE");
      await expect(store.renew(lease, LEASE_MS, 1)).rejects.toEqual(refusal("STORE_UNAVAILABLE"));
      await other.query("ROLLBACK");
      expect(await store.renew(lease, LEASE_MS, 1)).toBe(true);
    } finally {
      await other.end();
    }
  });

  it("waits no longer for a connection than it may", async () => {
    await using database = await makeDatabase(server);
    await using store = await database.open({ poolSize: 1, acquireTimeoutMs: 200 });
    await submit(store, [{ studyInstanceUid: "1.1" }]);
    const { lease } = await claimed(store);
    const other = new pg.Client(database.url);
    await other.connect();
    try {
      await other.query("BEGIN; SELECT 1 FROM study_jobs FOR UPDATE");
      const waiting = store.renew(lease, LEASE_MS, 1);
      await expect(store.listJobs({ limit: 1 })).rejects.toEqual(refusal("STORE_UNAVAILABLE"));
      await other.query("ROLLBACK");
      expect(await waiting).toBe(true);
    } finally {
      await other.end();
    }
  });

  it("lets a gateway whose clock is an hour off take nobody's lease", async () => {
    await using database = await makeDatabase(server);
    const offClock = { ...systemClock, nowMs: () => systemClock.nowMs() + 3_600_000 };
    await using right = await database.open();
    await using off = await database.open({ clock: offClock });
    await submit(right, [{ studyInstanceUid: "1.1" }, { studyInstanceUid: "1.2" }], { nowMs: systemClock.nowMs() });
    const first = await right.claim("right", 60_000, systemClock.nowMs());
    const second = await off.claim("off", 60_000, offClock.nowMs());
    expect(first?.job.id).not.toBe(second?.job.id);
    expect([
      await right.claim("right", 60_000, systemClock.nowMs()),
      await off.claim("off", 60_000, offClock.nowMs()),
    ]).toEqual([undefined, undefined]);
    // Each is told when to look in the terms of its own clock.
    const inOwnTerms = ((await off.nextDueAtMs()) ?? 0) - offClock.nowMs();
    expect(inOwnTerms).toBeGreaterThan(0);
    expect(inOwnTerms).toBeLessThanOrEqual(60_000);
    expect(Math.abs(await measureSkewMs({ url: database.url }, offClock))).toBeGreaterThan(3_000_000);
  });

  it("wakes who waits for work that another gateway takes in", async () => {
    await using database = await makeDatabase(server);
    await using one = await database.open();
    await using other = await database.open();
    const woken = new Promise<void>((resolve) => other.onWork?.(resolve));
    await eventually(async () => {
      await submit(one, [{ studyInstanceUid: "1.1" }]);
      await Promise.race([woken, new Promise((_, reject) => setTimeout(reject, 200))]);
    });
    await woken;
  });

  it("joins rows of one study that several gateways take in at once", async () => {
    await using database = await makeDatabase(server);
    const stores = await Promise.all([1, 2, 3].map(() => database.open()));
    const rows = [{ accessionNumber: "A1" }, { studyInstanceUid: "1.1" }];
    const cohorts = await Promise.all(stores.flatMap((store) => [submit(store, rows), submit(store, rows)]));
    const [first] = stores;
    expect(await first?.listJobs({ limit: 9 })).toHaveLength(2);
    for (const cohort of cohorts) expect(await first?.cohortStatus(cohort)).toMatchObject({ total: 2 });
    // No index keeps accession numbers apart: those who join wait for each other.
    const numbers = ["A2", "A3", "A4", "A5", "A6", "A7"];
    await Promise.all(
      numbers.flatMap((accessionNumber) => stores.map((store) => submit(store, [{ accessionNumber }]))),
    );
    const jobs = (await first?.listJobs({ limit: 99 })) ?? [];
    expect(
      jobs
        .slice(2)
        .map(({ accessionNumber }) => accessionNumber ?? "")
        .sort(),
    ).toEqual(numbers);
    await Promise.all(stores.map((store) => store[Symbol.asyncDispose]()));
  });

  it("keeps counters, changes and the audit trail whole while several gateways work at once", async () => {
    await using database = await makeDatabase(server);
    const stores = await Promise.all([1, 2, 3].map(() => database.open({ timeOf: "callers" })));
    const [first] = stores;
    if (first === undefined) throw new Error("no store");
    const rows = Array.from({ length: 60 }, (_, index) => ({
      studyInstanceUid: `1.${index}`,
      priority: 1 + (index % 3),
    }));
    const cohorts = await Promise.all(["lung", "heart"].map((project) => submit(first, rows, { project })));
    const seen = new Set<number>();
    let after = 0;
    const ids: string[] = [];
    const watch = async (): Promise<void> => {
      const { changes, last } = await first.jobChanges({ after, limit: 1_000 });
      for (const { number } of changes) seen.add(number);
      after = last;
    };
    await Promise.all(
      stores.flatMap((store, node) =>
        [1, 2, 3].map(async (worker) => {
          for (
            let next = await take(store, `${node}-${worker}`);
            next !== undefined;
            next = await take(store, `${node}-${worker}`)
          ) {
            ids.push(next);
            await watch();
          }
        }),
      ),
    );
    await watch();
    expect(ids).toHaveLength(120);
    expect(new Set(ids).size).toBe(120);
    for (const cohort of cohorts) expect(await first.cohortStatus(cohort)).toMatchObject({ states: { delivered: 60 } });
    expect(await first.jobCounts()).toEqual(
      expect.arrayContaining([expect.objectContaining({ project: "heart", state: "delivered", jobs: 60 })]),
    );
    // The last change of every job was seen: none was stepped over.
    const numbers = await database.query("SELECT change_no::INT AS number FROM job_changes");
    expect(numbers.filter(({ number }) => !seen.has(Number(number)))).toEqual([]);
    const page = (from: number, limit: number) => first.auditRecords({ after: from, limit });
    expect(await verifyAuditTrail(page, [])).toMatchObject({ count: 120, findings: [] });
    await Promise.all(stores.map((store) => store[Symbol.asyncDispose]()));
  }, 30_000);

  it("loses nothing that it acknowledged when the server is killed, and goes on when it is back", async () => {
    await using durable = await startPostgres({ isDurable: true });
    await using database = await makeDatabase(durable);
    await using store = await database.open({ acquireTimeoutMs: 5_000 });
    const cohorts: string[] = [];
    const delivered: string[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const enough = cohorts.length + 8;
      const working = (async () => {
        for (;;) {
          cohorts.push(await submit(store, [{ studyInstanceUid: `1.${kill}.${cohorts.length}` }]));
          delivered.push(await finish(store, "delivered"));
        }
      })().catch((thrown: unknown) => thrown);
      while (cohorts.length < enough) await new Promise((resolve) => setImmediate(resolve));
      await durable.kill();
      expect(await working).toEqual(refusal("STORE_UNAVAILABLE"));
      await durable.restart();
      await expect(eventually(() => store.listJobs({ limit: 1 }))).resolves.toBe(true);
      await database.query(
        "UPDATE study_jobs SET state = 'queued', lease_token = NULL, lease_until = NULL WHERE state = 'running'",
      );
    }
    for (const cohort of cohorts) expect(await store.cohortStatus(cohort)).toMatchObject({ total: 1 });
    for (const job of delivered) expect(await store.job(job)).toMatchObject({ state: "delivered" });
    expect(await database.query(COUNTED)).toEqual(await database.query(SCANNED));
  }, 60_000);
});

const KILLS = 2;
const COUNTED =
  "SELECT state, sum(jobs)::INT AS jobs FROM job_counts GROUP BY state HAVING sum(jobs) <> 0 ORDER BY state";
/** What runs is counted as queued. */
const SCANNED = `
  SELECT resting AS state, count(*)::INT AS jobs
    FROM (SELECT CASE state WHEN 'running' THEN 'queued' ELSE state END AS resting FROM study_jobs) AS jobs
   GROUP BY resting ORDER BY resting`;

const nothing = { project: "lung", columns: [], requests: [request({})], refused: [] };

/** Takes a job, writes that it was delivered, and gives its id. */
async function take(store: Store, worker: string): Promise<string | undefined> {
  const claim = await store.claim(worker, 600_000, 1);
  if (claim === undefined) return undefined;
  const ledger = [{ kind: "received", sopInstanceUid: "1.2", seriesInstanceUid: "1.1" }] as const;
  const audit = { event: "delivery-done", actor, outcome: "success" } as const;
  const outcome = { state: "delivered", attempts: 0, change: { stage: "delivering", ledger }, audit } as const;
  expect(await store.settle(claim.lease, outcome, 2)).toBe(true);
  return claim.job.id;
}

const TRIES = 100;
const PAUSE_MS = 50;

/** Whether it came to be: until it works, or fails with the code. Connections that were lost are noticed one by one. */
async function eventually(work: () => Promise<unknown>, code?: ErrorCode): Promise<boolean> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const failure = await work().then(
      () => undefined,
      (thrown: unknown) => thrown ?? "failed",
    );
    const isIt =
      code === undefined
        ? failure === undefined
        : failure instanceof Error && "code" in failure && failure.code === code;
    if (isIt) return true;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return false;
}
