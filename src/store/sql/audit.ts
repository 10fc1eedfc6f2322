import type { AuditEvent } from "../../units/audit.ts";
import { type AuditHead, type AuditRecord, EMPTY_TRAIL, type KeptAuditHead, nextAuditRecord } from "../audit-chain.ts";
import type { Session } from "./session.ts";

/** Part of whatever transaction it is called in. */
export async function appendAudit(session: Session, event: AuditEvent, nowMs: number): Promise<void> {
  const { number, ...record } = nextAuditRecord((await auditHead(session)) ?? EMPTY_TRAIL, event, nowMs);
  await session.run("insertAuditRecord", { number, ...record });
  await session.run("setAuditHead", { count: number, hash: record.hash });
  session.auditWitness.isBehind = true;
}

/** After a commit. A file that the trail contradicts stays as it is: it is the evidence that records were taken away. */
export async function renewWitness(session: Session): Promise<void> {
  const { auditWitness } = session;
  if (!auditWitness.isBehind) return;
  const head = await auditHead(session);
  const witnessed = auditWitness.read();
  if (head === undefined || (witnessed !== undefined && !(await holds(session, witnessed)))) return;
  auditWitness.write(head);
}

async function holds(session: Session, { count, hash }: AuditHead): Promise<boolean> {
  return (await auditRecords(session, { after: count - 1, limit: 1 }))[0]?.hash === hash;
}

async function auditHead(session: Session): Promise<AuditHead | undefined> {
  const row = await session.get("auditHead");
  return row === undefined ? undefined : { count: Number(row.count), hash: String(row.hash) };
}

export async function auditRecords(
  session: Session,
  page: { readonly after: number; readonly limit: number },
): Promise<readonly AuditRecord[]> {
  return (await session.all("auditRecords", page)).map(({ number, record, previousHash, hash }) => ({
    number: Number(number),
    record: String(record),
    previousHash: String(previousHash),
    hash: String(hash),
  }));
}

/** See `Store.auditHeads`. A row that is missing counts as the head of an empty trail: `audit verify` finds the contradiction. */
export async function auditHeads(session: Session): Promise<readonly KeptAuditHead[]> {
  const witnessed = session.auditWitness.read();
  return [
    { where: "row", mayBeBehind: false, ...((await auditHead(session)) ?? EMPTY_TRAIL) },
    { where: "file", mayBeBehind: true, ...(witnessed ?? { ...EMPTY_TRAIL, isMissing: true }) },
  ];
}
