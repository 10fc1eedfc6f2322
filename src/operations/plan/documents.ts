import type { ErrorCode } from "../../errors/registry.ts";

/** What submitting a row would come to. */
export const PLAN_OUTCOMES = [
  /** It would be retrieved. */
  "matched",
  /** Its study is asked for already, by a cohort or by an earlier row of this one. */
  "joined",
  /** The project has it, and nothing would move. */
  "delivered",
  /** The project left it out when it came. */
  "excluded",
  /** Held or quarantined: it waits for a person. */
  "waits-for-a-person",
  "absent",
  "ambiguous",
  /** Or withdrawn: the code tells. */
  "opted-out",
  /** By the rules for rows. */
  "refused",
  /** No archive could be asked now. */
  "not-asked",
] as const;
export type PlanOutcome = (typeof PLAN_OUTCOMES)[number];

/** One row of the file, by its number; nothing of what stands in it. */
export interface PlannedRow {
  /** Rows below the heading count from 1, blank ones among them. */
  readonly number: number;
  readonly outcome: PlanOutcome;
  readonly code: ErrorCode | null;
  readonly archive: string | null;
  /** That would be retrieved for it, and for no earlier row: one that wants more of such a study has its further series alone. */
  readonly studies: number;
  /** Null: the archive does not say. */
  readonly series: number | null;
  readonly instances: number | null;
  readonly sizeBytes: number | null;
}

/** What one archive would have to give. */
export interface PlannedArchive {
  readonly name: string;
  readonly studies: number;
  readonly instances: number;
  readonly sizeBytes: number;
  readonly paused: boolean;
  readonly isOpen: boolean;
  /** When it can be asked next; null: now, or never by its windows. */
  readonly nextOpening: string | null;
  readonly studiesPerMinute: number | null;
  readonly bytesPerSecond: number | null;
  /** By rate alone; null: it has none. */
  readonly workSeconds: number | null;
  /** When the work would be done if it began now, within the windows; null: not to be told. */
  readonly doneAt: string | null;
}

/** What a modality's instances are taken to weigh. */
export interface WeightBasis {
  readonly archive: string;
  /** Empty: of unknown or several ones. */
  readonly modality: string;
  readonly bytesPerInstance: number;
  /** Instances that were weighed; 0: nothing like it was ever retrieved here, so this is an assumption. */
  readonly measuredInstances: number;
}

export interface PlanSummary {
  readonly rows: number;
  readonly outcomes: Readonly<Partial<Record<PlanOutcome, number>>>;
  readonly codes: Readonly<Partial<Record<ErrorCode, number>>>;
  /** To be retrieved. */
  readonly studies: number;
  readonly series: number;
  readonly instances: number;
  /** Of which the archive does not say how many instances they have: they are in no sum. */
  readonly studiesWithoutCount: number;
  readonly disk: {
    /** For the originals; their de-identified copies need as much again, study by study. */
    readonly sizeBytes: number;
    readonly freeBytes: number | null;
    readonly reserveBytes: number;
    /** Null: the free space is not known. */
    readonly fits: boolean | null;
    readonly basis: readonly WeightBasis[];
  };
  readonly archives: readonly PlannedArchive[];
}
