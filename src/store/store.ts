import type { ErrorCode } from "../errors/registry.ts";
import type { AuditEvent } from "../units/audit.ts";
import type { AccessStore } from "./access.ts";
import type { AcquisitionStore } from "./acquisitions.ts";
import type { Admission, ArchiveCondition, Breaker, BreakerPolicy, StudySlot } from "./archive-condition.ts";
import type { AuditRecord, KeptAuditHead } from "./audit-chain.ts";
import type { BackupStore } from "./backup.ts";
import type { FailureStore } from "./failures.ts";
import type { InboxStore } from "./inbox.ts";
import type { IntakeStore } from "./intake.ts";
import type { JobState } from "./job-states.ts";
import type { LinkageStore } from "./linkage.ts";
import type { NodeStore } from "./nodes.ts";
import type { NoticeStore } from "./notices.ts";
import type { OverviewStore } from "./overview.ts";
import type {
  ArchiveControls,
  ClaimedJob,
  CohortRecord,
  CohortStatus,
  DeliveryRecord,
  ExportRow,
  JobChange,
  JobEvent,
  JobRecord,
  Lease,
  LedgerEntry,
  LocatedStudy,
  NewCohort,
  NewRelease,
  ProjectKeyRecord,
  ProjectKeyUse,
  PseudonymLink,
  Release,
  StudyClaim,
  StudyKey,
  SubmittedCohort,
} from "./records.ts";
import type { StandingStore } from "./standing.ts";
import type { StudyReportStore } from "./study-reports.ts";
import type { TaskStore } from "./tasks.ts";
import type { ThroughputStore } from "./throughput.ts";
import type { ThumbnailStore } from "./thumbnails.ts";
import type { WithdrawalStore } from "./withdrawals.ts";

export interface JobFilter {
  readonly state?: JobState;
  readonly cohort?: string;
  /** Of these alone; absent: of all. */
  readonly projects?: readonly string[];
  readonly code?: ErrorCode;
  /** Paging by key: the id the last page ended with. */
  readonly after?: string;
  readonly limit: number;
}

/**
 * Durable state behind one interface. Every method resolves after its transaction is on disk.
 * Methods that take a lease return false when it is no longer the job's: the worker then stops and changes nothing.
 * @throws GatewayError STORE_UNAVAILABLE, STORE_FULL, STORE_DAMAGED, COHORT_NOT_FOUND, JOB_NOT_FOUND
 */
