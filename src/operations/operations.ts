import type { DataSet } from "../dicom/data-set.ts";
import type { ErrorCode } from "../errors/registry.ts";
import type { JobState } from "../store/job-states.ts";
import type { ArchiveControls } from "../store/records.ts";
import type { ArchiveFindOptions } from "./archives.ts";
import type { BackupDocument, BackupRehearsalDocument } from "./backup.ts";
import type { SettingsInForce } from "./context.ts";
import type {
  ArchiveDocument,
  AuditRecordDocument,
  AuditVerdictDocument,
  CohortCheckDocument,
  CohortDocument,
  DoctorCheck,
  DoctorDocument,
  IdentityDocument,
  ListedDeliveryDocument,
  NewTokenDocument,
  OverviewDocument,
  ProjectDocument,
  ProjectKeysDocument,
  ReleaseResultDocument,
  ReloadDocument,
  SeriesLedgerDocument,
  StatusDocument,
  StudyDocument,
  SubmitDocument,
  TokenDocument,
  WorkerDocument,
} from "./documents.ts";
import type { InquiryOperations } from "./inquiry-operations.ts";
import type { InsightOperations } from "./insight-operations.ts";
import type { IntakeOperations } from "./intake.ts";
import type { LinkageOperations } from "./linkage-operations.ts";
import type { NodeOperations } from "./nodes.ts";
import type { NotificationOperations } from "./notifications.ts";
import type { DeliveryPage, StudyChanges } from "./overview.ts";
import type { ReleaseWish } from "./release.ts";
import type { ScannerOperations } from "./scanner-operations.ts";
import type { StandingOperations } from "./standing/standing-operations.ts";
import type { TokenWish } from "./tokens.ts";
import type { WithdrawalOperations } from "./withdrawal-operations.ts";

/**
 * What a person or a program can ask of a gateway: the one entrance for command line, API and faces. Each operation is refused
 * with ROLE_INSUFFICIENT to an actor whose role is less than roles.ts says; of projects that he may not see, nothing is there.
 * @throws GatewayError with codes such as COHORT_NOT_FOUND, JOB_NOT_FOUND, PROJECT_UNKNOWN, ARCHIVE_UNKNOWN, COHORT_UNREADABLE
 */
