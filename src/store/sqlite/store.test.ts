import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { seededRandom } from "../../units/random.ts";
import {
  claimed,
  finish,
  LEASE_MS,
  refusal,
  request,
  type StoreUnderTest,
  study,
  submit,
} from "../contract/support.testing.ts";
import { JOB_STATES } from "../job-states.ts";
import type { LedgerChange } from "../records.ts";
import type { Store } from "../store.ts";
import { describeStoreContract } from "../store-contract.testing.ts";
import { openSqliteStore } from "./open.ts";

async function openTemporary(): Promise<StoreUnderTest & { readonly path: string }> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await temporaryFolder());
  const path = join(folder.path, "radferry.db");
  const store = opened.use(await openSqliteStore({ path }));
  const closing = opened.move();
  return { store, path, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

/** One store for the whole contract, emptied from beside before each test: a thread for each would take most of the time. */
const shared = await openTemporary();
afterAll(() => shared[Symbol.asyncDispose]());

async function openEmptied(): Promise<StoreUnderTest> {
  using database = new DatabaseSync(shared.path, { timeout: 10_000, enableForeignKeyConstraints: false });
  const tables = database
    .prepare(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('schema_migrations', 'sqlite_sequence')",
    )
    .all();
  // Counters last: deleting jobs counts them down.
  tables.sort(
    (one, other) => Number(String(one.name).endsWith("_counts")) - Number(String(other.name).endsWith("_counts")),
  );
  // The audit trail lets nobody take anything from it.
  const guards = "DROP TRIGGER IF EXISTS audit_event_changed; DROP TRIGGER IF EXISTS audit_event_removed;";
  rmSync(`${shared.path}.audit-head`, { force: true });
  database.exec(
    `BEGIN IMMEDIATE; ${guards} ${tables.map(({ name }) => `DELETE FROM ${String(name)};`).join(" ")} COMMIT`,
  );
  return { store: shared.store, [Symbol.asyncDispose]: () => Promise.resolve() };
}

describeStoreContract("sqlite", openEmptied);

it("keeps everything over a restart", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "radferry.db");
  let cohort: string;
  {
    await using store = await openSqliteStore({ path });
    cohort = await submit(store, [{ studyInstanceUid: "1.1" }, { studyInstanceUid: "1.2" }]);
    await finish(store, "delivered");
  }
  await using store = await openSqliteStore({ path });
  expect(await store.cohortStatus(cohort)).toMatchObject({ total: 2, states: { delivered: 1, queued: 1 } });
});

it("can be read by its owner only, its side files too", async () => {
  await using opened = await openTemporary();
  await submit(opened.store, [{ studyInstanceUid: "1.1" }]);
  const modes = ["", "-wal", "-shm"].map((suffix) => statSync(opened.path + suffix).mode & 0o777);
  expect(modes).toEqual([0o600, 0o600, 0o600]);
});

it("closes a file to others that was put back with a wider mode", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "radferry.db");
  await (await openSqliteStore({ path }))[Symbol.asyncDispose]();
  chmodSync(path, 0o644);
  await using store = await openSqliteStore({ path });
  await submit(store, []);
  expect(["", "-wal"].map((suffix) => statSync(path + suffix).mode & 0o777)).toEqual([0o600, 0o600]);
});

it("says that a file is damaged", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "radferry.db");
  await (await openSqliteStore({ path }))[Symbol.asyncDispose]();
  // All pages but the first, whose header says that it is ours.
  const bytes = readFileSync(path);
  writeFileSync(path, Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096, 0xff)]));
  const opening = openSqliteStore({ path }).then(async (store) => {
    await using open = store;
    await submit(open, [{ studyInstanceUid: "1.1" }]);
  });
  await expect(opening).rejects.toEqual(refusal("STORE_DAMAGED"));
});

it("answers calls that are under way before it closes, and refuses those that come after", async () => {
  await using opened = await openTemporary();
  const { store } = opened;
  const submitted = Promise.all(
    Array.from({ length: 50 }, (_, index) => submit(store, [{ studyInstanceUid: `1.${index}` }])),
  );
  const closed = store[Symbol.asyncDispose]();
  await expect(store.listJobs({ limit: 1 })).rejects.toEqual(refusal("STORE_UNAVAILABLE"));
  expect(await submitted).toHaveLength(50);
  await closed;
  await store[Symbol.asyncDispose]();
});

it("refuses a call too many at once, and goes on afterwards", async () => {
  await using opened = await openTemporary();
  const calls = Array.from({ length: 10_000 }, () => opened.store.studyIsNeeded("1.1"));
  await expect(opened.store.studyIsNeeded("1.1")).rejects.toEqual(refusal("STORE_UNAVAILABLE"));
  expect(new Set(await Promise.all(calls))).toEqual(new Set([false]));
  expect(await opened.store.studyIsNeeded("1.1")).toBe(false);
});

