import type { DataSet } from "../dicom/data-set.ts";
import type { JobState } from "../store/job-states.ts";
import type { ArchiveControls } from "../store/records.ts";
import type {
  ArchiveDocument,
  AuditRecordDocument,
  AuditVerdictDocument,
  CohortDocument,
  DoctorDocument,
  ProjectKeysDocument,
  ReleaseResultDocument,
  StatusDocument,
  StudyDocument,
  SubmitDocument,
} from "./documents.ts";
import type { ReleaseWish } from "./release.ts";

/**
 * What a person or a program can ask of a gateway: the one entrance for command line, API and faces. Each operation is refused
 * with ROLE_INSUFFICIENT to an actor whose role is less than roles.ts says.
 * @throws GatewayError with codes such as COHORT_NOT_FOUND, JOB_NOT_FOUND, PROJECT_UNKNOWN, ARCHIVE_UNKNOWN, COHORT_UNREADABLE
 */
export interface Operations {
  submitCohort(file: string, project: string): Promise<SubmitDocument>;
  cohortStatus(cohort: string, options?: { readonly jobs?: boolean }): Promise<StatusDocument>;
  listCohorts(): AsyncIterable<CohortDocument>;
  /** CSV text in pieces, the header first. */
  exportCohort(cohort: string): AsyncIterable<string>;
  retryCohort(cohort: string): Promise<{ readonly retried: number }>;
  cancelCohort(cohort: string): Promise<{ readonly cancelled: number }>;
  listStudies(filter: {
    readonly state?: JobState;
    readonly cohort?: string;
    readonly project?: string;
  }): AsyncIterable<StudyDocument>;
  showStudy(id: string): Promise<StudyDocument>;
  retryStudy(id: string): Promise<{ readonly retried: number }>;
  cancelStudy(id: string): Promise<{ readonly cancelled: number }>;
  /**
   * Has a quarantined study de-identified and verified again with named exceptions; what is wrong with it still quarantines it again.
   * @throws GatewayError STUDY_NOT_QUARANTINED, RELEASE_INVALID
   */
  releaseStudy(id: string, wish: ReleaseWish): Promise<ReleaseResultDocument>;
  /** Lets a project go on with the key of its settings though studies were delivered with another; answers every key it had. */
  changeProjectKey(project: string): Promise<ProjectKeysDocument>;
  /** Writes down that values of an original are shown; the caller shows them only once this has resolved. */
  showIdentifiedValues(of: { readonly project: string; readonly profile: string }): Promise<void>;
  /** The last records of the audit trail, the oldest first. */
  readAudit(page: { readonly limit: number }): Promise<readonly AuditRecordDocument[]>;
  /** @param noted the number and hash of a record as they were once */
  verifyAudit(noted?: { readonly count: number; readonly hash: string }): Promise<AuditVerdictDocument>;
  listArchives(): AsyncIterable<ArchiveDocument>;
  /** Pauses, resumes, or changes rate and windows: at once, also in a running service. */
  controlArchive(name: string, controls: ArchiveControls): Promise<ArchiveDocument>;
  echoArchive(
    name: string,
    signal?: AbortSignal,
  ): Promise<{ readonly archive: string; readonly ok: true; readonly milliseconds: number }>;
  /** C-FIND with `KEYWORD=VALUE` keys; answers as data sets (the caller prints DICOM JSON). */
  findInArchive(
    name: string,
    keys: readonly string[],
    options: { readonly level: "STUDY" | "SERIES" | "IMAGE"; readonly maximumAnswers: number },
    signal?: AbortSignal,
  ): AsyncIterable<DataSet>;
  doctor(signal?: AbortSignal): Promise<DoctorDocument>;
}
