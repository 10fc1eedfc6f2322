import { createHash } from "node:crypto";
import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import { GatewayError } from "../../errors/gateway-error.ts";
import { asStoreError } from "../sqlite/database.ts";
import { APPLICATION_ID, KNOWN_VERSION } from "../sqlite/schema.ts";
import { type Cell, rowDigest, type TableSum } from "./digest.ts";
import { columnNames, type MovedTable, quoted, tablesOf } from "./tables.ts";

export type Value = SQLOutputValue;

/** Rows of one table that go in one transaction. */
export interface Batch {
  readonly rows: readonly (readonly Value[])[];
  /** The primary key of the last one. */
  readonly last: readonly Value[];
}

/** The embedded store, which is read and never written. */
export interface MoveSource extends Disposable {
  readonly database: DatabaseSync;
  readonly tables: readonly MovedTable[];
  sum(table: MovedTable): TableSum;
  /** What comes after a key; undefined: from the beginning. Answers nothing at the end. */
  batch(table: MovedTable, after: readonly Value[] | undefined): Batch | undefined;
  /** The highest number that was ever given in a table whose numbers are never used twice. */
  highestNumber(table: MovedTable): number;
}

const ROWS_IN_BATCH = 500;
const BYTES_IN_BATCH = 4 << 20;

/** The target keeps each job's last change alone: this connection sees these in the place of all. */
const LAST_CHANGES = `
  PRAGMA temp_store = MEMORY;
  CREATE TEMPORARY TABLE job_changes (change_no INTEGER PRIMARY KEY, job_no INTEGER NOT NULL) STRICT;
  INSERT INTO temp.job_changes SELECT max(change_no), job_no FROM main.job_changes GROUP BY job_no`;

/** @throws GatewayError STORE_NOT_OURS, STORE_SCHEMA_NEWER, STORE_SCHEMA_OLDER, STORE_UNAVAILABLE, STORE_DAMAGED */
export function openMoveSource(path: string): MoveSource {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    check(database);
    database.exec(LAST_CHANGES);
    // One state of it from the first row to the last.
    database.exec("BEGIN");
    return sourceOf(database);
  } catch (thrown) {
    database?.close();
    throw asStoreError(thrown);
  }
}

function check(database: DatabaseSync): void {
  const { application_id: id } = database.prepare("PRAGMA application_id").get() ?? {};
  if (id !== APPLICATION_ID) throw new GatewayError("STORE_NOT_OURS");
  const version = Number(database.prepare("SELECT max(version) AS version FROM schema_migrations").get()?.version);
  const details = { version, known: KNOWN_VERSION };
  if (version > KNOWN_VERSION) throw new GatewayError("STORE_SCHEMA_NEWER", details);
  if (version < KNOWN_VERSION) throw new GatewayError("STORE_SCHEMA_OLDER", details);
}

function sourceOf(database: DatabaseSync): MoveSource {
  const tables = tablesOf(database);
  return {
    database,
    tables,
    sum(table) {
      const digest = rowDigest();
      for (const row of rowsAfter(database, table, undefined)) digest.add(row.map(cellOf));
      return digest.sum();
    },
    batch: (table, after) => batchOf(table, rowsAfter(database, table, after)),
    highestNumber({ name, key: [only = "", ...more] }) {
      const given = hasSequences(database)
        ? database.prepare("SELECT seq FROM sqlite_sequence WHERE name = ?").get(name)?.seq
        : undefined;
      const there = more.length > 0 ? 0 : database.prepare(`SELECT max("${only}") AS last FROM "${name}"`).get()?.last;
      return Math.max(Number(given ?? 0), typeof there === "number" ? there : 0);
    },
    [Symbol.dispose]: () => database.close(),
  };
}

function hasSequences(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").get() !== undefined;
}

function* rowsAfter(
  database: DatabaseSync,
  table: MovedTable,
  after: readonly Value[] | undefined,
): Generator<readonly Value[]> {
  const names = columnNames(table);
  const from = after === undefined ? "" : `WHERE (${quoted(table.key)}) > (${after.map(() => "?").join(", ")})`;
  const text = `SELECT ${quoted(names)} FROM "${table.name}" ${from} ORDER BY ${quoted(table.key)}`;
  for (const row of database.prepare(text).iterate(...(after ?? []))) yield names.map((name) => row[name] ?? null);
}

function batchOf(table: MovedTable, following: Iterable<readonly Value[]>): Batch | undefined {
  const rows: (readonly Value[])[] = [];
  let sizeBytes = 0;
  for (const row of following) {
    rows.push(row);
    for (const value of row) sizeBytes += sizeOf(value);
    if (rows.length >= ROWS_IN_BATCH || sizeBytes >= BYTES_IN_BATCH) break;
  }
  const last = rows.at(-1);
  if (last === undefined) return undefined;
  const names = columnNames(table);
  return { rows, last: table.key.map((name) => last[names.indexOf(name)] ?? null) };
}

function sizeOf(value: Value): number {
  return typeof value === "string" || value instanceof Uint8Array ? value.length : 8;
}

function cellOf(value: Value): Cell {
  if (value instanceof Uint8Array) return createHash("sha256").update(value).digest("hex");
  return typeof value === "bigint" ? Number(value) : value;
}