it("undoes a call that fails alone, not those that share its transaction", async () => {
  await using opened = await openTemporary();
  const twice = [request({ rowNumber: 1 }), request({ rowNumber: 1 })];
  const [first, second, third] = await Promise.allSettled([
    submit(opened.store, [{ studyInstanceUid: "1.1" }]),
    opened.store.submitCohort({ project: "lung", columns: [], requests: twice, refused: [] }, 0),
    submit(opened.store, [{ studyInstanceUid: "1.2" }]),
  ]);
  expect([first.status, second.status, third.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(await opened.store.listCohorts({ limit: 9 })).toHaveLength(2);
  expect(await opened.store.listJobs({ limit: 9 })).toHaveLength(2);
});

it("lets another store on the same file write, and each see the other's work", async () => {
  await using opened = await openTemporary();
  await using beside = await openSqliteStore({ path: opened.path });
  const cohorts = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      submit(index % 2 === 0 ? opened.store : beside, [{ studyInstanceUid: `1.${index}` }]),
    ),
  );
  expect(new Set((await beside.listCohorts({ limit: 99 })).map(({ cohort }) => cohort))).toEqual(new Set(cohorts));
  const claims = await Promise.all(cohorts.map((_, index) => claimed(index % 2 === 0 ? beside : opened.store)));
  expect(new Set(claims.map(({ job }) => job.id)).size).toBe(40);
});

it("waits for another process that writes", async () => {
  await using opened = await openTemporary();
  using other = new DatabaseSync(opened.path);
  other.exec("BEGIN IMMEDIATE");
  let isDone = false;
  const read = opened.store.listCohorts({ limit: 1 });
  const submitted = submit(opened.store, [{ studyInstanceUid: "1.1" }]).then((cohort) => {
    isDone = true;
    return cohort;
  });
  // A read that came with it does not wait.
  expect(await read).toEqual([]);
  expect(isDone).toBe(false);
  other.exec("ROLLBACK");
  expect(await opened.store.cohortStatus(await submitted)).toMatchObject({ total: 1 });
});

it("makes a new file once when two open it together", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "radferry.db");
  const stores = await Promise.all([openSqliteStore({ path }), openSqliteStore({ path }), openSqliteStore({ path })]);
  await using opened = new AsyncDisposableStack();
  for (const store of stores) opened.use(store);
  const [first, , third] = stores;
  const cohort = await submit(first as Store, [{ studyInstanceUid: "1.1" }]);
  expect(await third?.cohortStatus(cohort)).toMatchObject({ total: 1 });
});

it.each([
  ["a newer version's database", "STORE_SCHEMA_NEWER", "INSERT INTO schema_migrations VALUES (999, 'later', 0)"],
  ["another program's database", "STORE_NOT_OURS", "PRAGMA application_id = 7"],
] as const)("refuses %s and leaves it as it is", async (_, code, sql) => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "radferry.db");
  await (await openSqliteStore({ path }))[Symbol.asyncDispose]();
  using database = new DatabaseSync(path);
  database.exec(sql);
  await expect(openSqliteStore({ path })).rejects.toEqual(refusal(code));
  expect(database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
});

it("refuses a file that is no database, and a path that cannot be opened", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "radferry.db");
  writeFileSync(path, "study,patient\n".repeat(500));
  await expect(openSqliteStore({ path })).rejects.toEqual(refusal("STORE_NOT_OURS"));
  await expect(openSqliteStore({ path: join(folder.path, "none", "radferry.db") })).rejects.toEqual(
    refusal("STORE_UNAVAILABLE"),
  );
});

const compareText = (one: string, other: string): number => Number(one > other) - Number(one < other);

/** Counts by looking at every row, as the maintained counters must not. */
function scan(database: DatabaseSync): unknown {
  return {
    cohorts: database
      .prepare(`SELECT cohorts.id, study_jobs.state, count(*) AS jobs FROM cohorts JOIN cohort_jobs USING (cohort_no)
                  JOIN study_jobs USING (job_no) GROUP BY cohorts.id, study_jobs.state ORDER BY cohorts.id, study_jobs.state`)
      .all(),
    cohortJobs: database
      .prepare(`SELECT cohort_no, job_no, CASE s.state WHEN 'running' THEN 'queued' ELSE s.state END AS state, s.code
                  FROM cohort_jobs JOIN study_jobs AS s USING (job_no) ORDER BY 1, 2`)
      .all(),
    jobs: database
      .prepare(`SELECT project, stage, state, count(*) AS jobs FROM study_jobs
                 GROUP BY project, stage, state ORDER BY project, stage, state`)
      .all(),
    deliveries: database
      .prepare("SELECT job_no, s.project FROM deliveries JOIN study_jobs AS s USING (job_no) ORDER BY 1")
      .all(),
    instances: database
      .prepare(`SELECT job_no, count(received_at) AS received, count(excluded_at) AS excluded,
                       count(delivered_at) AS delivered FROM instances GROUP BY job_no ORDER BY job_no`)
      .all(),
    codes: database
      .prepare(`SELECT project, code, state, count(*) AS jobs FROM study_jobs WHERE code IS NOT NULL
                 GROUP BY project, code, state ORDER BY project, code, state`)
      .all(),
  };
}

