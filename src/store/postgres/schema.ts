import type { ClientBase } from "pg";
import { GatewayError } from "../../errors/gateway-error.ts";
import { SILENT_MS } from "../nodes.ts";
import { ACCESS, OVERVIEW } from "./access-schema.ts";
import { ACQUISITIONS, SCAN_CONTENT_TYPES, SCAN_RETENTION } from "./acquisition-schema.ts";
import { COMMITMENTS } from "./commitment-schema.ts";
import { RESTING_COUNTERS } from "./counter-triggers.ts";
import { INSIGHT } from "./insight-schema.ts";
import { INTAKE, INTAKE_EXPECTED } from "./intake-schema.ts";
import { ARCHIVES, COHORTS, COUNTERS, FAIR_SHARES, JOBS, PROJECT_KEYS, SPARED_ARCHIVES } from "./job-schema.ts";
import { LINKAGE } from "./linkage-schema.ts";
import { LISTINGS } from "./listing-schema.ts";
import { LOCKS } from "./locks.ts";
import { FORGOTTEN_NODES, HELD_JOBS, NODES } from "./node-schema.ts";
import { NOTICES } from "./notice-schema.ts";
import { preparedText } from "./session.ts";
import { STANDING_COHORTS } from "./standing-schema.ts";
import { STUDY_REPORTS } from "./study-report-schema.ts";
import { WITHDRAWALS, WITHDRAWN_PLACES } from "./withdrawal-schema.ts";
import { AUDIT, INBOX, PSEUDONYM_LINKS, RELEASES, TASKS, TASKS_BY_KIND } from "./work-schema.ts";

/** The oldest that is known to have all that is used here. */
const OLDEST_SERVER = 130_000;
/** Two gateways that start at once: one migrates, the other waits for it so long. */
const MIGRATION_TIMEOUT_MS = 600_000;

/** Says whose tables these are: other products, too, have a `schema_migrations`. */
const MARK = `
  CREATE TABLE radferry_store (only_row BIGINT PRIMARY KEY CHECK (only_row = 1), product TEXT NOT NULL);
  INSERT INTO radferry_store VALUES (1, 'radferry')`;

/** A database that has this table holds part of a store that is being moved to it. */
export const HALF_MOVED_TABLE = "radferry_move";

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  /** Gateways of the version before would not go on as they should: none may be at work. Those that only add need not say so. */
  readonly needsAllStopped?: true;
}

/** Append only, with the numbers and names of SQLite's. */
export const migrations: readonly Migration[] = [
  { version: 1, name: "cohorts, study jobs and their ledger", sql: `${JOBS}${COHORTS}${COUNTERS}` },
  { version: 2, name: "keys of projects", sql: PROJECT_KEYS },
  { version: 3, name: "conditions of archives", sql: ARCHIVES },
  { version: 4, name: "audit trail, releases, links of pseudonyms", sql: `${AUDIT}${RELEASES}${PSEUDONYM_LINKS}` },
  { version: 5, name: "tasks of faces", sql: TASKS },
  { version: 6, name: "inbox of brokers", sql: INBOX },
  { version: 7, name: "scanners: exams, devices, acquisitions", sql: ACQUISITIONS },
  { version: 8, name: "tokens, requests by HTTP, counters of all jobs", sql: `${ACCESS}${OVERVIEW}` },
  { version: 9, name: "tasks by kind", sql: TASKS_BY_KIND },
  { version: 10, name: "reports of studies, volumes of archives", sql: STUDY_REPORTS },
  { version: 11, name: "failures by code, throughput, thumbnails", sql: INSIGHT },
  { version: 12, name: "lists by cohort and project", sql: LISTINGS },
  { version: 13, name: "notifications", sql: NOTICES },
  { version: 14, name: "scanners: retention and quota of the lake", sql: SCAN_RETENTION },
  { version: 15, name: "turns of projects", sql: FAIR_SHARES },
  { version: 16, name: "linkage of projects", sql: LINKAGE },
  { version: 17, name: "studies sent unasked", sql: INTAKE },
  // Counters have been lean here from the start.
  { version: 18, name: "leaner counters", sql: "" },
  { version: 19, name: "withdrawn patients", sql: WITHDRAWALS },
  { version: 20, name: "standing cohorts", sql: STANDING_COHORTS },
  { version: 21, name: "nodes and permits", sql: NODES },
  { version: 22, name: "storage commitment", sql: COMMITMENTS },
  { version: 23, name: "what archives say of studies sent unasked", sql: INTAKE_EXPECTED },
  { version: 24, name: "counters of what rests", sql: RESTING_COUNTERS, needsAllStopped: true },
  { version: 25, name: "studies held by nodes", sql: HELD_JOBS },
  { version: 26, name: "archives that asked to be left alone", sql: SPARED_ARCHIVES },
  { version: 27, name: "places of withdrawn patients", sql: WITHDRAWN_PLACES },
  { version: 28, name: "nodes that were given up", sql: FORGOTTEN_NODES },
  // A row that changes is put into every index anew here, whatever these leave out.
  { version: 29, name: "indexes of what rests", sql: "" },
  { version: 30, name: "scanners: content types of files", sql: SCAN_CONTENT_TYPES },
  // A change that is moved costs no more than one that is added here.
  { version: 31, name: "changes of jobs as they come", sql: "" },
];

