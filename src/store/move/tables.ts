import type { DatabaseSync } from "node:sqlite";

/** What a column holds, by SQLite's name; these are all that STRICT tables of the store use. */
export type ColumnType = "INTEGER" | "TEXT" | "BLOB" | "REAL";

export interface MovedColumn {
  readonly name: string;
  readonly type: ColumnType;
}

/** A table as it is moved: all of its columns, and its primary key, which it is read by in order. */
export interface MovedTable {
  readonly name: string;
  readonly columns: readonly MovedColumn[];
  readonly key: readonly string[];
}

const TYPES: readonly ColumnType[] = ["INTEGER", "TEXT", "BLOB", "REAL"];

/** Tells of the schema itself; the target has its own. */
const LEFT_OUT = "schema_migrations";

/** Every table of the store as its schema tells them: one that others refer to stands before them. */
export function tablesOf(database: DatabaseSync): readonly MovedTable[] {
  const names = database
    .prepare(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )
    .all()
    .map(({ name }) => String(name))
    .filter((name) => name !== LEFT_OUT);
  const ordered = new Set<string>();
  const add = (name: string): void => {
    if (ordered.has(name)) return;
    for (const referred of referredBy(database, name)) if (referred !== name) add(referred);
    ordered.add(name);
  };
  for (const name of names) add(name);
  return [...ordered].map((name) => tableOf(database, name));
}

function referredBy(database: DatabaseSync, table: string): readonly string[] {
  const rows = database.prepare('SELECT DISTINCT "table" AS name FROM pragma_foreign_key_list(?)').all(table);
  return rows.map(({ name }) => String(name));
}

function tableOf(database: DatabaseSync, name: string): MovedTable {
  const rows = database.prepare("SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid").all(name);
  const columns = rows.map((row) => ({ name: String(row.name), type: typeOf(row.type) }));
  const inKey = rows.filter(({ pk }) => Number(pk) > 0).sort((one, other) => Number(one.pk) - Number(other.pk));
  return { name, columns, key: inKey.map((row) => String(row.name)) };
}

function typeOf(declared: unknown): ColumnType {
  const type = TYPES.find((known) => known === declared);
  if (type === undefined) throw new TypeError(`a column of another type: ${String(declared)}`);
  return type;
}

/** Names in double quotes, which SQLite and PostgreSQL understand alike; one of them is called `user`. */
export function quoted(names: readonly string[], before = ""): string {
  return names.map((name) => `${before}"${name}"`).join(", ");
}

export function columnNames({ columns }: MovedTable): readonly string[] {
  return columns.map(({ name }) => name);
}
