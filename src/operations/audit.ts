import { type KeptAuditHead, verifyAuditTrail } from "../store/audit-chain.ts";
import type { OperationsContext } from "./context.ts";
import { isoTime } from "./describe.ts";
import type { AuditRecordDocument, AuditVerdictDocument } from "./documents.ts";

/** Reading is an event itself: it is written before anything is shown. */
async function recordReading({ audit, actor }: OperationsContext, detail: Readonly<Record<string, string | number>>) {
  await audit.record({ event: "audit-read", actor, outcome: "success", detail });
}

/** The last records, or the last before a number; the oldest of them first. */
export async function readAudit(
  context: OperationsContext,
  { limit, before }: { readonly limit: number; readonly before?: number | undefined },
): Promise<readonly AuditRecordDocument[]> {
  await recordReading(context, { records: limit });
  const heads = await context.store.auditHeads();
  const count = heads.find(({ where }) => where === "row")?.count ?? 0;
  const last = before === undefined ? count : Math.min(count, Math.max(0, before - 1));
  const after = Math.max(0, last - limit);
  const records = await context.store.auditRecords({ after, limit: last - after });
  return records.map(({ number, record, hash }) => {
    const { atMs, ...event }: { readonly atMs: number } & Omit<AuditRecordDocument, "at"> = JSON.parse(record);
    return { ...event, number, at: isoTime(atMs), hash };
  });
}

/** @param noted a head that somebody wrote down elsewhere */
export async function verifyAudit(
  context: OperationsContext,
  noted: Pick<KeptAuditHead, "count" | "hash"> | undefined,
): Promise<AuditVerdictDocument> {
  const { store } = context;
  const heads = await store.auditHeads();
  const given = noted === undefined ? [] : [{ where: "given", mayBeBehind: true, ...noted } as const];
  const page = (after: number, limit: number) => store.auditRecords({ after, limit });
  const verdict = await verifyAuditTrail(page, [...heads, ...given], () => store.auditHeads());
  const { count, hash, findings } = verdict;
  await recordReading(context, { verified: count, findings: findings.length });
  return { ok: findings.length === 0, records: count, head: hash, findings };
}