/** Of the newest migration here. */
export const KNOWN_VERSION = newestOf(migrations);

function newestOf(known: readonly Migration[]): number {
  return known.at(-1)?.version ?? 0;
}

/**
 * Brings the database to this version, in one transaction: all of it or nothing. Writes nothing when there is nothing to do.
 * @param last done within the transaction, when there is something to do
 * @param known of this version
 * @throws GatewayError STORE_NOT_OURS, STORE_HALF_MOVED, STORE_SCHEMA_NEWER, STORE_UPGRADE_BLOCKED, STORE_SERVER_UNSUPPORTED; what the server answers
 */
export async function migrate(
  client: ClientBase,
  nowMs: number,
  last?: () => Promise<void>,
  known: readonly Migration[] = migrations,
): Promise<void> {
  await checkServer(client);
  if ((await appliedVersion(client, known)) === newestOf(known)) return;
  await client.query("BEGIN");
  try {
    await applyMigrations(client, nowMs, known);
    await last?.();
    await client.query("COMMIT");
  } catch (thrown) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw thrown;
  }
}

/** Within a transaction of the caller's, which is never committed. @throws GatewayError as `migrate` */
export async function rehearseMigration(client: ClientBase, nowMs: number): Promise<void> {
  await checkServer(client);
  if ((await appliedVersion(client)) !== KNOWN_VERSION) await applyMigrations(client, nowMs);
}

async function applyMigrations(client: ClientBase, nowMs: number, known = migrations): Promise<void> {
  await client.query(`SET LOCAL statement_timeout = ${MIGRATION_TIMEOUT_MS}; SET LOCAL lock_timeout = 0`);
  await client.query("SELECT pg_advisory_xact_lock($1, 0)", [LOCKS.migrations]);
  const applied = await appliedVersion(client, known);
  const pending = known.filter(({ version }) => version > (applied ?? 0));
  if (applied === undefined) await client.query(MARK);
  else if (pending.some(({ needsAllStopped }) => needsAllStopped)) await checkAllStopped(client);
  await client.query(preparedText("createSchemaMigrations", false).text);
  for (const { version, name, sql } of pending) {
    // Compared byte by byte, as in SQLite and whatever the database's own order is.
    await client.query(sql.replaceAll(/\bTEXT\b/g, 'TEXT COLLATE "C"'));
    await client.query(preparedText("recordMigration", false).text, [version, name, nowMs]);
  }
}

/** @throws GatewayError STORE_UPGRADE_BLOCKED */
async function checkAllStopped(client: ClientBase): Promise<void> {
  const { rows: tables } = await client.query("SELECT to_regclass('nodes') IS NOT NULL AS there");
  if (tables[0]?.there !== true) return;
  const { rows } = await client.query(
    "SELECT name FROM nodes WHERE seen_at > extract(epoch FROM clock_timestamp()) * 1000 - $1",
    [SILENT_MS],
  );
  const nodes = rows.map(({ name }) => String(name)).join(" ");
  if (rows.length > 0) throw new GatewayError("STORE_UPGRADE_BLOCKED", { nodes });
}

/** @throws GatewayError STORE_SERVER_UNSUPPORTED */
export function checkVersion(product: string, version: number): void {
  if (!product.startsWith("PostgreSQL ") || version < OLDEST_SERVER)
    throw new GatewayError("STORE_SERVER_UNSUPPORTED", { version, oldest: OLDEST_SERVER });
}

async function checkServer(client: ClientBase): Promise<void> {
  const { rows } = await client.query(
    "SELECT version() AS product, current_setting('server_version_num')::INT AS version",
  );
  checkVersion(String(rows[0]?.product), Number(rows[0]?.version));
}

/** There is nothing in the schema at all. @throws GatewayError STORE_NOT_EMPTY, STORE_NOT_OURS, STORE_SERVER_UNSUPPORTED */
export async function checkEmpty(client: ClientBase): Promise<void> {
  await checkServer(client);
  if ((await appliedVersion(client)) !== undefined) throw new GatewayError("STORE_NOT_EMPTY");
}

/** Undefined: there is nothing in the schema at all. @throws GatewayError STORE_NOT_OURS, STORE_HALF_MOVED, STORE_SCHEMA_NEWER */
async function appliedVersion(client: ClientBase, known = migrations): Promise<number | undefined> {
  const { rows } = await client.query(
    `SELECT count(*) AS tables, count(*) FILTER (WHERE tablename = 'radferry_store') AS ours,
            count(*) FILTER (WHERE tablename = '${HALF_MOVED_TABLE}') AS moving
       FROM pg_tables WHERE schemaname = current_schema()`,
  );
  if (Number(rows[0]?.tables) === 0) return undefined;
  if (Number(rows[0]?.ours) === 0) throw new GatewayError("STORE_NOT_OURS");
  if (Number(rows[0]?.moving) > 0) throw new GatewayError("STORE_HALF_MOVED");
  const applied = Number((await client.query(preparedText("schemaVersion", false).text)).rows[0]?.version ?? 0);
  if (applied > newestOf(known))
    throw new GatewayError("STORE_SCHEMA_NEWER", { version: applied, known: newestOf(known) });
  return applied;
}