export interface Operations
  extends LinkageOperations,
    WithdrawalOperations,
    ScannerOperations,
    InsightOperations,
    InquiryOperations,
    IntakeOperations,
    NodeOperations,
    NotificationOperations,
    StandingOperations {
  /** @param options.startAtMs its studies wait for it, unless another cohort wants them before; past or absent: at once */
  submitCohort(
    file: string,
    project: string,
    options?: { readonly startAtMs?: number | undefined },
  ): Promise<SubmitDocument>;
  /** What submitting it would find; nothing is kept. */
  checkCohort(file: string, project: string): Promise<CohortCheckDocument>;
  cohortStatus(cohort: string, options?: { readonly jobs?: boolean }): Promise<StatusDocument>;
  listCohorts(
    page?: Page & { readonly project?: string | undefined; readonly newestFirst?: boolean },
  ): AsyncIterable<CohortDocument>;
  /** CSV text in pieces, the header first. */
  exportCohort(cohort: string): AsyncIterable<string>;
  /** The bytes of PIXL's table IMAGE_LINKER, a Parquet file, of what was delivered so far. @throws GatewayError COHORT_NOT_LINKABLE */
  linkCohort(cohort: string): Promise<Uint8Array>;
  retryCohort(cohort: string): Promise<{ readonly retried: number }>;
  cancelCohort(cohort: string): Promise<{ readonly cancelled: number }>;
  /** Of studies that are not done; those that another cohort wants too are not made less urgent. @param priority 1 to 5, 5 first */
  prioritiseCohort(cohort: string, priority: number): Promise<{ readonly changed: number }>;
  listStudies(filter: StudyFilter, page?: Page): AsyncIterable<StudyDocument>;
  showStudy(id: string): Promise<StudyDocument>;
  /** The account of a study's instances, by series. */
  studyLedger(id: string): Promise<readonly SeriesLedgerDocument[]>;
  /** Who a study is of. It is written down that this was shown. */
  showIdentity(id: string): Promise<IdentityDocument>;
  retryStudy(id: string): Promise<{ readonly retried: number }>;
  cancelStudy(id: string): Promise<{ readonly cancelled: number }>;
  /** While it is not done. @param priority 1 to 5, 5 first */
  prioritiseStudy(id: string, priority: number): Promise<{ readonly changed: number }>;
  /**
   * Has a quarantined study de-identified and verified again with named exceptions; what is wrong with it still quarantines it again.
   * @throws GatewayError STUDY_NOT_QUARANTINED, RELEASE_INVALID
   */
  releaseStudy(id: string, wish: ReleaseWish): Promise<ReleaseResultDocument>;
  /** Lets a project go on with the key of its settings though studies were delivered with another; answers every key it had. */
  changeProjectKey(project: string): Promise<ProjectKeysDocument>;
  /** Writes down that values of an original are shown; the caller shows them only once this has resolved. */
  showIdentifiedValues(of: { readonly project: string; readonly profile: string }): Promise<void>;
  /** Records of the audit trail, the oldest first: the last ones, or the last before a number. */
  readAudit(page: {
    readonly limit: number;
    readonly before?: number | undefined;
  }): Promise<readonly AuditRecordDocument[]>;
  /**
   * Writes the whole store, as it is at one moment, into a new file that only its owner can read.
   * @throws GatewayError BACKUP_FILE_EXISTS, BACKUP_UNFINISHED, FILE_NOT_WRITABLE, STORE_BACKUP_ELSEWHERE, STORE_FULL
   */
  backUp(file: string, options?: { readonly isRehearsal?: boolean }): Promise<BackupDocument | BackupRehearsalDocument>;
  /** @param noted the number and hash of a record as they were once */
  verifyAudit(noted?: { readonly count: number; readonly hash: string }): Promise<AuditVerdictDocument>;
  listArchives(): AsyncIterable<ArchiveDocument>;
  /** Pauses, resumes, or changes rate and windows: at once, also in a running service. */
  controlArchive(name: string, controls: ArchiveControls): Promise<ArchiveDocument>;
  echoArchive(
    name: string,
    signal?: AbortSignal,
  ): Promise<{ readonly archive: string; readonly ok: true; readonly milliseconds: number }>;
  /**
   * C-FIND with `KEYWORD=VALUE` keys; answers as data sets (the caller prints DICOM JSON).
   * @throws GatewayError ARCHIVE_UNKNOWN, SEARCH_TOO_BROAD, QUERY_KEY_…
   */
  findInArchive(
    name: string,
    keys: readonly string[],
    options: ArchiveFindOptions,
    signal?: AbortSignal,
  ): AsyncIterable<DataSet>;
  /** @param onCheck told of each check as it is made */
  doctor(signal?: AbortSignal, onCheck?: (made: DoctorCheck) => void | Promise<void>): Promise<DoctorDocument>;
  /** From counters alone, however many jobs there are. */
  overview(): Promise<OverviewDocument>;
  /** Studies that became something else since, each as it is now. */
  studyChanges(page: { readonly after: number; readonly limit: number }): Promise<StudyChanges>;
  listProjects(): Promise<readonly ProjectDocument[]>;
  listDeliveries(page: DeliveryPage): AsyncIterable<ListedDeliveryDocument>;
  listWorkers(): Promise<readonly WorkerDocument[]>;
  /** What the gateway runs with, without what is secret. */
  showSettings(): Promise<SettingsInForce>;
  /**
   * Goes on with archives, destinations and projects as the settings have them now; jobs that run go on with what they began with. Whatever is
   * wrong, nothing is changed. @throws GatewayError SETTINGS_RELOAD_UNAVAILABLE, SETTINGS_…, PROJECT_KEY_…, and of whatever cannot be opened
   */
  reloadSettings(): Promise<ReloadDocument>;
  /** @throws GatewayError TOKEN_NAME_TAKEN, PROJECT_UNKNOWN */
  createToken(wish: TokenWish): Promise<NewTokenDocument>;
  listTokens(): Promise<readonly TokenDocument[]>;
  /** By id or name; what was begun with it ends too. @throws GatewayError TOKEN_UNKNOWN */
  revokeToken(which: string): Promise<TokenDocument>;
}

/** Part of a list: what comes after the item of that id, so many read at a time. */
export interface Page {
  readonly after?: string | undefined;
  readonly size?: number | undefined;
}

export interface StudyFilter {
  readonly state?: JobState | undefined;
  readonly cohort?: string | undefined;
  readonly project?: string | undefined;
  readonly code?: ErrorCode | undefined;
}
