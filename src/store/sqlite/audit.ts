import type { AuditEvent } from "../../units/audit.ts";
import { type AuditHead, type AuditRecord, EMPTY_TRAIL, type KeptAuditHead, nextAuditRecord } from "../audit-chain.ts";
import type { Session } from "./session.ts";

/** Part of whatever transaction it is called in. */
export function appendAudit(session: Session, event: AuditEvent, nowMs: number): void {
  const { number, ...record } = nextAuditRecord(auditHead(session) ?? EMPTY_TRAIL, event, nowMs);
  session.run("insertAuditRecord", { number, ...record });
  session.run("setAuditHead", { count: number, hash: record.hash });
  session.auditWitness.isBehind = true;
}

/** After a commit. A file that the trail contradicts stays as it is: it is the evidence that records were taken away. */
export function renewWitness(session: Session): void {
  const { auditWitness } = session;
  if (!auditWitness.isBehind) return;
  const head = auditHead(session);
  const witnessed = auditWitness.read();
  if (head === undefined || (witnessed !== undefined && !holds(session, witnessed))) return;
  auditWitness.write(head);
}

function holds(session: Session, { count, hash }: AuditHead): boolean {
  return auditRecords(session, { after: count - 1, limit: 1 })[0]?.hash === hash;
}

function auditHead(session: Session): AuditHead | undefined {
  const row = session.get("auditHead");
  return row === undefined ? undefined : { count: Number(row.count), hash: String(row.hash) };
}

export function auditRecords(
  session: Session,
  page: { readonly after: number; readonly limit: number },
): readonly AuditRecord[] {
  return session.all("auditRecords", page).map(({ number, record, previousHash, hash }) => ({
    number: Number(number),
    record: String(record),
    previousHash: String(previousHash),
    hash: String(hash),
  }));
}

/** See `Store.auditHeads`. A row that went says that there is no record. */
export function auditHeads(session: Session): readonly KeptAuditHead[] {
  const witnessed = session.auditWitness.read();
  return [
    { where: "row", mayBeBehind: false, ...(auditHead(session) ?? EMPTY_TRAIL) },
    { where: "file", mayBeBehind: true, ...(witnessed ?? { ...EMPTY_TRAIL, isMissing: true }) },
  ];
}
