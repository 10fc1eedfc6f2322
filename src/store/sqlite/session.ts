import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { GatewayError } from "../../errors/gateway-error.ts";
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
  const prepared = new Map<OwnStatementName, Prepared>();
  const preparedOf = (name: OwnStatementName): Prepared => {
    const known = prepared.get(name);
    if (known !== undefined) return known;
    const { text, names } = numbered(texts[name]);
    const made = { statement: database.prepare(text), names };
    prepared.set(name, made);
    return made;
  };
  return {
    database,
    auditWitness: createAuditWitness(path),
    wokenUntilMs: undefined,
    get(name, parameters = {}) {
      const { statement, names } = preparedOf(name);
      return statement.get(...bind(names, parameters));
    },
    all(name, parameters = {}) {
      const { statement, names } = preparedOf(name);
      return statement.all(...bind(names, parameters));
    },
    run(name, parameters = {}) {
      const { statement, names } = preparedOf(name);
      return Number(statement.run(...bind(names, parameters)).changes);
    },
  };
}

interface Prepared {
  readonly statement: StatementSync;
  readonly names: readonly string[];
}

const PARAMETER = /:([a-zA-Z]\w*)/g;

/** Parameters by their numbers are bound several times faster than by their names. */
function numbered(statement: string): { readonly text: string; readonly names: readonly string[] } {
  const names: string[] = [];
  const text = statement.replaceAll(PARAMETER, (_, name: string) => {
    if (!names.includes(name)) names.push(name);
    return `?${names.indexOf(name) + 1}`;
  });
  return { text, names };
}

/** @throws GatewayError INTERNAL: a value that the statement has no place for */
function bind(names: readonly string[], parameters: Parameters): SQLInputValue[] {
  for (const name of Object.keys(parameters)) {
    if (!names.includes(name)) throw new GatewayError("INTERNAL", { what: "unknown parameter", name });
  }
  return names.map((name) => {
    const value = parameters[name];
    return typeof value === "boolean" ? Number(value) : (value ?? null);
  });
}
