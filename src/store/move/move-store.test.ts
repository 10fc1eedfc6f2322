import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../../test/peers/postgres.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { verifyAuditTrail } from "../audit-chain.ts";
import { claimed, finish, refusal, submit } from "../contract/support.testing.ts";
import { HALF_MOVED_TABLE } from "../postgres/schema.ts";
import { makeDatabase, type TestDatabase } from "../postgres/support.testing.ts";
import { createAuditWitness } from "../sql/audit-witness.ts";
import { openSqliteStore } from "../sqlite/open.ts";
import { KNOWN_VERSION } from "../sqlite/schema.ts";
import type { Store } from "../store.ts";
import { type MoveProgress, moveStore, rehearseMove } from "./move-store.ts";
import { openMoveSource } from "./source.ts";
import { columnNames, tablesOf } from "./tables.ts";
import { openMoveTarget } from "./target.ts";

const actor = { name: "sam", kind: "command line", role: "admin" } as const;
const audit = { event: "store-moved", actor, outcome: "success" } as const;
const MOVER = fileURLToPath(new URL("./mover.testing.ts", import.meta.url));

/** Studies at several states by the store's own ways; then one row for each table that is empty still. */
async function fill(path: string, studies = 4): Promise<string> {
  await using store = await openSqliteStore({ path });
  const rows = Array.from({ length: studies }, (_, index) => ({ studyInstanceUid: `1.2.${index}` }));
  const cohort = await submit(store, rows, {
    refused: [{ rowNumber: 9_999, code: "COHORT_NOT_FOUND", cells: ["é"] }],
  });
  await finish(store, "delivered", 1);
  await finish(store, "failed", 2);
  await claimed(store, 3);
  for (let number = 0; number < 3; number += 1)
    await store.appendAudit({ ...audit, event: "settings-reloaded" }, number);
  using database = new DatabaseSync(path);
  for (const table of tablesOf(database)) {
    if (database.prepare(`SELECT 1 FROM "${table.name}"`).get() !== undefined) continue;
    const values = {
      INTEGER: 1,
      TEXT: `${table.name}, "quoted" \\ {é}, 𝄞`,
      BLOB: Uint8Array.of(0, 255, 92, 39),
      REAL: 0.1 + 0.2,
    };
    const places = table.columns.map(() => "?").join(", ");
    database
      .prepare(`INSERT INTO "${table.name}" VALUES (${places})`)
      .run(...table.columns.map(({ type }) => values[type]));
  }
  return cohort;
}

function bytesOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

async function seenOf(store: Store, cohort: string): Promise<unknown> {
  return [
    await store.cohortStatus(cohort),
    await store.listJobs({ cohort, limit: 10_000 }),
    (await store.jobCounts()).map((count) => JSON.stringify(Object.entries(count).sort())).sort(),
    await store.listCohorts({ limit: 10, newestFirst: false }),
    await store.jobChanges({ after: 0, limit: 10_000 }),
  ];
}

it.each([
  ["STORE_SCHEMA_OLDER", `DELETE FROM schema_migrations WHERE version = ${KNOWN_VERSION}`],
  ["STORE_SCHEMA_NEWER", `INSERT INTO schema_migrations VALUES (${KNOWN_VERSION + 1}, '', 0)`],
  ["STORE_NOT_OURS", "PRAGMA application_id = 7"],
])("is not moved by a version that does not know it: %s", async (code, sql) => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "radferry.db");
  await (await openSqliteStore({ path }))[Symbol.asyncDispose]();
  using database = new DatabaseSync(path);
  database.exec(sql);
  expect(() => openMoveSource(path)).toThrow(expect.objectContaining({ code }));
});

