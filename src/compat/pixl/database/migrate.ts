import type { Database } from "./connection.ts";
import { BASE, HEAD, placeOf, REVISIONS, type Revision } from "./revisions.ts";

export interface MigrationReport {
  /** alembic's identifiers; undefined: none yet. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** Steps taken, in their order. */
  readonly steps: readonly string[];
}

/** Of any program that migrates this schema: two at once wait for each other. */
const LOCK = "SELECT pg_advisory_xact_lock(7042, 1)";
/** As alembic makes it. */
const CREATE_VERSION_TABLE = `
  CREATE TABLE IF NOT EXISTS pixl_pipeline.alembic_version (
    version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
  )`;

/** The revision a database is at; undefined when PIXL's schema is not there, or empty. */
export async function currentRevision(database: Database): Promise<string | undefined> {
  const [table] = await database.query("SELECT to_regclass('pixl_pipeline.alembic_version') IS NOT NULL AS exists");
  if (table?.exists !== true) return undefined;
  const [row] = await database.query("SELECT version_num FROM pixl_pipeline.alembic_version");
  return row === undefined ? undefined : String(row.version_num);
}

/**
 * Brings the schema up to a revision in one transaction; a failure leaves the database as it was.
 * @param target a revision, or `head`
 * @throws GatewayError PIXL_DATABASE_REVISION_UNKNOWN, PIXL_DATABASE_REFUSED, PIXL_DATABASE_UNAVAILABLE
 */
export function upgrade(database: Database, target = "head"): Promise<MigrationReport> {
  return database.transaction(async () => {
    const from = await lockedRevision(database);
    const [at, to] = [placeOf(from), placeOf(target === "head" ? HEAD : target)];
    const steps = REVISIONS.slice(at, to);
    for (const step of steps) await apply(database, step.upgrade, step.revision);
    return report(from, at + steps.length, steps);
  });
}

/**
 * Takes steps back in one transaction. Columns and tables go with what they hold.
 * @param target a revision, `base`, or `-1` and so on for so many steps
 * @throws as `upgrade`
 */
export function downgrade(database: Database, target: string): Promise<MigrationReport> {
  return database.transaction(async () => {
    const from = await lockedRevision(database);
    const at = placeOf(from);
    const to = /^-[1-9]$/.test(target)
      ? Math.max(0, at + Number(target))
      : placeOf(target === BASE ? undefined : target);
    const steps = REVISIONS.slice(to, at).reverse();
    for (const step of steps) await apply(database, step.downgrade, step.before);
    return report(from, at - steps.length, steps);
  });
}

async function lockedRevision(database: Database): Promise<string | undefined> {
  await database.query(LOCK);
  // Asking first: to make a schema that is there needs a right that PIXL's user need not have.
  const [schema] = await database.query("SELECT to_regnamespace('pixl_pipeline') IS NOT NULL AS exists");
  if (schema?.exists !== true) await database.query("CREATE SCHEMA pixl_pipeline");
  await database.query(CREATE_VERSION_TABLE);
  return await currentRevision(database);
}

async function apply(database: Database, sql: string, revision: string | undefined): Promise<void> {
  await database.query(sql);
  await database.query("DELETE FROM pixl_pipeline.alembic_version");
  if (revision === undefined) return;
  await database.query("INSERT INTO pixl_pipeline.alembic_version (version_num) VALUES ($1)", [revision]);
}

function report(from: string | undefined, place: number, steps: readonly Revision[]): MigrationReport {
  return { from, to: REVISIONS[place - 1]?.revision, steps: steps.map(({ revision }) => revision) };
}
