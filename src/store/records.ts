import type { ErrorCode } from "../errors/registry.ts";
import type { ArchiveOverrides } from "./archive-condition.ts";
import type { JobState, Stage, Verdict } from "./job-states.ts";
import type { NewLink } from "./linkage.ts";
import type { ArchiveVolume } from "./study-reports.ts";
import type { DeliveredCounts } from "./throughput.ts";

/** Times are UTC milliseconds everywhere. */
export interface StudyKey {
  /** Known from the row, or once located. */
  readonly studyInstanceUid: string | undefined;
  readonly patientId: string | undefined;
  readonly accessionNumber: string | undefined;
}

/** What a row says of a study that it names by its UID: whose it is, and under which number. */
export type StudyClaim = Omit<StudyKey, "studyInstanceUid">;

/** One accepted row of a cohort. */
export interface NewRequest extends StudyKey {
  /** Rows below the heading count from 1, blank ones among them. */
  readonly rowNumber: number;
  /** Undefined: the whole study. */
  readonly seriesInstanceUids: readonly string[] | undefined;
  readonly participantId: string | undefined;
  /** 1 to 5, 5 first. */
  readonly priority: number;
  /** The submitter's cells in the order of the cohort's columns. */
  readonly cells: readonly string[];
}

/** One refused row: it comes back in the export with its code. */
export interface RefusedRow {
  readonly rowNumber: number;
  readonly code: ErrorCode;
  readonly cells: readonly string[];
}

export interface NewCohort {
  readonly project: string;
  /** The submitter's own columns, as they wrote them. */
  readonly columns: readonly string[];
  readonly requests: readonly NewRequest[];
  readonly refused: readonly RefusedRow[];
  /** Its jobs wait for it, unless another cohort wants them before. Undefined: they are due at once. */
  readonly startAtMs?: number | undefined;
}

export interface SubmittedCohort {
  readonly cohort: string;
  readonly accepted: number;
  /** Accepted rows whose study was already a job. */
  readonly joined: number;
}

export interface CohortRecord {
  readonly cohort: string;
  readonly project: string;
  readonly rows: number;
  readonly accepted: number;
  readonly joined: number;
  readonly submittedAtMs: number;
}

export interface CohortStatus {
  readonly cohort: string;
  readonly project: string;
  /** Jobs, not rows. */
  readonly total: number;
  readonly states: Partial<Record<JobState, number>>;
  readonly done: boolean;
}

export interface JobRecord extends StudyKey {
  /** Pseudonymous: says nothing of the study. */
  readonly id: string;
  readonly project: string;
  readonly state: JobState;
  readonly stage: Stage;
  readonly code: ErrorCode | undefined;
  readonly verdict: Verdict | undefined;
  readonly archive: string | undefined;
  readonly seriesInstanceUids: readonly string[] | undefined;
  readonly participantId: string | undefined;
  readonly priority: number;
  /** Instance counts; `expected` is undefined while the archive has not said. */
  readonly expected: number | undefined;
  readonly received: number;
  readonly excluded: number;
  readonly delivered: number;
  /** Due tries so far; a crash does not count. */
  readonly attempts: number;
  readonly waitingUntilMs: number | undefined;
  readonly pseudonym: string | undefined;
  readonly pseudoStudyInstanceUid: string | undefined;
  readonly createdAtMs: number;
  readonly finishedAtMs: number | undefined;
}

export interface JobEvent {
  readonly atMs: number;
  readonly event: string;
  /** Counts, names and codes; no identifier. */
  readonly detail: Readonly<Record<string, string | number | boolean>>;
}

/** One line of the ledger. Each `…AtMs` is undefined until that happened. */
export interface LedgerEntry {
  readonly sopInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly expectedAtMs: number | undefined;
  readonly receivedAtMs: number | undefined;
  readonly excludedAtMs: number | undefined;
  /** Why it was excluded or rejected: a reason of the profile or an error code. */
  readonly reason: string | undefined;
  /** What the reason is about, such as a tag; a word of the program, no value. */
  readonly reasonDetail: string | undefined;
  readonly deidentifiedAtMs: number | undefined;
  readonly pseudoSopInstanceUid: string | undefined;
  readonly sha256: string | undefined;
  readonly deliveredAtMs: number | undefined;
}

