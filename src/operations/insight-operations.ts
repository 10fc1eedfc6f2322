import type { StudyReportOutcome } from "../deid/study-report.ts";
import type { ErrorClass } from "../errors/error-class.ts";
import type { ErrorCode } from "../errors/registry.ts";
import type { JobState } from "../store/job-states.ts";
import type { ThroughputSpan } from "../store/throughput.ts";
import type { StayedBehindDocument } from "./documents.ts";

/** What people look at to see how work goes and why some of it does not: part of `Operations`. */
export interface InsightOperations {
  /** From counters: the last 48 hours, or 60 days, of UTC; the present one last. @throws GatewayError PROJECT_UNKNOWN */
  throughput(of: { readonly span: ThroughputSpan; readonly project?: string | undefined }): Promise<ThroughputDocument>;
  /** From counters: what went wrong, by code, the most frequent first. */
  listFailures(of?: { readonly project?: string | undefined }): Promise<readonly FailureDocument[]>;
  /** Has every study tried again that ended with a code; of one project or cohort, if told. */
  retryFailures(
    code: ErrorCode,
    of?: { readonly project?: string | undefined; readonly cohort?: string | undefined },
  ): Promise<{ readonly retried: number }>;
  /** What the last de-identification did to a study. @throws GatewayError STUDY_REPORT_NOT_KEPT */
  studyReport(id: string): Promise<DeidReportDocument>;
  /** A slice of its de-identified copy, PNG. @throws GatewayError STUDY_THUMBNAIL_NOT_KEPT */
  studyThumbnail(id: string): Promise<Uint8Array>;
}

/** Times are ISO 8601, UTC. */
export interface ThroughputDocument {
  readonly span: ThroughputSpan;
  /** One for each span of time, the oldest first, also those in which nothing was delivered. */
  readonly buckets: readonly {
    /** When it began. */
    readonly at: string;
    /** Of which something was delivered. */
    readonly studies: number;
    readonly instances: number;
    readonly bytes: number;
  }[];
}

export interface FailureDocument {
  readonly code: ErrorCode;
  readonly class: ErrorClass;
  readonly message: string;
  readonly remedy: string;
  /** Studies that wait for a person with it. */
  readonly studies: number;
  /** Studies that will be tried again by themselves. */
  readonly waiting: number;
  /** Both, by state and by project. */
  readonly states: Readonly<Partial<Record<JobState, number>>>;
  readonly projects: Readonly<Record<string, number>>;
}

/** What was done to a study: tags, counts and codes; no value of any object. */
export interface DeidReportDocument {
  readonly id: string;
  readonly at: string;
  readonly outcome: StudyReportOutcome;
  readonly profile: { readonly name: string; readonly version: number; readonly hash: string };
  readonly keyId: string;
  readonly engine: string;
  /** Whether there is a picture of its de-identified copy. */
  readonly hasThumbnail: boolean;
  /** Of instances. */
  readonly counts: {
    readonly instances: number;
    readonly deidentified: number;
    readonly excluded: number;
    readonly rejected: number;
    /** Of the rejected: originals that could not be read; unknown of reports that were kept before it was counted. */
    readonly failed?: number | undefined;
  };
  /** How many elements were removed, replaced and so on. */
  readonly actions: Readonly<Record<string, number>>;
  readonly elements: readonly { readonly tag: string; readonly keyword: string; readonly actions: CountByName }[];
  /** Removed because no table names them. */
  readonly unlisted: readonly { readonly tag: string; readonly keyword: string; readonly count: number }[];
  /** Removed, by "(gggg,xxee)". */
  readonly private: CountByName;
  readonly notes: CountByName;
  /** Codes of PS3.16 CID 7050 that the outputs claim. */
  readonly options: readonly string[];
  /** What the profile keeps against the confidentiality profile, and who allowed it. */
  readonly reviews: readonly { readonly tag: string; readonly review: string }[];
  /** Why instances stayed behind. */
  readonly reasons: readonly StayedBehindDocument[];
  readonly verification: {
    /** Outputs in which an identifier was found; none of them left. */
    readonly hits: number;
    readonly bytes: number;
    /** That were looked for. */
    readonly identifiers: number;
  };
  /** What a person let it go with. */
  readonly release?: {
    readonly leftOut: number;
    readonly allowedTags: readonly string[];
    readonly accepted: readonly { readonly reason: string; readonly count: number }[];
  };
}

type CountByName = Readonly<Record<string, number>>;
