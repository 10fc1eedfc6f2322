import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { openSqliteStore } from "./open.ts";
import { APPLICATION_ID, migrations } from "./schema.ts";

/** Empty tables as a version left them behind. */
function databaseOf(path: string, version: number): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec(
    "CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL)",
  );
  const record = database.prepare("INSERT INTO schema_migrations VALUES (?, ?, 0)");
  for (const migration of migrations.filter((each) => each.version <= version)) {
    database.exec(migration.sql);
    record.run(migration.version, migration.name);
  }
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  return database;
}

const job = (id: string): string =>
  `INSERT INTO study_jobs (id, project, priority, stage, state, created_at) VALUES ('${id}', 'lung', 3, 'locating', 'queued', 0);`;

it("keeps the number of each job's last change when changes are added and no more moved", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "radferry.db");
  {
    using database = databaseOf(path, 30);
    database.exec(`${job("first")}${job("second")}${job("third")}`);
    database.exec("UPDATE study_jobs SET state = 'failed', code = 'CANCELLED' WHERE id = 'first'");
    // The job of the last change is gone: its number is not given again.
    database.exec(
      "UPDATE study_jobs SET state = 'failed' WHERE id = 'third'; DELETE FROM study_jobs WHERE id = 'third'",
    );
  }
  await using store = await openSqliteStore({ path });
  expect(await store.jobChanges({ after: 0, limit: 9 })).toMatchObject({
    changes: [
      { number: 2, job: { id: "second", state: "queued" } },
      { number: 4, job: { id: "first", state: "failed" } },
    ],
    last: 5,
  });
  await store.claim("one", 60_000, 1);
  expect(await store.jobChanges({ after: 5, limit: 9 })).toMatchObject({
    changes: [{ number: 6, job: { id: "second", state: "running" } }],
    last: 6,
  });
});
