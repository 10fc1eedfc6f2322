import pg from "pg";
import { GatewayError } from "../../errors/gateway-error.ts";
import { connectionOf, type PostgresSettings } from "../postgres/connection.ts";
import { asStoreError } from "../postgres/errors.ts";
import { LOCKS } from "../postgres/locks.ts";
import { checkEmpty, HALF_MOVED_TABLE, KNOWN_VERSION, migrate } from "../postgres/schema.ts";
import { type Cell, rowDigest, type TableSum } from "./digest.ts";
import type { Batch, Value } from "./source.ts";
import { type ColumnType, columnNames, type MovedTable, quoted } from "./tables.ts";

/** How far a table has come. */
export interface Progress {
  readonly rows: number;
  /** The primary key of the last row that is there; undefined before the first. */
  readonly after: readonly Value[] | undefined;
}

/** A database on a server that a store is being moved to. While it holds the marker nobody serves from it. */
export interface MoveTarget extends AsyncDisposable {
  readonly client: pg.ClientBase;
  /**
   * Makes the tables, empty, with the marker, all or nothing; or finds them from a move of the same source that was broken off.
   * @param source what tells one source from another
   * @throws GatewayError STORE_NOT_EMPTY, STORE_NOT_OURS, STORE_HALF_MOVED
   */
  begin(source: string, tables: readonly MovedTable[], nowMs: number): Promise<void>;
  /** Whether a move may begin or go on, changing nothing. @throws GatewayError as `begin` */
  look(source: string): Promise<void>;
  progress(table: MovedTable): Promise<Progress>;
  /** Rows and how far they go, in one transaction. */
  insert(table: MovedTable, batch: Batch, rows: number): Promise<void>;
  sum(table: MovedTable): Promise<TableSum>;
  /** Numbers go on where the source's end. @param highest by table */
  setNumbers(highest: ReadonlyMap<string, number>): Promise<void>;
  /** Takes the marker away, with what `last` does, all or nothing. */
  finish(tables: readonly MovedTable[], last: (client: pg.ClientBase) => Promise<void>): Promise<void>;
}

const STATEMENT_TIMEOUT_MS = 600_000;
const PAGE = 500;

const TYPES: Readonly<Record<ColumnType, string>> = {
  INTEGER: "BIGINT",
  TEXT: "TEXT",
  BLOB: "BYTEA",
  REAL: "DOUBLE PRECISION",
};

/** Changes of jobs are numbered by a sequence that is no column's own. */
const OTHER_SEQUENCES: ReadonlyMap<string, string> = new Map([["job_changes", "job_change_numbers"]]);

const MARKER = `
  CREATE TABLE ${HALF_MOVED_TABLE} (
    name TEXT PRIMARY KEY, after_key TEXT, rows BIGINT NOT NULL, source TEXT NOT NULL, version BIGINT NOT NULL
  )`;

/** @throws GatewayError STORE_URL_INVALID, STORE_UNAVAILABLE, STORE_ACCESS_DENIED, STORE_HALF_MOVED when another process moves to it */
export async function openMoveTarget(settings: PostgresSettings): Promise<MoveTarget> {
  const client = new pg.Client(connectionOf({ ...settings, statementTimeoutMs: STATEMENT_TIMEOUT_MS }));
  // What is asked over a connection that is lost fails by itself.
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query("SELECT pg_try_advisory_lock($1, 0) AS held", [LOCKS.moving]);
    if (rows[0]?.held !== 1)
      throw new GatewayError("STORE_HALF_MOVED", { problem: "another process moves a store to it" });
  } catch (thrown) {
    await client.end().catch(() => undefined);
    throw asStoreError(thrown);
  }
  return targetOf(client);
}

