import { randomUUID } from "node:crypto";
import type { ErrorCode } from "../../errors/registry.ts";
import type { LeasedOutcome } from "../leased-work.ts";
import type { Row, Session, StatementName } from "./session.ts";

/** A row of work that one worker holds. */
interface RowLease {
  readonly id: string;
  readonly token: string;
}

export interface Term {
  readonly leaseMs: number;
  readonly nowMs: number;
  /** Whose the lease is, where several nodes share the store: told by the beginning of its token. */
  readonly node?: string | undefined;
}

/** How the tokens of a node begin. */
export function tokensOf(node: string): string {
  return `${node}/`;
}

/** @param of the columns that choose the row, by name */
export async function claimLeased(
  session: Session,
  statement: StatementName,
  of: Readonly<Record<string, string>>,
  { leaseMs, nowMs, node }: Term,
): Promise<{ readonly row: Row; readonly token: string } | undefined> {
  const token = `${node === undefined ? "" : tokensOf(node)}${randomUUID()}`;
  const row = await session.get(statement, { ...of, token, leaseUntil: nowMs + leaseMs, nowMs });
  return row === undefined ? undefined : { row, token };
}

/** False when the lease is no longer the worker's. */
export async function renewLeased(
  session: Session,
  statement: StatementName,
  { id, token }: RowLease,
  { leaseMs, nowMs }: Term,
  progress: string | undefined,
): Promise<boolean> {
  return (await session.run(statement, { id, token, leaseUntil: nowMs + leaseMs, progress })) === 1;
}

/** False when the lease is no longer the worker's. */
export async function settleLeased(
  session: Session,
  statement: StatementName,
  { id, token }: RowLease,
  outcome: LeasedOutcome,
  nowMs: number,
): Promise<boolean> {
  const { state, progress, attempts } = outcome;
  const changed = await session.run(statement, {
    id,
    token,
    state,
    progress,
    attempts,
    code: outcome.state === "done" ? undefined : outcome.code,
    dueAt: outcome.state === "waiting" ? outcome.dueAtMs : undefined,
    finishedAt: state === "waiting" ? undefined : nowMs,
  });
  return changed === 1;
}

/** What the records of messages and tasks have alike. */
export function leasedFacts(row: Row) {
  const optional = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  const time = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
  return {
    code: optional(row.code) as ErrorCode | undefined,
    progress: optional(row.progress),
    attempts: Number(row.attempts),
    waitingUntilMs: time(row.waitingUntilMs),
    finishedAtMs: time(row.finishedAtMs),
  };
}
