import { chmodSync, copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { refusal, submit } from "../contract/support.testing.ts";
import { createAuditWitness } from "../sql/audit-witness.ts";
import { openSqliteStore } from "./open.ts";
import { checkBackup, restoreStore } from "./restore.ts";
import { KNOWN_VERSION } from "./schema.ts";

const event = {
  event: "settings-reloaded",
  actor: { name: "sam", kind: "command line", role: "admin" },
  outcome: "success",
} as const;

const opened = new AsyncDisposableStack();
/** Of a store with one study and three records. */
let backup = "";
let facts: unknown;
let folder = "";
beforeAll(async () => {
  const { path } = opened.use(await temporaryFolder());
  backup = join(path, "backup.db");
  await using store = await openSqliteStore({ path: join(path, "radferry.db") });
  await submit(store, [{ studyInstanceUid: "1.2.3" }]);
  for (const atMs of [1, 2, 3]) await store.appendAudit(event, atMs);
  facts = await store.backUp(backup);
});
beforeEach(async () => {
  folder = opened.use(await temporaryFolder()).path;
});
afterAll(() => opened.disposeAsync());

it("makes a store of it that is the owner's alone, and knows how far the trail went", async () => {
  const file = join(folder, "backup.db");
  copyFileSync(backup, file);
  chmodSync(file, 0o644);
  const path = join(folder, "radferry.db");
  expect(await restoreStore(file, path)).toEqual(facts);
  expect(facts).toEqual({ schemaVersion: KNOWN_VERSION, jobs: 1, auditRecords: 3 });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await using store = await openSqliteStore({ path });
  const [row, witnessed] = await store.auditHeads();
  expect(witnessed).toMatchObject({ where: "file", count: 3, hash: row?.hash });
  using database = new DatabaseSync(path, { readOnly: true });
  expect(database.prepare("SELECT name FROM sqlite_schema WHERE name = 'backup_facts'").all()).toEqual([]);
});

it("makes one of a store whose file of the trail's end was gone", async () => {
  const file = changed("UPDATE backup_facts SET audit_count = NULL, audit_hash = NULL");
  const path = join(folder, "radferry.db");
  await restoreStore(file, path);
  expect(createAuditWitness(path).read()).toBeUndefined();
});

it("looks at it and leaves every byte as it was", async () => {
  const file = join(folder, "backup.db");
  copyFileSync(backup, file);
  expect(await checkBackup(file)).toEqual(facts);
  expect(readFileSync(file).equals(readFileSync(backup))).toBe(true);
  expect(readdirSync(folder)).toEqual(["backup.db"]);
});

const LAST_RECORD_GONE = "DROP TRIGGER audit_event_removed; DELETE FROM audit_events WHERE number = 3;";
const ROW_TAKEN_BACK =
  "UPDATE audit_head SET count = 2, hash = (SELECT hash FROM audit_events WHERE number = 2) WHERE count = 3;";

it.each<readonly [string, ErrorCode, string]>([
  ["a copy that was not finished", "BACKUP_NOT_WHOLE", "DELETE FROM backup_facts"],
  [
    "one of the next version",
    "STORE_SCHEMA_NEWER",
    `INSERT INTO schema_migrations VALUES (${KNOWN_VERSION + 1}, '', 0)`,
  ],
  ["a trail without its end", "AUDIT_TRAIL_BROKEN", `${LAST_RECORD_GONE} UPDATE backup_facts SET audit_count = NULL`],
  [
    "a trail without its end, as the file beside the store tells",
    "AUDIT_TRAIL_BROKEN",
    `${LAST_RECORD_GONE} ${ROW_TAKEN_BACK}`,
  ],
])("refuses %s, and leaves nothing behind", async (_, code, sql) => {
  const file = changed(sql);
  const path = join(folder, "radferry.db");
  await expect(checkBackup(file)).rejects.toEqual(refusal(code));
  await expect(restoreStore(file, path)).rejects.toEqual(refusal(code));
  expect(readdirSync(folder)).toEqual(["changed.db"]);
});

it("refuses one of which the disk changed a byte", async () => {
  const file = join(folder, "changed.db");
  copyFileSync(backup, file);
  const bytes = readFileSync(file);
  const at = lastByteOf(file, "cohorts_by_project");
  bytes.writeUInt8((bytes[at] ?? 0) ^ 1, at);
  writeFileSync(file, bytes);
  await expect(checkBackup(file)).rejects.toEqual(refusal("STORE_DAMAGED"));
});

/** Where the only entry of an index ends. */
function lastByteOf(file: string, index: string): number {
  using database = new DatabaseSync(file, { readOnly: true });
  const { page_size: size } = database.prepare("PRAGMA page_size").get() ?? {};
  const { page } = database.prepare("SELECT rootpage AS page FROM sqlite_schema WHERE name = ?").get(index) ?? {};
  return Number(page) * Number(size) - 1;
}

/** A backup that somebody did something to. */
function changed(sql: string): string {
  const file = join(folder, "changed.db");
  copyFileSync(backup, file);
  using database = new DatabaseSync(file);
  database.exec(sql);
  return file;
}
