import { chmodSync, closeSync, constants, copyFileSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { GatewayError } from "../../errors/gateway-error.ts";
import { type AuditHead, verifyAuditTrail } from "../audit-chain.ts";
import type { BackupFacts } from "../backup.ts";
import { auditHeads, auditRecords } from "../sql/audit.ts";
import { createAuditWitness } from "../sql/audit-witness.ts";
import { factsOf } from "./backup.ts";
import { asStoreError } from "./database.ts";
import { APPLICATION_ID, KNOWN_VERSION } from "./schema.ts";
import { openSession } from "./session.ts";

/**
 * Puts a backup in the place of a store that is not there; nothing is there unless all of it was found sound.
 * @throws GatewayError STORE_NOT_OURS, BACKUP_NOT_WHOLE, STORE_SCHEMA_NEWER, STORE_DAMAGED, AUDIT_TRAIL_BROKEN, STORE_FULL, STORE_UNAVAILABLE
 */
export async function restoreStore(from: string, path: string): Promise<BackupFacts> {
  const growing = `${path}.restoring`;
  try {
    copyFileSync(from, growing, constants.COPYFILE_EXCL);
    chmodSync(growing, 0o600);
    const { facts, witnessed } = await checked(growing);
    sync(growing);
    if (witnessed !== undefined) createAuditWitness(path).write(witnessed);
    renameSync(growing, path);
    return facts;
  } catch (thrown) {
    rmSync(growing, { force: true });
    throw asStoreError(thrown);
  }
}

/** The same looks at a backup, which stays as it is. @throws GatewayError as `restoreStore` */
export async function checkBackup(file: string): Promise<BackupFacts> {
  try {
    return (await checked(file, { isRehearsal: true })).facts;
  } catch (thrown) {
    throw asStoreError(thrown);
  }
}

interface Checked {
  readonly facts: BackupFacts;
  readonly witnessed: AuditHead | undefined;
}

async function checked(path: string, { isRehearsal = false } = {}): Promise<Checked> {
  using database = new DatabaseSync(path, { readOnly: isRehearsal });
  const { application_id: id } = database.prepare("PRAGMA application_id").get() ?? {};
  if (id !== APPLICATION_ID) throw new GatewayError("STORE_NOT_OURS");
  if (database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'backup_facts'").get() === undefined)
    throw new GatewayError("BACKUP_NOT_WHOLE");
  const kept = database.prepare("SELECT audit_count AS count, audit_hash AS hash FROM backup_facts").get();
  if (kept === undefined) throw new GatewayError("BACKUP_NOT_WHOLE");
  const facts = factsOf(database);
  if (facts.schemaVersion > KNOWN_VERSION)
    throw new GatewayError("STORE_SCHEMA_NEWER", { version: facts.schemaVersion, known: KNOWN_VERSION });
  const [verdict] = database.prepare("PRAGMA integrity_check(1)").all();
  if (verdict?.integrity_check !== "ok" || database.prepare("PRAGMA foreign_key_check").get() !== undefined)
    throw new GatewayError("STORE_DAMAGED");
  const witnessed = kept.count === null ? undefined : { count: Number(kept.count), hash: String(kept.hash) };
  await checkAudit(database, path, witnessed);
  if (!isRehearsal) database.exec("PRAGMA synchronous = FULL; DROP TABLE backup_facts");
  return { facts, witnessed };
}

async function checkAudit(database: DatabaseSync, path: string, witnessed: AuditHead | undefined): Promise<void> {
  const session = openSession(database, path);
  const rows = (await auditHeads(session)).filter(({ where }) => where === "row");
  const file = witnessed === undefined ? [] : [{ where: "file", mayBeBehind: true, ...witnessed } as const];
  const page = (after: number, limit: number) => auditRecords(session, { after, limit });
  const { findings } = await verifyAuditTrail(page, [...rows, ...file]);
  const [first] = findings;
  if (first !== undefined)
    throw new GatewayError("AUDIT_TRAIL_BROKEN", { record: first.number, problem: first.problem });
}

function sync(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
