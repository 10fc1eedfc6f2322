import { createHash } from "node:crypto";
import { AUDIT_EVENTS, type AuditEvent } from "../units/audit.ts";
import { canonicalJson } from "../units/canonical-json.ts";

/** One line of the audit trail as it is kept. Numbers count from 1 without a gap. */
export interface AuditRecord {
  readonly number: number;
  /** Canonical JSON of the event with its number, its time (`atMs`, UTC) and its codes: what the hash speaks for. */
  readonly record: string;
  readonly previousHash: string;
  /** SHA-256 of the previous hash and the record, lower-case hexadecimal. */
  readonly hash: string;
}

/** How far the trail goes, kept apart from it: its last records cannot be taken away unseen. */
export interface AuditHead {
  readonly count: number;
  readonly hash: string;
}

/** A place that keeps the head. One that is written after the trail may be behind it, never before it. */
export interface KeptAuditHead extends AuditHead {
  readonly where: "row" | "file" | "given";
  readonly mayBeBehind: boolean;
  /** It is to be there, and is not. */
  readonly isMissing?: true;
}

export interface AuditFinding {
  readonly number: number;
  /**
   * `changed`: not what was written; `removed`: no such record, though later ones are there; `reordered`: it was written with another number;
   * `truncated`: records up to this number were there; `rewritten`: another record stood here when the head was kept; `unwitnessed`: the place that keeps the head is gone.
   */
  readonly problem: "changed" | "removed" | "reordered" | "truncated" | "rewritten" | "unwitnessed";
  /** The head that tells. */
  readonly where?: KeptAuditHead["where"];
}

export interface AuditVerdict extends AuditHead {
  readonly findings: readonly AuditFinding[];
}

/** Before the first record. */
const NO_HASH = "0".repeat(64);
export const EMPTY_TRAIL: AuditHead = { count: 0, hash: NO_HASH };

/** What a trail with thousands of broken records is told by. */
const MAXIMUM_FINDINGS = 100;
const PAGE = 500;

function hashOf(previousHash: string, record: string): string {
  return createHash("sha256").update(previousHash).update(record, "utf8").digest("hex");
}

/** The record that follows the head. */
export function nextAuditRecord({ count, hash }: AuditHead, event: AuditEvent, atMs: number): AuditRecord {
  const number = count + 1;
  const { when: _, ...codes } = AUDIT_EVENTS[event.event];
  const record = canonicalJson({ ...event, number, atMs, codes });
  return { number, record, previousHash: hash, hash: hashOf(hash, record) };
}

/**
 * Reads the whole trail and compares it with every head that was kept. What it cannot see: a trail that was rewritten together with all the heads.
 * @param page records after a number, in order
 * @param heads as they were before the first page
 * @param headsNow as they are when the last page was read, of a trail that others may write to meanwhile
 */
export async function verifyAuditTrail(
  page: (after: number, limit: number) => Promise<readonly AuditRecord[]>,
  heads: readonly KeptAuditHead[],
  headsNow: () => Promise<readonly KeptAuditHead[]> = async () => heads,
): Promise<AuditVerdict> {
  const findings: AuditFinding[] = [];
  const add = (finding: AuditFinding): void => {
    if (findings.length < MAXIMUM_FINDINGS) findings.push(finding);
  };
  let last: AuditHead = EMPTY_TRAIL;
  for (;;) {
    const records = await page(last.count, PAGE);
    for (const record of records) {
      const isBlamed = findings.at(-1)?.number === last.count;
      for (const finding of findingsOf(record, last, isBlamed)) add(finding);
      for (const head of heads) {
        if (head.count === record.number && head.hash !== record.hash)
          add({ number: record.number, problem: "rewritten", where: head.where });
      }
      last = { count: record.number, hash: record.hash };
    }
    if (records.length < PAGE) break;
  }
  for (const { where, count, isMissing } of heads) {
    if (isMissing === true && last.count > 0) add({ number: last.count, problem: "unwitnessed", where });
    if (count > last.count) add({ number: count, problem: "truncated", where });
  }
  const isPassed = ({ count, mayBeBehind }: KeptAuditHead): boolean => count < last.count && !mayBeBehind;
  // A head that is kept with every record has moved on as well when these were written as they should be.
  const passed = heads.some(isPassed) ? (await headsNow()).filter(isPassed) : [];
  for (const { where, count } of passed) add({ number: count + 1, problem: "rewritten", where });
  return { ...last, findings };
}

function findingsOf(record: AuditRecord, last: AuditHead, isLastBlamed: boolean): readonly AuditFinding[] {
  const { number, previousHash } = record;
  const findings: AuditFinding[] = [];
  const isGap = number !== last.count + 1;
  if (isGap) findings.push({ number: last.count + 1, problem: "removed" });
  if (hashOf(previousHash, record.record) !== record.hash) findings.push({ number, problem: "changed" });
  else if (numberIn(record.record) !== number) findings.push({ number, problem: "reordered" });
  // It is whole and follows another record than the one before it: that one was changed together with its hash.
  else if (!isGap && !isLastBlamed && previousHash !== last.hash)
    findings.push({ number: number - 1, problem: "changed" });
  return findings;
}

function numberIn(record: string): unknown {
  try {
    const parsed: unknown = JSON.parse(record);
    return typeof parsed === "object" && parsed !== null && "number" in parsed ? parsed.number : undefined;
  } catch {
    return undefined;
  }
}
