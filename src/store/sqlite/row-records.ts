import type { DeliveryRecord, JobEvent, JobRecord, LedgerEntry } from "../records.ts";
import type { Row } from "./session.ts";

/** NULL is how the database says undefined. */
export function withoutNulls(row: Row): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value ?? undefined]));
}

/** The columns are those of JOB_COLUMNS: names and types are the record's, but for the list of series. */
export function jobRecord(row: Row): JobRecord {
  const { jobNo: _, widened: __, seriesInstanceUids, ...facts } = withoutNulls(row);
  return { ...facts, seriesInstanceUids: parseList(seriesInstanceUids) } as unknown as JobRecord;
}

export function parseList(text: unknown): readonly string[] | undefined {
  return typeof text === "string" ? JSON.parse(text) : undefined;
}

export function ledgerEntry(row: Row): LedgerEntry {
  return withoutNulls(row) as unknown as LedgerEntry;
}

export function deliveryRecord(row: Row): DeliveryRecord {
  return withoutNulls(row) as unknown as DeliveryRecord;
}

export function jobEvent({ atMs, event, detail }: Row): JobEvent {
  return { atMs: Number(atMs), event: String(event), detail: JSON.parse(String(detail)) };
}
