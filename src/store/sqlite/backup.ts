import { DatabaseSync } from "node:sqlite";
import type { BackupFacts } from "../backup.ts";
import type { SqliteSession } from "./session.ts";

/** What a backup has besides: that it is whole, and the witness of its audit trail. */
const BACKUP_TABLE = `
  CREATE TABLE backup_facts (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1), audit_count INTEGER, audit_hash TEXT
  ) STRICT`;

/** See `Store.backUp`. Readers hold up nobody who writes: https://www.sqlite.org/wal.html 2.2 */
export function backUp(session: SqliteSession, path: string): BackupFacts {
  // Read first: it may be behind the trail of the copy, never ahead of it.
  const witnessed = session.auditWitness.read();
  session.database.prepare("VACUUM INTO ?").run(path);
  using copy = new DatabaseSync(path);
  const facts = factsOf(copy);
  copy.exec(`PRAGMA synchronous = FULL; BEGIN; ${BACKUP_TABLE}`);
  copy.prepare("INSERT INTO backup_facts VALUES (1, ?, ?)").run(witnessed?.count ?? null, witnessed?.hash ?? null);
  copy.exec("COMMIT");
  return facts;
}

export function factsOf(database: DatabaseSync): BackupFacts {
  const one = (sql: string): number => Number(Object.values(database.prepare(sql).get() ?? {})[0] ?? 0);
  return {
    schemaVersion: one("SELECT max(version) FROM schema_migrations"),
    jobs: one("SELECT count(*) FROM study_jobs"),
    auditRecords: one("SELECT max(number) FROM audit_events"),
  };
}
