import type { DataSet } from "../dicom/data-set.ts";
import type { JobState } from "../store/job-states.ts";
import type {
  ArchiveDocument,
  CohortDocument,
  DoctorDocument,
  ProjectKeysDocument,
  StatusDocument,
  StudyDocument,
  SubmitDocument,
} from "./documents.ts";

/**
 * What a person or a program can ask of a gateway: the one entrance for command line, API and faces.
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
  /** Lets a project go on with the key of its settings though studies were delivered with another; answers every key it had. */
  changeProjectKey(project: string): Promise<ProjectKeysDocument>;
  listArchives(): readonly ArchiveDocument[];
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
