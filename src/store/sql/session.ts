import type { NewRequest } from "../records.ts";
import type { AuditWitness } from "./audit-witness.ts";
import type { statements } from "./statements.ts";

export type StatementName = keyof typeof statements;

/** What a statement's named parameters are bound to. `undefined` is NULL. */
export type Parameters = Readonly<Record<string, string | number | bigint | boolean | null | undefined | Uint8Array>>;

/** One row, by the names its statement gives the columns. */
export type Row = Readonly<Record<string, unknown>>;

/** At once from a database of this thread, later from a server. */
type Answer<T> = T | Promise<T>;

/** Rows of a cohort of which no key is known, in order; each becomes a job. */
export interface NewRows {
  readonly cohortNo: number;
  readonly project: string;
  readonly nowMs: number;
  /** Later than now; absent: at once. */
  readonly startAtMs: number | undefined;
  readonly requests: readonly NewRequest[];
}

/** The named statements over one connection, within one transaction: whatever the database. */
export interface Session {
  readonly auditWitness: AuditWitness;
  /** Up to when this transaction has woken jobs already; undefined when it begins. */
  wokenUntilMs: number | undefined;
  get(name: StatementName, parameters?: Parameters): Answer<Row | undefined>;
  all(name: StatementName, parameters?: Parameters): Answer<readonly Row[]>;
  /** Rows of a cohort that make jobs of their own, all at once: where each statement is a round trip. Absent: one by one. */
  readonly insertTogether?: (rows: NewRows) => Promise<void>;
  /** The number of rows that changed. */
  run(name: StatementName, parameters?: Parameters): Answer<number>;
}
