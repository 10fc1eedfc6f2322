import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { createAuditWitness } from "../sql/audit-witness.ts";
import type { Parameters, Row, Session, StatementName } from "../sql/session.ts";
import { statements } from "../sql/statements.ts";

/** What only SQLite is told. */
const ownStatements = {
  begin: "BEGIN IMMEDIATE",
  commit: "COMMIT",
  rollback: "ROLLBACK",
  beginCall: "SAVEPOINT one_call",
  keepCall: "RELEASE one_call",
  undoCall: "ROLLBACK TO one_call",
  emptyJournal: "PRAGMA wal_checkpoint(TRUNCATE)",
} as const;

type OwnStatementName = StatementName | keyof typeof ownStatements;

/** A session whose answers are there at once. `undefined` becomes NULL, a boolean 0 or 1; each statement is prepared once. */
export interface SqliteSession extends Session {
  readonly database: DatabaseSync;
  get(name: OwnStatementName, parameters?: Parameters): Row | undefined;
  all(name: OwnStatementName, parameters?: Parameters): readonly Row[];
  run(name: OwnStatementName, parameters?: Parameters): number;
}

/** @param path of the database's file */
export function openSession(database: DatabaseSync, path: string): SqliteSession {
  const texts = { ...statements, ...ownStatements };
  const prepared = new Map<OwnStatementName, StatementSync>();
  const statement = (name: OwnStatementName): StatementSync => {
    const known = prepared.get(name);
    if (known !== undefined) return known;
    const made = database.prepare(texts[name]);
    made.setAllowUnknownNamedParameters(false);
    prepared.set(name, made);
    return made;
  };
  return {
    database,
    auditWitness: createAuditWitness(path),
    wokenUntilMs: undefined,
    get: (name, parameters = {}) => statement(name).get(bind(parameters)),
    all: (name, parameters = {}) => statement(name).all(bind(parameters)),
    run: (name, parameters = {}) => Number(statement(name).run(bind(parameters)).changes),
  };
}

function bind(parameters: Parameters): Record<string, SQLInputValue> {
  const bound: Record<string, SQLInputValue> = {};
  for (const [name, value] of Object.entries(parameters)) {
    bound[name] = typeof value === "boolean" ? Number(value) : (value ?? null);
  }
  return bound;
}