export interface Store
  extends TaskStore,
    InboxStore,
    AcquisitionStore,
    AccessStore,
    OverviewStore,
    NodeStore,
    NoticeStore,
    IntakeStore,
    StandingStore,
    LinkageStore,
    WithdrawalStore,
    StudyReportStore,
    FailureStore,
    ThroughputStore,
    ThumbnailStore,
    BackupStore,
    AsyncDisposable {
  /** Stores all rows of a cohort in one transaction; joins existing jobs of the project; queues again those that ended without the study, or with fewer series than wanted. */
  submitCohort(cohort: NewCohort, nowMs: number): Promise<SubmittedCohort>;
  /** @param page goes on after a cohort; the first one first, unless `newestFirst` */
  listCohorts(page: {
    readonly after?: string;
    readonly limit: number;
    readonly newestFirst?: boolean;
    /** Of these alone; absent: of all. */
    readonly projects?: readonly string[];
  }): Promise<readonly CohortRecord[]>;
  cohortStatus(cohort: string): Promise<CohortStatus>;
  /** The cohort's own columns, for the export. */
  cohortColumns(cohort: string): Promise<readonly string[]>;
  /** Rows in the submitted order, refused ones among them, after a row number. */
  exportRows(
    cohort: string,
    page: { readonly afterRow: number; readonly limit: number },
  ): Promise<readonly ExportRow[]>;

  listJobs(filter: JobFilter): Promise<readonly JobRecord[]>;
  job(id: string): Promise<JobRecord>;
  /** Jobs that a row of such a key would join. */
  jobsOfKey(project: string, key: StudyKey): Promise<readonly JobRecord[]>;
  /**
   * What rows that name the job's study by its UID say of it besides. Rows that came after the job ended by STUDY_KEYS_DISAGREE take the
   * place of those before.
   */
  claimsOfJob(id: string): Promise<readonly StudyClaim[]>;
  /** Cohorts that hold the job. */
  cohortsOf(id: string): Promise<readonly string[]>;
  /** Of several jobs, in their order: a page is asked about at once. */
  cohortsOfEach(ids: readonly string[]): Promise<readonly (readonly string[])[]>;
  events(id: string): Promise<readonly JobEvent[]>;
  ledger(id: string): Promise<readonly LedgerEntry[]>;
  deliveries(id: string): Promise<readonly DeliveryRecord[]>;

  /**
   * Takes the most urgent due job, waking what is due first. Jobs whose lease ended are due again. Of equally urgent ones projects have turns
   * round about, whatever each has queued; a project's oldest goes first.
   */
  claim(worker: string, leaseMs: number, nowMs: number): Promise<ClaimedJob | undefined>;
  /** When the next waiting job is due or the next lease ends; undefined when there is none. */
  nextDueAtMs(): Promise<number | undefined>;
  /** Extends the lease. False also when the job was cancelled: the worker aborts. */
  renew(lease: Lease, leaseMs: number, nowMs: number): Promise<boolean>;
  change(lease: Lease, change: JobChange, nowMs: number): Promise<boolean>;
  /**
   * Writes down what an archive gave for the job's key. The first study becomes this job's, the others get jobs of their own with the same
   * requests; a study that is a job of the project already takes the requests over. `joined`: this job is dissolved, or ends as not-found
   * when something of it was delivered; work on it ends. To look at a dissolved job's id shows the job that took it over.
   * @param change of a job that goes on, written with it; of one that ends its events are kept
   */
  located(
    lease: Lease,
    archive: string,
    studies: readonly LocatedStudy[],
    nowMs: number,
    change?: JobChange,
  ): Promise<JobRecord | "joined" | false>;
  /**
   * @param audit written in the same transaction
   * @param event of the job's timeline, written in the same transaction
   */
  recordDelivery(
    lease: Lease,
    delivery: Omit<DeliveryRecord, "changedAtMs">,
    nowMs: number,
    audit?: AuditEvent,
    event?: Omit<JobEvent, "atMs">,
  ): Promise<boolean>;
  /** Ends the job in a done state, or puts it back for later (`waiting` with `dueAtMs`, or `queued`), and gives the lease up. `attempts` is written as given. */
  settle(
    lease: Lease,
    outcome: {
      readonly state: Exclude<JobState, "running">;
      readonly code?: ErrorCode;
      readonly dueAtMs?: number;
      /** The archive that it waits for: a rest or a pause of it that ended meanwhile is not waited for. */
      readonly heldBackBy?: string;
      readonly attempts: number;
      readonly change?: JobChange;
      /** Written in the same transaction. */
      readonly audit?: AuditEvent;
    },
    nowMs: number,
  ): Promise<boolean>;
  /** `settle`, and `claim` for the worker that is free by that, in one transaction. It claims whatever became of the settlement. */
  settleAndClaim(
    lease: Lease,
    outcome: Parameters<Store["settle"]>[1],
    next: { readonly worker: string; readonly leaseMs: number },
    nowMs: number,
  ): Promise<{ readonly isSettled: boolean; readonly claimed: ClaimedJob | undefined }>;

  /** A dissolved job's id is JOB_NOT_FOUND here: see `located`. Queues failed, not-found, held, quarantined and cancelled jobs again from the start; returns how many. */
  retryJobs(selection: { readonly cohort: string } | { readonly job: string }, nowMs: number): Promise<number>;
  /** Cancels what is not done; a cohort's cancel spares jobs that other cohorts hold. A running worker learns it by `renew`. Returns how many. */
  cancelJobs(selection: { readonly cohort: string } | { readonly job: string }, nowMs: number): Promise<number>;
  /**
   * Changes how urgent jobs are that are not done; those that run go on, and wait with it if they must. A cohort's spares jobs that another
   * cohort wants too, where it would make them less urgent. Returns how many changed.
   * @param priority 1 to 5, 5 first
   */
  setPriority(
    selection: { readonly cohort: string } | { readonly job: string },
    priority: number,
    nowMs: number,
  ): Promise<number>;
  /**
   * Queues a quarantined job for de-identification and verification with exceptions. False when it is not quarantined.
   * @param audit written in the same transaction; not when the answer is false
   */
  releaseJob(id: string, release: NewRelease, audit: AuditEvent, nowMs: number): Promise<boolean>;
  /** What the job's run, or its last one, was released with. Undefined once the job was retried, cancelled or queued again for other reasons. */
  releaseOf(id: string): Promise<Release | undefined>;
  /**
   * Queues a delivered job again from the start: its account stays, so that only what is missing is fetched and sent. False when it is not
   * delivered any more.
   * @param detail of why, for its timeline
   * @param audit written in the same transaction; not when the answer is false
   */
  queueDelivered(id: string, detail: JobEvent["detail"], audit: AuditEvent, nowMs: number): Promise<boolean>;
  /**
   * At start: leases of workers that died with this home are given back, and nobody waits for their probes of archives.
   * @param node of its workers alone, whose names begin with it and a slash: others may be alive
   */
  releaseLeases(nowMs: number, node?: string): Promise<number>;
  /** Writes down which key a project's pseudonyms are made with. Not written when the answer is `same` or `refused`. */
  useProjectKey(
    use: {
      readonly project: string;
      readonly keyId: string;
      readonly force: boolean;
      /** Nothing is written: only what would become of it is told. */
      readonly isRehearsal?: boolean;
      /** Written in the same transaction, when the key takes the place of another one. */
      readonly audit?: AuditEvent;
    },
    nowMs: number,
  ): Promise<ProjectKeyUse>;
  /** Every key the project had, the first one first. */
  projectKeys(project: string): Promise<readonly ProjectKeyRecord[]>;
  archiveCondition(archive: string): Promise<ArchiveCondition>;
  /** Jobs that wait for a paused, closed or busy archive look at it again. */
  setArchiveControls(archive: string, controls: ArchiveControls, nowMs: number): Promise<ArchiveCondition>;
  /** Jobs that wait for an archive or a project to be there look at it again; answers their number. */
  wakeHeldBack(nowMs: number): Promise<number>;
  /** Of several that ask an archive whose rest is over, one is its probe. */
  admitToArchive(archive: string, policy: BreakerPolicy, nowMs: number): Promise<Admission>;
  /** Writes down how the archive fared; `failure` undefined: it answered. Jobs that wait for its rest to end look at it again when it did. */
  judgeArchive(archive: string, failure: ErrorCode | undefined, policy: BreakerPolicy, nowMs: number): Promise<Breaker>;
  takeStudySlot(
    archive: string,
    rate: { readonly intervalMs: number; readonly maximumWaitMs: number },
    nowMs: number,
  ): Promise<StudySlot>;
  /** Writes down that the archive asked to be left alone until then; what it asked for before holds if it ends later. `undefined`: not any more. */
  spareArchive(archive: string, untilMs: number | undefined): Promise<void>;
  /**
   * Writes down what replacements were made from, under the key named. Answers the kinds of those that stand for something else already; then
   * nothing is written.
   */
  linkPseudonyms(
    project: string,
    keyId: string,
    links: readonly PseudonymLink[],
  ): Promise<readonly PseudonymLink["kind"][]>;
  /** Adds a record to the audit trail that is no part of another change. */
  appendAudit(event: AuditEvent, nowMs: number): Promise<void>;
  /** Records after a number, in order. */
  auditRecords(page: { readonly after: number; readonly limit: number }): Promise<readonly AuditRecord[]>;
  /** Every place that keeps how far the trail goes. */
  auditHeads(): Promise<readonly KeptAuditHead[]>;
  /**
   * Calls back soon after jobs were queued by whatever process, where the store hears of it; the answer ends it. Word may be lost: who waits
   * looks by itself as well.
   */
  readonly onWork?: (callBack: () => void) => () => void;
  /** Jobs not done that still need the study, for staging's retention. */
  studyIsNeeded(studyInstanceUid: string): Promise<boolean>;
}
