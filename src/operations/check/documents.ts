import type { ErrorCode } from "../../errors/registry.ts";

/** What a study's archive, our ledger and its destinations say of it together, the worst first. */
export const CHECK_VERDICTS = [
  /** A destination lacks files, or holds other ones. */
  "delivery-differs",
  /** The archive has more than was retrieved. */
  "archive-has-more",
  /** The archive no longer has what was retrieved. */
  "archive-has-less",
  /** Somebody could not be asked, or does not tell. */
  "unknown",
  /** It was never delivered: there is nothing to compare. */
  "not-delivered",
  "same",
] as const;
export type CheckVerdict = (typeof CHECK_VERDICTS)[number];

export interface CheckedArchive {
  readonly name: string | null;
  /** Of the ledger's instances; null: the archive was not asked, or does not list them. */
  readonly later: number | null;
  readonly vanished: number | null;
  /** Why it was not asked. */
  readonly code: ErrorCode | null;
}

export interface CheckedDestination {
  readonly name: string;
  /** How surely its files are known: by contents, or by their UIDs alone; null: it was not asked. */
  readonly proof: "sha256" | "uids" | null;
  readonly expected: number;
  readonly present: number;
  readonly vanished: number;
  readonly differing: number;
  readonly code: ErrorCode | null;
}

/** One study of the cohort, by its job. */
export interface CheckedStudy {
  readonly number: number;
  readonly job: string;
  readonly state: string;
  readonly verdict: CheckVerdict;
  readonly archive: CheckedArchive;
  readonly destinations: readonly CheckedDestination[];
  /** It was queued, to get or deliver the difference. */
  readonly queued: boolean;
}

export interface CheckSummary {
  readonly studies: number;
  readonly verdicts: Readonly<Partial<Record<CheckVerdict, number>>>;
  /** Instances. */
  readonly later: number;
  readonly vanishedFromArchive: number;
  /** Files. */
  readonly vanishedFromDestinations: number;
  readonly differing: number;
  readonly queued: number;
}
