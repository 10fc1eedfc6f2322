import type { ClientBase } from "pg";
import type { AuditWitness } from "../sql/audit-witness.ts";
import { listText } from "../sql/join.ts";
import { keyOf, newJobId } from "../sql/names.ts";
import type { NewRows, Parameters, Row, Session } from "../sql/session.ts";
import { statements } from "../sql/statements.ts";
import { asStoreError } from "./errors.ts";
import { type SqlText, toPostgres } from "./sql-text.ts";
import { HOLDING, type OwnStatementName, overrides, ownStatements } from "./statements.ts";

/** A session whose answers come from a server. `undefined` becomes NULL, a boolean 0 or 1; each statement is prepared once for a connection. */
export interface PostgresSession extends Session {
  get(name: OwnStatementName, parameters?: Parameters): Promise<Row | undefined>;
  all(name: OwnStatementName, parameters?: Parameters): Promise<readonly Row[]>;
  run(name: OwnStatementName, parameters?: Parameters): Promise<number>;
}

const texts: Readonly<Record<OwnStatementName, string>> = { ...statements, ...overrides, ...ownStatements };
const translated = new Map<string, SqlText>();

/** A statement as it is told; one that holds rows has a name of its own. */
export function preparedText(name: OwnStatementName, isWriting: boolean): SqlText & { readonly name: string } {
  const holds = isWriting && HOLDING.has(name);
  const key = holds ? `${name} for update` : name;
  const known = translated.get(key) ?? toPostgres(holds ? `${texts[name]} FOR NO KEY UPDATE` : texts[name]);
  translated.set(key, known);
  return { ...known, name: key };
}

/** @param isWriting within a transaction that writes */
export function openSession(client: ClientBase, auditWitness: AuditWitness, isWriting: boolean): PostgresSession {
  const ask = async (name: OwnStatementName, parameters: Parameters) => {
    const { text, names, name: prepared } = preparedText(name, isWriting);
    const values = names.map((parameter) => bind(parameters[parameter]));
    try {
      return await client.query<Row>({ name: prepared, text, values });
    } catch (thrown) {
      throw asStoreError(thrown);
    }
  };
  return {
    auditWitness,
    wokenUntilMs: undefined,
    async insertTogether(rows) {
      await ask("insertTogether", newRows(rows));
    },
    get: async (name, parameters = {}) => (await ask(name, parameters)).rows[0],
    all: async (name, parameters = {}) => (await ask(name, parameters)).rows,
    run: async (name, parameters = {}) => (await ask(name, parameters)).rowCount ?? 0,
  };
}

function bind(value: Parameters[string]): unknown {
  // No text of the server's holds a NUL, and peers write some. https://www.postgresql.org/docs/15/datatype-character.html
  if (typeof value === "string" && value.includes("\0")) return value.replaceAll("\0", "\ufffd");
  return typeof value === "boolean" ? Number(value) : (value ?? null);
}

function newRows({ cohortNo, project, nowMs, startAtMs, requests }: NewRows): Parameters {
  const rows = requests.map((request) => ({
    row_number: request.rowNumber,
    id: newJobId(),
    key: keyOf(request),
    study_instance_uid: request.studyInstanceUid,
    patient_id: request.patientId,
    accession_number: request.accessionNumber,
    series_instance_uids: listText(request.seriesInstanceUids),
    participant_id: request.participantId,
    priority: request.priority,
    cells: JSON.stringify(request.cells),
  }));
  const isLater = startAtMs !== undefined;
  const state = { state: isLater ? "waiting" : "queued", code: isLater ? "START_SCHEDULED" : undefined, startAtMs };
  return { rows: JSON.stringify(rows), cohortNo, project, nowMs, ...state };
}