export type LedgerChange =
  | { readonly kind: "expected"; readonly sopInstanceUid: string; readonly seriesInstanceUid: string }
  | { readonly kind: "received"; readonly sopInstanceUid: string; readonly seriesInstanceUid: string }
  | {
      readonly kind: "excluded";
      readonly sopInstanceUid: string;
      readonly reason: string;
      readonly detail?: string;
    }
  | {
      readonly kind: "deidentified";
      readonly sopInstanceUid: string;
      readonly pseudoSopInstanceUid: string;
      readonly sha256: string;
    }
  | { readonly kind: "delivered"; readonly sopInstanceUid: string };

/** A delivery of a job to one destination. */
export interface DeliveryRecord {
  readonly destination: string;
  readonly state: "sending" | "sent" | "confirmed" | "failed";
  readonly instances: number;
  readonly code: ErrorCode | undefined;
  /** What confirms it, as the destination's receipt names it. */
  readonly proof?: string | undefined;
  readonly changedAtMs: number;
}

/** A claim: every later write names the token and holds only while it is the job's. */
export interface Lease {
  readonly jobId: string;
  readonly token: string;
}

export interface ClaimedJob {
  readonly lease: Lease;
  readonly job: JobRecord;
}

/** What a worker writes about its job; what is absent stays. `null` clears. */
export interface JobChange {
  readonly stage?: Stage;
  readonly archive?: string | null;
  readonly verdict?: Verdict | null;
  readonly expected?: number | null;
  readonly code?: ErrorCode | null;
  readonly pseudonym?: string;
  readonly pseudoStudyInstanceUid?: string;
  /** What a destination holds now and did not before; counted as throughput. */
  readonly deliveredNow?: DeliveredCounts;
  /** Of a de-identified slice, PNG; null: there is none any more. */
  readonly thumbnail?: Uint8Array | null;
  /** Appended to the job's timeline. */
  readonly events?: readonly Omit<JobEvent, "atMs">[];
  /** Applied in the same transaction, before the counts are recomputed. */
  readonly ledger?: readonly LedgerChange[];
  /** What the study's de-identification came to, packed; `delivered`: the destinations confirmed what the last one tells of. */
  readonly report?: Uint8Array | "delivered";
  /** What was de-identified, as the job's archive gave it. */
  readonly volumes?: readonly Omit<ArchiveVolume, "archive">[];
  /** Who the pseudonym stands for, where the project keeps that. */
  readonly link?: NewLink | undefined;
}

/** A study that an archive gave for a row's key. */
export interface LocatedStudy {
  readonly studyInstanceUid: string;
  readonly patientId: string | undefined;
  readonly accessionNumber: string | undefined;
}

/** One row of the export: the submitter's cells, then what became of it. */
export interface ExportRow {
  readonly rowNumber: number;
  readonly cells: readonly string[];
  /** Set for a refused row. */
  readonly refusedCode: ErrorCode | undefined;
  readonly jobs: readonly JobRecord[];
  /** Why instances were left out, with their number, by job; jobs that left none out are not in it. */
  readonly leftOut?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** What became of a key that a project is opened with: `refused` when studies were delivered with another one. */
export type ProjectKeyUse = "first" | "same" | "changed" | "forced" | "refused";

/** One key of a project, by its id: a trace that is only ever added to. */
export interface ProjectKeyRecord {
  readonly keyId: string;
  readonly sinceMs: number;
  /** It took the place of a key that studies had been delivered with. */
  readonly forced: boolean;
}

/** What operators change about an archive; what is absent stays. */
export interface ArchiveControls {
  readonly paused?: boolean;
  readonly overrides?: ArchiveOverrides;
}

/** What a person lets a quarantined study be de-identified and verified again with. It holds for one run: whoever retries the job ends it. */
export interface NewRelease {
  /** Of the user who decided. */
  readonly actor: string;
  readonly reason: string;
  /** SOP Instance UIDs of the originals that stay behind. */
  readonly leaveOut: readonly string[];
  /** Places, as in "(0040,A730)/(0040,A160)", where an identifier of the study may be found. */
  readonly allowTags: readonly string[];
}

export interface Release extends NewRelease {
  readonly atMs: number;
}

/** A replacement and what it was made from, as a keyed digest: two originals with one replacement are told by it. */
export interface PseudonymLink {
  readonly kind: "patient" | "study";
  readonly replacement: string;
  /** Hexadecimal; under the project's key. */
  readonly digest: string;
}
