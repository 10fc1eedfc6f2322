import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../../test/peers/postgres.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { statements } from "../sql/statements.ts";
import { preparedText } from "./session.ts";
import { type OwnStatementName, ownStatements } from "./statements.ts";
import { makeDatabase, type TestDatabase } from "./support.testing.ts";

/** A row for each counter, archive, worker or connection, or for what is not done: they are walked. */
const SMALL =
  /Seq Scan on (job_counts|job_code_counts|archives|workers|api_tokens|schema_migrations|audit_head|claim_turns|nodes|pg_\w+|notice_marks|standing_\w+|scan_tokens|job_change_numbers)\b/g;
const UNEXPLAINED: ReadonlySet<string> = new Set(["createSchemaMigrations"]);

/** What each frequent statement must go by. */
const HOT: readonly (readonly [OwnStatementName, ...string[]])[] = [
  ["claimTogether", "study_jobs_due", "study_jobs_waiting", "study_jobs_leased", "claim_turns_pkey"],
  ["settleTogether", "study_jobs_id_key", "study_jobs_pkey", "job_attempts_pkey"],
  ["wakeWaiting", "study_jobs_waiting"],
  ["wakeAbandoned", "study_jobs_leased"],
  ["jobOfId", "study_jobs_id_key"],
  ["jobsOfKey", "study_keys_pkey"],
  ["jobOfStudy", "study_jobs_of_study"],
  ["listJobsByProjectAndState", "study_jobs_by_project_and_state"],
  ["listJobsOfCohortByState", "cohort_jobs_by_state"],
  ["listDeliveriesByState", "deliveries_by_state"],
  ["jobChanges", "job_changes_pkey"],
  ["claimInboxMessage", "inbox_messages_waiting"],
  ["claimNotices", "notices_due"],
  ["requestOfKey", "api_requests_asker_key_key"],
  ["auditRecords", "audit_events_pkey"],
];

describe.runIf(requirePeer("initdb"))("PostgreSQL's plans", () => {
  let server: PostgresServer;
  let database: TestDatabase;
  let client: pg.Client;
  beforeAll(async () => {
    server = await startPostgres();
    database = await makeDatabase(server);
    await (await database.open())[Symbol.asyncDispose]();
    client = new pg.Client(database.url);
    await client.connect();
    // The tables are empty: a plan is to show which index serves, not that there is little to walk over.
    await client.query(
      "SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off; SET plan_cache_mode = force_generic_plan",
    );
  }, 60_000);
  afterAll(async () => {
    await client?.end();
    await database?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  async function planOf(name: OwnStatementName): Promise<string> {
    const { text, names } = preparedText(name, true);
    await client.query(`PREPARE asked AS ${text}`);
    const values = names.length === 0 ? "" : `(${names.map(() => "NULL").join(", ")})`;
    const { rows } = await client.query(`EXPLAIN EXECUTE asked${values}`);
    await client.query("DEALLOCATE asked");
    return rows.map((row) => String(row["QUERY PLAN"])).join("\n");
  }

  it.each(HOT.map(([name, ...indexes]) => ({ name, indexes })))(
    "$name goes by its index",
    async ({ name, indexes }) => {
      const plan = await planOf(name);
      for (const index of indexes) expect(plan).toContain(index);
    },
  );

  it("walks over no table that grows", async () => {
    const names = [...Object.keys(statements), ...Object.keys(ownStatements)] as OwnStatementName[];
    const walks: string[] = [];
    for (const name of names.filter((each) => !UNEXPLAINED.has(each))) {
      if (/Seq Scan on/.test((await planOf(name)).replaceAll(SMALL, ""))) walks.push(name);
    }
    expect(walks).toEqual([]);
  });
});
