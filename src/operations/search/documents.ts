import type { ErrorCode } from "../../errors/registry.ts";
import type { ArchiveState } from "../documents.ts";

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

/** How often an archive would be asked. All of it together never goes beyond `most`. */
export interface EstimatedQuestions {
  /** One for each query, where the archive cuts no answer and tells what it is asked for. */
  readonly least: number;
  /** So many more at most where it cuts its answers, down to single days. */
  readonly forDates: number;
  /** So many more at most where it does not tell of which modality studies are: one for a study. */
  readonly forSeries: number;
  readonly most: number;
}

/** What follows if what is found is submitted. */
export interface EstimatedRetrieval {
  /** As many as the search may find. */
  readonly maximumStudies: number;
  /** The archive's rates; null: it has none. */
  readonly studiesPerMinute: number | null;
  readonly bytesPerSecond: number | null;
  /** For so many studies, by the rate alone; null: no rate, or nobody says how many studies at most. */
  readonly workSeconds: number | null;
  /** When they would all be here at the earliest, within the archive's windows. */
  readonly doneAt: string | null;
}

/** What a search would cost the archive, by what is known without asking it. */
export interface SearchEstimate {
  readonly project: string;
  readonly archive: string;
  readonly queries: number;
  readonly questions: EstimatedQuestions;
  /** That the archive allows at once; a search uses one. */
  readonly associations: number;
  /** After so long a question is given up. */
  readonly longestQuestionSeconds: number;
  /** Mean of the searches of that archive which this process remembers; null: there are none. */
  readonly secondsPerQuestion: number | null;
  /** What the least questions take at that; null: not known. */
  readonly leastSeconds: number | null;
  readonly state: ArchiveState;
  /** The earliest; null: nobody knows, as it is paused or never opens. */
  readonly startsAt: string | null;
  /** What is not asked by then is left unasked; null: its window does not end. */
  readonly closesAt: string | null;
  readonly retrieval: EstimatedRetrieval;
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