function targetOf(client: pg.Client): MoveTarget {
  const ask = async (text: string, values: readonly unknown[] = []) => {
    try {
      return (await client.query(text, [...values])).rows;
    } catch (thrown) {
      throw asStoreError(thrown);
    }
  };
  const together = async (work: () => Promise<void>): Promise<void> => {
    await ask("BEGIN");
    try {
      await work();
      await ask("COMMIT");
    } catch (thrown) {
      await client.query("ROLLBACK").catch(() => undefined);
      throw asStoreError(thrown);
    }
  };
  return {
    client,
    async begin(source, tables, nowMs) {
      if (await isBegun(ask, source)) return;
      await checkEmpty(client);
      await migrate(client, nowMs, async () => {
        await ask(MARKER);
        for (const { name } of tables) {
          await ask(`INSERT INTO ${HALF_MOVED_TABLE} VALUES ($1, NULL, 0, $2, $3)`, [name, source, KNOWN_VERSION]);
          // What the triggers would count comes with the rows.
          await ask(`ALTER TABLE "${name}" DISABLE TRIGGER USER`);
        }
      }).catch((thrown: unknown) => {
        throw asStoreError(thrown);
      });
    },
    async look(source) {
      if (!(await isBegun(ask, source))) await checkEmpty(client);
    },
    async progress({ name }) {
      const [row] = await ask(`SELECT after_key, rows FROM ${HALF_MOVED_TABLE} WHERE name = $1`, [name]);
      const after: unknown = typeof row?.after_key === "string" ? JSON.parse(row.after_key) : undefined;
      return { rows: Number(row?.rows ?? 0), after: Array.isArray(after) ? after : undefined };
    },
    insert: (table, batch, rows) =>
      together(async () => {
        await ask(insertText(table), columnArrays(table, batch));
        await ask(`UPDATE ${HALF_MOVED_TABLE} SET after_key = $2, rows = $3 WHERE name = $1`, [
          table.name,
          JSON.stringify(batch.last),
          rows,
        ]);
      }),
    sum: (table) => sumOf(ask, table),
    setNumbers: (highest) => setNumbers(ask, highest),
    finish: (tables, last) =>
      together(async () => {
        for (const { name } of tables) await ask(`ALTER TABLE "${name}" ENABLE TRIGGER USER`);
        await last(client);
        await ask(`DROP TABLE ${HALF_MOVED_TABLE}`);
      }),
    [Symbol.asyncDispose]: () => client.end().catch(() => undefined),
  };
}

type Ask = (text: string, values?: readonly unknown[]) => Promise<readonly Readonly<Record<string, unknown>>[]>;

/** @throws GatewayError STORE_HALF_MOVED: of another source, or by another version */
async function isBegun(ask: Ask, source: string): Promise<boolean> {
  const [there] = await ask(
    "SELECT count(*) AS tables FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1",
    [HALF_MOVED_TABLE],
  );
  if (there?.tables !== 1) return false;
  const [begun] = await ask(`SELECT source, version FROM ${HALF_MOVED_TABLE} LIMIT 1`);
  if (begun?.version !== KNOWN_VERSION)
    throw new GatewayError("STORE_HALF_MOVED", {
      problem: "begun by another version",
      version: Number(begun?.version),
    });
  if (begun.source !== source)
    throw new GatewayError("STORE_HALF_MOVED", { problem: "of another store, or of this one before it changed" });
  return true;
}

function insertText(table: MovedTable): string {
  const arrays = table.columns.map(({ type }, index) => `$${index + 1}::${TYPES[type]}[]`);
  return `INSERT INTO "${table.name}" (${quoted(columnNames(table))}) SELECT * FROM unnest(${arrays.join(", ")})`;
}

function columnArrays(table: MovedTable, { rows }: Batch): readonly (readonly unknown[])[] {
  return table.columns.map((_, index) =>
    rows.map((row) => {
      const value = row[index];
      return value instanceof Uint8Array ? Buffer.from(value) : value;
    }),
  );
}

async function sumOf(ask: Ask, table: MovedTable): Promise<TableSum> {
  const digest = rowDigest();
  const { name, key, columns } = table;
  const places = key.map((column) => columnNames(table).indexOf(column));
  const told = columns.map(({ name: column, type }) =>
    type === "BLOB" ? `encode(sha256("${column}"), 'hex') AS "${column}"` : `"${column}"`,
  );
  const from = `WHERE (${quoted(key)}) > (${key.map((_, index) => `$${index + 1}`).join(", ")})`;
  const page = (condition: string) =>
    `SELECT ${told.join(", ")} FROM "${name}" ${condition} ORDER BY ${quoted(key)} LIMIT ${PAGE}`;
  let after: readonly Cell[] | undefined;
  for (;;) {
    const rows = await ask(page(after === undefined ? "" : from), after ?? []);
    for (const row of rows) {
      const cells = columns.map((column) => cellOf(row[column.name]));
      digest.add(cells);
      after = places.map((place) => cells[place] ?? null);
    }
    if (rows.length < PAGE) return digest.sum();
  }
}

function cellOf(value: unknown): Cell {
  return typeof value === "number" || typeof value === "string" ? value : null;
}

async function setNumbers(ask: Ask, highest: ReadonlyMap<string, number>): Promise<void> {
  const owned = await ask(`
    SELECT owner.relname AS name, sequence.relname AS sequence
      FROM pg_class AS sequence
      JOIN pg_depend ON pg_depend.objid = sequence.oid AND pg_depend.classid = 'pg_class'::regclass AND pg_depend.deptype = 'a'
      JOIN pg_class AS owner ON owner.oid = pg_depend.refobjid
     WHERE sequence.relkind = 'S' AND sequence.relnamespace = current_schema()::regnamespace`);
  const sequences = [...owned.map((row) => [String(row.name), String(row.sequence)] as const), ...OTHER_SEQUENCES];
  for (const [name, sequence] of sequences) {
    const number = highest.get(name) ?? 0;
    if (number > 0) await ask("SELECT setval(quote_ident($1)::regclass, $2)", [sequence, number]);
  }
}