async function counters(store: Store, database: DatabaseSync): Promise<unknown> {
  const cohorts = await store.listCohorts({ limit: 1_000 });
  const statuses = await Promise.all(cohorts.map(({ cohort }) => store.cohortStatus(cohort)));
  const jobs = await store.jobCounts();
  return {
    cohorts: statuses
      .flatMap(({ cohort, states }) =>
        Object.entries(states).map(([state, count]) => ({ id: cohort, state, jobs: count })),
      )
      .sort((one, other) => compareText(one.id, other.id) || compareText(one.state, other.state)),
    jobs: [...jobs].sort(
      (one, other) =>
        compareText(one.project, other.project) ||
        compareText(one.stage, other.stage) ||
        compareText(one.state, other.state),
    ),
    cohortJobs: database.prepare("SELECT cohort_no, job_no, state, code FROM cohort_jobs ORDER BY 1, 2").all(),
    deliveries: database.prepare("SELECT job_no, project FROM deliveries ORDER BY 1").all(),
    instances: database
      .prepare(`SELECT job_no, received, excluded, delivered FROM study_jobs
                 WHERE job_no IN (SELECT job_no FROM instances) ORDER BY job_no`)
      .all(),
    codes: database
      .prepare("SELECT project, code, state, jobs FROM job_code_counts WHERE jobs <> 0 ORDER BY project, code, state")
      .all(),
  };
}

it.each([1, 2, 3])("keeps counters equal to a scan through random work (seed %i)", async (seed) => {
  await using opened = await openTemporary();
  const { store, path } = opened;
  const random = seededRandom(seed);
  const pick = <T>(of: readonly [T, ...T[]]): T => of[Math.floor(random.next() * of.length)] ?? of[0];
  const uid = (): string => `1.${Math.floor(random.next() * 12)}`;
  const outcomes = Object.keys(JOB_STATES).filter((state) => state !== "running" && state !== "cancelled");
  let nowMs = 0;
  const held: Awaited<ReturnType<typeof claimed>>[] = [];
  const cohorts: string[] = [];
  const actions = {
    async submit() {
      const row = () => (random.next() < 0.5 ? { studyInstanceUid: uid() } : { accessionNumber: `A${uid()}` });
      cohorts.push(await submit(store, [row(), row(), row()], { project: pick(["lung", "heart"]), nowMs }));
    },
    async claim() {
      const claim = await store.claim("worker-1", LEASE_MS, nowMs);
      if (claim !== undefined) held.push(claim);
    },
    async locate() {
      const lease = held.at(-1)?.lease;
      if (lease !== undefined) await store.located(lease, "vna", [study(uid()), study(uid())], nowMs);
    },
    async journal() {
      const lease = held.at(-1)?.lease;
      const one = { sopInstanceUid: uid() };
      const line = pick<LedgerChange>([
        { kind: "expected", ...one, seriesInstanceUid: "1.1" },
        { kind: "excluded", ...one, reason: "modality" },
        { kind: "delivered", ...one },
      ]);
      if (lease !== undefined) {
        await store.change(lease, { ledger: [{ kind: "received", ...one, seriesInstanceUid: "1.1" }, line] }, nowMs);
      }
    },
    async settle() {
      const claim = held.pop();
      const state = outcomes[Math.floor(random.next() * outcomes.length)] as "queued";
      const code = pick<ErrorCode | undefined>([undefined, "STUDY_NOT_FOUND", "ARCHIVE_UNABLE"]);
      const outcome = { state, dueAtMs: nowMs + 300, attempts: 1, ...(code === undefined ? {} : { code }) };
      if (claim !== undefined) await store.settle(claim.lease, outcome, nowMs);
    },
    async cancel() {
      const cohort = cohorts[Math.floor(random.next() * cohorts.length)];
      if (cohort !== undefined) await store.cancelJobs({ cohort }, nowMs);
    },
    async retry() {
      const cohort = cohorts[Math.floor(random.next() * cohorts.length)];
      if (cohort !== undefined) await store.retryJobs({ cohort }, nowMs);
    },
    async release() {
      await store.releaseLeases(nowMs);
    },
  };
  const { submit: submits, claim, locate, journal, settle, cancel, retry, release } = actions;
  for (let step = 0; step < 300; step += 1) {
    nowMs += 40;
    const isUsual = random.next() < 0.9;
    const action = isUsual
      ? pick([submits, claim, claim, locate, journal, journal, journal, settle, settle])
      : pick([cancel, retry, release]);
    await action();
  }
  using database = new DatabaseSync(path, { readOnly: true });
  expect(await counters(store, database)).toEqual(scan(database));
  expect(database.prepare("PRAGMA foreign_key_check").all()).toEqual([]);
});
