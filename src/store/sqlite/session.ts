import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { type AuditWitness, createAuditWitness } from "./audit-witness.ts";
import { statements } from "./statements.ts";

export type StatementName = keyof typeof statements;
type Parameters = Readonly<Record<string, SQLInputValue | undefined | boolean>>;

/** One row as SQLite gives it. */
export type Row = Readonly<Record<string, unknown>>;

/** The named statements over one database, each prepared once. `undefined` becomes NULL, a boolean 0 or 1. */
export interface Session {
  readonly database: DatabaseSync;
  readonly auditWitness: AuditWitness;
  get(name: StatementName, parameters?: Parameters): Row | undefined;
  all(name: StatementName, parameters?: Parameters): readonly Row[];
  /** The number of rows that changed. */
  run(name: StatementName, parameters?: Parameters): number;
}

/** @param path of the database's file */
export function openSession(database: DatabaseSync, path: string): Session {
  const prepared = new Map<StatementName, StatementSync>();
  const statement = (name: StatementName): StatementSync => {
    const known = prepared.get(name);
    if (known !== undefined) return known;
    const made = database.prepare(statements[name]);
    made.setAllowUnknownNamedParameters(false);
    prepared.set(name, made);
    return made;
  };
  return {
    database,
    auditWitness: createAuditWitness(path),
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