it("gives no number twice that was given once, though nothing has it any more", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "radferry.db");
  await fill(path);
  using database = new DatabaseSync(path);
  database.exec("UPDATE sqlite_sequence SET seq = 40 WHERE name = 'api_requests'; DELETE FROM api_requests");
  using source = openMoveSource(path);
  const numbers = source.tables.map((table) => [table.name, source.highestNumber(table)]);
  expect(Object.fromEntries(numbers)).toMatchObject({ api_requests: 40, study_jobs: 4 });
});

describe.runIf(requirePeer("initdb"))("a store that is moved to PostgreSQL", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.[Symbol.asyncDispose]());

  /** A store on disk and an empty database for it. */
  async function site(studies?: number) {
    const opened = new AsyncDisposableStack();
    const folder = opened.use(await temporaryFolder());
    const database: TestDatabase = opened.use(await makeDatabase(server));
    const path = join(folder.path, "radferry.db");
    const cohort = await fill(path, studies);
    const move = (onProgress: (progress: MoveProgress) => void = () => undefined) =>
      moveStore({ path, target: { url: database.url }, audit, onProgress });
    return {
      path,
      database,
      cohort,
      move,
      open: () => database.open({ witnessPath: path, timeOf: "callers" }),
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  }

  it("has every row of every table, and leaves the file as it was", async () => {
    await using moving = await site();
    const before = bytesOf(moving.path);
    const tables = await moving.move();
    expect(bytesOf(moving.path)).toBe(before);
    expect(tables.filter(({ rows }) => rows === 0)).toEqual([]);

    using source = openMoveSource(moving.path);
    for (const table of source.tables.filter(({ name }) => !name.startsWith("audit_"))) {
      const theirs = source.database.prepare(`SELECT * FROM "${table.name}"`).all();
      const names = columnNames(table).map((name) => `"${name}"`);
      const ours = await moving.database.query(`SELECT ${names.join(", ")} FROM "${table.name}"`);
      const told = (rows: readonly object[]) =>
        rows.map((row) => JSON.stringify(Object.entries(row).map(([name, value]) => [name, cellText(value)]))).sort();
      expect(told(ours), table.name).toEqual(told(theirs));
    }
    await using embedded = await openSqliteStore({ path: moving.path });
    await using store = await moving.open();
    expect(await seenOf(store, moving.cohort)).toEqual(await seenOf(embedded, moving.cohort));
  });

  it("goes on there: numbers, counters, the audit trail", async () => {
    await using moving = await site();
    await moving.move();
    expect(createAuditWitness(moving.path).read()).toMatchObject({ count: 4 });
    await using store = await moving.open();
    const { findings, count } = await verifyAuditTrail(
      (after, limit) => store.auditRecords({ after, limit }),
      await store.auditHeads(),
    );
    expect({ findings, count }).toEqual({ findings: [], count: 4 });
    const cohort = await submit(store, [{ studyInstanceUid: "1.3" }]);
    expect(await store.cohortStatus(moving.cohort)).toMatchObject({
      states: { queued: 1, running: 1, delivered: 1, failed: 1 },
    });
    await finish(store, "delivered", 4);
    await finish(store, "delivered", 4);
    expect(await store.cohortStatus(moving.cohort)).toMatchObject({ states: { running: 1, delivered: 2 } });
    expect(await store.cohortStatus(cohort)).toMatchObject({ states: { delivered: 1 } });
  });

  it("goes on where it was when its process was killed in the middle, and serves nobody before", async () => {
    await using moving = await site(1_200);
    for (const table of ["acquisitions", "api_requests", "study_jobs"]) {
      const args = [MOVER, moving.path, moving.database.url, table];
      const mover = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
      mover.stdout.once("data", () => mover.kill("SIGKILL"));
      expect(await once(mover, "close")).toEqual([null, "SIGKILL"]);
      await expect(moving.open()).rejects.toEqual(refusal("STORE_HALF_MOVED"));
    }
    const moved: MoveProgress[] = [];
    await moving.move((progress) => moved.push(progress));
    await using embedded = await openSqliteStore({ path: moving.path });
    await using store = await moving.open();
    expect(await seenOf(store, moving.cohort)).toEqual(await seenOf(embedded, moving.cohort));
    // What had arrived before was not sent again.
    const sentAgain = ["acquisitions", "api_requests"].filter((name) => moved.some(({ table }) => table === name));
    expect(sentAgain).toEqual([]);
  }, 60_000);

  it("is not joined to another one, and not gone on with from another one", async () => {
    await using moving = await site();
    await moving.move();
    await expect(moving.move()).rejects.toEqual(refusal("STORE_NOT_EMPTY"));

    await using foreign = await site();
    await foreign.database.query("CREATE TABLE theirs (name TEXT)");
    await expect(foreign.move()).rejects.toEqual(refusal("STORE_NOT_OURS"));

    await using broken = await site();
    const stop = new Error("stop");
    await expect(
      broken.move(() => {
        throw stop;
      }),
    ).rejects.toBe(stop);
    await broken.database.query(`UPDATE ${HALF_MOVED_TABLE} SET version = version - 1`);
    await expect(broken.move()).rejects.toMatchObject({ details: { problem: "begun by another version" } });
    await broken.database.query(`UPDATE ${HALF_MOVED_TABLE} SET version = version + 1`);
    await using changed = await openSqliteStore({ path: broken.path });
    await submit(changed, [{ studyInstanceUid: "1.9" }]);
    await expect(broken.move()).rejects.toEqual(refusal("STORE_HALF_MOVED"));
  });

  it("is refused when what arrived is not what was sent", async () => {
    await using moving = await site();
    await expect(
      moving.move(({ table }) => {
        if (table === "study_jobs") throw new Error("stop");
      }),
    ).rejects.toThrow("stop");
    await moving.database.query("UPDATE study_jobs SET patient_id = 'another' WHERE job_no = 1");
    await expect(moving.move()).rejects.toEqual(refusal("STORE_MOVE_DIFFERS"));
    await expect(moving.open()).rejects.toEqual(refusal("STORE_HALF_MOVED"));
  });

  it("is not begun with a trail that somebody changed", async () => {
    await using moving = await site();
    using database = new DatabaseSync(moving.path);
    database.exec("DROP TRIGGER audit_event_removed; DELETE FROM audit_events WHERE number = 2");
    await expect(moving.move()).rejects.toEqual(refusal("AUDIT_TRAIL_BROKEN"));
    expect(await moving.database.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).toEqual([]);
  });

  it("stops when it is told to, tells how far it is, and goes on there", async () => {
    await using moving = await site(1_200);
    const stop = new AbortController();
    const seen: MoveProgress[] = [];
    const options = { path: moving.path, target: { url: moving.database.url }, audit };
    const broken = moveStore({
      ...options,
      signal: stop.signal,
      onProgress(progress) {
        if (progress.table !== "study_jobs") return;
        seen.push(progress);
        stop.abort(new Error("stop"));
      },
    });
    await expect(broken).rejects.toThrow("stop");
    await moving.move((progress) => {
      if (progress.table === "study_jobs") seen.push(progress);
    });
    expect(seen.map(({ rows, of }) => [rows, of])).toEqual([
      [500, 1_200],
      [1_000, 1_200],
      [1_200, 1_200],
    ]);
  });

  it("is moved by one process alone", async () => {
    await using moving = await site();
    {
      await using _other = await openMoveTarget({ url: moving.database.url });
      await expect(moving.move()).rejects.toEqual(refusal("STORE_HALF_MOVED"));
    }
    await moving.move();
  });

  it("tells beforehand what there is, and makes nothing", async () => {
    await using moving = await site();
    const tables = await rehearseMove({ path: moving.path, target: { url: moving.database.url } });
    expect(tables.find(({ table }) => table === "study_jobs")).toMatchObject({ rows: 4 });
    expect(await moving.database.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).toEqual([]);
  });
});

function cellText(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : String(value);
}
