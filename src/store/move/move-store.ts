import { createHash } from "node:crypto";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { AuditEvent } from "../../units/audit.ts";
import { type Clock, systemClock } from "../../units/clock.ts";
import { verifyAuditTrail } from "../audit-chain.ts";
import type { PostgresSettings } from "../postgres/connection.ts";
import { openSession as openTargetSession } from "../postgres/session.ts";
import { appendAudit, auditHeads, auditRecords, renewWitness } from "../sql/audit.ts";
import { createAuditWitness } from "../sql/audit-witness.ts";
import type { Session } from "../sql/session.ts";
import { openSession } from "../sqlite/session.ts";
import type { TableSum } from "./digest.ts";
import { type MoveSource, openMoveSource } from "./source.ts";
import type { MovedTable } from "./tables.ts";
import { type MoveTarget, openMoveTarget } from "./target.ts";

export interface MoveProgress {
  readonly table: string;
  readonly rows: number;
  readonly of: number;
}

export interface MoveOptions {
  /** The embedded store's file, and what the file of the audit trail's head is named after. */
  readonly path: string;
  readonly target: PostgresSettings;
  /** What the trail of the moved store says of it. */
  readonly audit: AuditEvent;
  readonly clock?: Clock;
  readonly onProgress?: (progress: MoveProgress) => void;
  readonly signal?: AbortSignal;
}

export interface MovedTableFacts extends TableSum {
  readonly table: string;
}

/**
 * Moves the embedded store, which stays as it is, to an empty database. Broken off at any moment it goes on where it was when it is called
 * again; until all of it has arrived as it was nobody can work with the database.
 * @throws GatewayError STORE_NOT_OURS, STORE_NOT_EMPTY, STORE_HALF_MOVED, STORE_MOVE_DIFFERS, STORE_SCHEMA_…, AUDIT_TRAIL_BROKEN, STORE_…
 */
export async function moveStore(options: MoveOptions): Promise<readonly MovedTableFacts[]> {
  const { path, clock = systemClock, onProgress = () => undefined, signal } = options;
  using source = openMoveSource(path);
  await using target = await openMoveTarget(options.target);
  const sums = sumsOf(source);
  await look(source, target, path, sums);
  await target.begin(fingerprintOf(sums), source.tables, clock.nowMs());
  for (const table of source.tables) {
    const of = sums.get(table.name)?.rows ?? 0;
    for await (const rows of movedRows(source, target, table, signal)) onProgress({ table: table.name, rows, of });
  }
  await compare(target, source.tables, sums);
  await target.setNumbers(new Map(source.tables.map((table) => [table.name, source.highestNumber(table)])));
  const session = openTargetSession(target.client, createAuditWitness(path), true);
  await checkAudit(session);
  await target.finish(source.tables, () => appendAudit(session, options.audit, clock.nowMs()));
  await renewWitness(session);
  return factsOf(sums);
}

/** What would be moved, changing nothing. @throws GatewayError as `moveStore` */
export async function rehearseMove({
  path,
  target: settings,
}: Pick<MoveOptions, "path" | "target">): Promise<readonly MovedTableFacts[]> {
  using source = openMoveSource(path);
  await using target = await openMoveTarget(settings);
  const sums = sumsOf(source);
  await look(source, target, path, sums);
  return factsOf(sums);
}

/** A trail that is broken already would be found broken only after everything was sent. */
async function look(
  source: MoveSource,
  target: MoveTarget,
  path: string,
  sums: ReadonlyMap<string, TableSum>,
): Promise<void> {
  await target.look(fingerprintOf(sums));
  await checkAudit(openSession(source.database, path));
}

function sumsOf(source: MoveSource): ReadonlyMap<string, TableSum> {
  return new Map(source.tables.map((table) => [table.name, source.sum(table)]));
}

function fingerprintOf(sums: ReadonlyMap<string, TableSum>): string {
  return createHash("sha256")
    .update(JSON.stringify([...sums]))
    .digest("hex");
}

function factsOf(sums: ReadonlyMap<string, TableSum>): readonly MovedTableFacts[] {
  return [...sums].map(([table, sum]) => ({ table, ...sum }));
}

async function* movedRows(
  source: MoveSource,
  target: MoveTarget,
  table: MovedTable,
  signal: AbortSignal | undefined,
): AsyncGenerator<number> {
  let { rows, after } = await target.progress(table);
  for (;;) {
    signal?.throwIfAborted();
    const batch = source.batch(table, after);
    if (batch === undefined) return;
    rows += batch.rows.length;
    await target.insert(table, batch, rows);
    after = batch.last;
    yield rows;
  }
}

/** @throws GatewayError STORE_MOVE_DIFFERS */
async function compare(
  target: MoveTarget,
  tables: readonly MovedTable[],
  sums: ReadonlyMap<string, TableSum>,
): Promise<void> {
  for (const table of tables) {
    const [sent, arrived] = [sums.get(table.name), await target.sum(table)];
    if (sent?.rows !== arrived.rows || sent.sha256 !== arrived.sha256)
      throw new GatewayError("STORE_MOVE_DIFFERS", { table: table.name, sent: sent?.rows ?? 0, arrived: arrived.rows });
  }
}

/** @throws GatewayError AUDIT_TRAIL_BROKEN */
async function checkAudit(session: Session): Promise<void> {
  const page = (after: number, limit: number) => auditRecords(session, { after, limit });
  const { findings } = await verifyAuditTrail(page, await auditHeads(session));
  const [first] = findings;
  if (first !== undefined)
    throw new GatewayError("AUDIT_TRAIL_BROKEN", { record: first.number, problem: first.problem });
}
