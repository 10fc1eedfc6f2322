import type { ErrorCode } from "../../errors/registry.ts";

/** One thing to look for. What is absent is not asked about. */
export interface SearchQuery {
  /** `Keyword=value`, as C-FIND matches them (PS3.4 C.2.2.2). */
  readonly keys: readonly string[];
  /** Study dates, YYYYMMDD, both included. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly modality?: string | undefined;
  /** A text, which may have wildcards where the archive knows them; or `/pattern/` or `/pattern/i`, which is matched here. */
  readonly description?: string | undefined;
}

export interface SearchWish {
  readonly project: string;
  readonly archive: string;
  readonly queries: readonly SearchQuery[];
  /** Studies at most; needed with `yesAll`. */
  readonly maximumStudies?: number | undefined;
  /** A query that matches every study of the archive is meant. */
  readonly yesAll?: boolean | undefined;
  /** What the archive is known to cut its answers at. */
  readonly archiveCap?: number | undefined;
  /** Nothing of what is found is kept. */
  readonly countOnly?: boolean | undefined;
}

/** What became of one query. */
export interface SearchedQuery {
  /** Queries count from 1. */
  readonly number: number;
  readonly studies: number;
  /** That the archive was asked for it. */
  readonly questions: number;
  /** Days of which the archive, asked for the day alone, may hold back studies. */
  readonly cutDays: number;
  /** Why it was not asked to its end. */
  readonly code: ErrorCode | null;
}

export interface SearchSummary {
  readonly queries: number;
  readonly studies: number;
  /** Of the studies whose number of instances the archive tells. */
  readonly instances: number;
  readonly studiesWithoutCount: number;
  /** What it cost the archive. */
  readonly questions: number;
  /** Answers that did not match what was asked for, or a pattern of ours. */
  readonly passedOver: number;
  /** Studies kept though the archive did not say of which modality they are. */
  readonly modalityUntold: number;
  readonly cutDays: number;
  /** No query was left unfinished, and no day may have more. */
  readonly isComplete: boolean;
  /** The studies can be read and submitted. */
  readonly isKept: boolean;
}

/** A study as the archive describes it. */
export interface FoundStudy {
  /** Counts from 1. */
  readonly number: number;
  readonly studyInstanceUid: string;
  readonly accessionNumber: string;
  readonly patientId: string;
  /** YYYYMMDD, or empty. */
  readonly studyDate: string;
  readonly modalities: string;
  readonly description: string;
  /** Null: the archive does not say. */
  readonly instances: number | null;
}

/** Which of them are meant: those of these numbers, or all but those. */
export type FoundChoice = { readonly only: readonly number[] } | { readonly without: readonly number[] };
