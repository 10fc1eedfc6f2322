import type { Archive, StudyListing } from "../archive/archive.ts";
import { parseStudyInstanceUid, type StudyInstanceUid } from "../dicom/uid.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import type { JobState, Stage } from "../store/job-states.ts";
import type { JobChange, JobRecord, Lease } from "../store/records.ts";
import type { RetryPolicy } from "./retry.ts";
import type { PipelineProject, PipelineServices } from "./services.ts";

/** Kept in memory for as long as a worker has the job. */
export interface RunRecall {
  /** What was put into staging in this run. */
  fetched?: StudyInstanceUid;
  /** What the archive listed when it was last asked, and what was accounted for as received of it. */
  listed?: {
    readonly listing: StudyListing;
    readonly listedAtMs: number;
    readonly accounted: ReadonlySet<string>;
  };
}

/** What a step of a job has at hand. `job` is the record as it was when the step began. */
export interface StepContext {
  readonly services: PipelineServices;
  readonly project: PipelineProject;
  readonly job: JobRecord;
  readonly lease: Lease;
  /** Aborted when the job is cancelled, its lease is lost, or the gateway stops. */
  readonly signal: AbortSignal;
  /** What the steps of one run tell each other; a step that begins a run finds nothing. */
  readonly recall: RunRecall;
  /** Journals a change. @throws GatewayError LEASE_LOST when the job is no longer ours: the step must stop. */
  write(change: JobChange): Promise<void>;
}

export type EndState = Exclude<JobState, "queued" | "waiting" | "running">;

/** How a step ended. Errors are thrown instead; their code decides what follows. */
export type StepResult =
  /** The change is journalled together with the stage. */
  | { readonly kind: "next"; readonly stage: Stage; readonly change?: Omit<JobChange, "stage"> }
  /** It is journalled already, and this is the job as the store has it. */
  | { readonly kind: "journalled"; readonly job: JobRecord }
  | { readonly kind: "end"; readonly state: EndState; readonly code?: ErrorCode; readonly change?: JobChange }
  /** The study is another job's: this one was dissolved into it. */
  | { readonly kind: "joined" }
  /** Not a failure of the study: it waits until the gateway itself can go on, and no try is counted. */
  | { readonly kind: "pause"; readonly code: ErrorCode; readonly delayMs: number };

/** How long work pauses at most before the gateway's own state is looked at again. */
const LONGEST_PAUSE_MS = 15_000;

export function pauseFor(code: ErrorCode, retry: RetryPolicy): StepResult {
  return { kind: "pause", code, delayMs: Math.min(LONGEST_PAUSE_MS, retry.maximumDelayMs) };
}

export type Step = (context: StepContext) => Promise<StepResult>;

/** A later stage cannot be reached without a located study: if it is, the store was tampered with. */
export function studyOf(job: JobRecord): StudyInstanceUid {
  if (job.studyInstanceUid === undefined) throw new GatewayError("INTERNAL", { stage: job.stage });
  return parseStudyInstanceUid(job.studyInstanceUid);
}

/** @throws GatewayError ARCHIVE_UNKNOWN when the archive was taken out of the project since. */
export function archiveOf({ job, project }: StepContext): Archive {
  const archive = project.archives.find(({ name }) => name === job.archive);
  if (archive === undefined) throw new GatewayError("ARCHIVE_UNKNOWN", { project: project.name });
  return archive;
}
