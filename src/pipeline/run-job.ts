import { AVAILABILITY_CODES } from "../archive/availability/govern-archive.ts";
import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import { type ErrorCode, errorRegistry } from "../errors/registry.ts";
import type { Stage } from "../store/job-states.ts";
import type { ClaimedJob, JobChange, JobRecord } from "../store/records.ts";
import type { Store } from "../store/store.ts";
import type { AuditEvent } from "../units/audit.ts";
import { deidentifyAndDeliver } from "./deliver.ts";
import { forgetProcessing } from "./hook/process-study.ts";
import { keepLease, LEASE_MS } from "./keep-lease.ts";
import { keepStaged } from "./keep-staged.ts";
import { forgetLeftOut } from "./left-out.ts";
import { locate } from "./locate.ts";
import { retrieve } from "./retrieve.ts";
import { retryDelayMs, TRIED_AGAIN } from "./retry.ts";
import type { PipelineProject, PipelineServices } from "./services.ts";
import { forgetSharedWhenDone } from "./shared-copies.ts";
import type { RunRecall, Step, StepContext, StepResult } from "./step.ts";
import { verify } from "./verify.ts";

/** Where a claimed job goes on. After a crash while delivering it de-identifies again: same bytes, nothing sent twice. */
const STEPS: { readonly [S in Stage]: Step } = {
  locating: locate,
  retrieving: retrieve,
  verifying: verify,
  deidentifying: deidentifyAndDeliver,
  delivering: deidentifyAndDeliver,
  confirming: deidentifyAndDeliver,
};

/** More steps than stages would mean that a step sends the job back again and again. */
const MAXIMUM_STEPS = 12;

/** A project that comes back wakes its jobs; this is for the case that the word got lost. */
const PROJECT_LOOK_MS = 900_000;

/** So soon the key of the withdrawn list is looked for again. */
const WITHDRAWN_KEY_LOOK_MS = 60_000;

/** For whom the next job is claimed while one is settled. */
export interface NextClaim {
  readonly worker: string;
  /** Asked at the job's end. */
  isWanted(): boolean;
}

/**
 * Runs a claimed job to its end, to its next wait, or until the signal is aborted. Settles its state in the store; throws only when the store
 * fails. Answers the job that was claimed next, if one was.
 */
export async function runJob(
  services: PipelineServices,
  claimed: ClaimedJob,
  stop: AbortSignal,
  next?: NextClaim,
): Promise<ClaimedJob | undefined> {
  const cancelled = new AbortController();
  const signal = AbortSignal.any([stop, cancelled.signal]);
  const renewal = keepLease(services, claimed.lease, cancelled);
  const begun: Begun = {};
  try {
    const facts = { "radferry.job": claimed.job.id, "radferry.project": claimed.job.project };
    const result = await services.traces.within("study", facts, () => runSteps(services, claimed, begun, signal));
    return await settle(services, claimed, result, next);
  } catch (thrown) {
    const failure: unknown = cancelled.signal.aborted ? cancelled.signal.reason : thrown;
    // Stopped or no longer ours: the job stays as journalled and is taken up again.
    if (stop.aborted || toGatewayError(failure).code === "LEASE_LOST") return undefined;
    // The lease could not be renewed.
    if (cancelled.signal.aborted) throw failure;
    const isReloaded = begun.project !== undefined && begun.project !== services.projects.get(claimed.job.project);
    return await settleFailure(services, claimed, { error: toGatewayError(thrown), isReloaded }, next);
  } finally {
    await renewal[Symbol.asyncDispose]();
    if (!stop.aborted) await forgetSharedWhenDone(services, claimed.job.id);
  }
}

/** What a job goes on with from its beginning to its end. */
interface Begun {
  project?: PipelineProject;
}

async function runSteps(
  services: PipelineServices,
  claimed: ClaimedJob,
  begun: Begun,
  signal: AbortSignal,
): Promise<StepResult> {
  using _open = services.hold?.();
  const recall: RunRecall = {};
  let result: StepResult | undefined;
  try {
    const project = services.projects.get(claimed.job.project);
    // It was taken out of the settings: its jobs wait for it to come back.
    if (project === undefined) return { kind: "pause", code: "PROJECT_UNKNOWN", delayMs: PROJECT_LOOK_MS };
    begun.project = project;
    result = await stepByStep(services, claimed, { project, recall }, signal);
    return result;
  } finally {
    await keepStaged(services, recall, result);
  }
}

async function stepByStep(
  services: PipelineServices,
  { lease, job: claimedJob }: ClaimedJob,
  { project, recall }: { readonly project: PipelineProject; readonly recall: RunRecall },
  signal: AbortSignal,
): Promise<StepResult> {
  let job: JobRecord = claimedJob;
  const write = async (change: JobChange): Promise<void> => {
    if (!(await services.store.change(lease, change, services.clock.nowMs()))) throw new GatewayError("LEASE_LOST");
  };
  const contextOf = (): StepContext => ({ services, project, job, lease, signal, recall, write });
  let withdrawn = await ifWithdrawn(contextOf());
  for (let count = 0; count < MAXIMUM_STEPS; count += 1) {
    signal.throwIfAborted();
    if (withdrawn !== undefined) return withdrawn;
    const context = contextOf();
    const stage = isAstray(job, project) ? "locating" : job.stage;
    const result = await services.traces.within(`stage ${stage}`, { "radferry.job": job.id }, () =>
      STEPS[stage](context),
    );
    if (result.kind === "journalled") {
      job = result.job;
      withdrawn = await ifWithdrawn(contextOf());
      continue;
    }
    if (result.kind !== "next") return result;
    job = { ...job, ...recordedOf(result) };
    // Told and asked at one moment: the store answers both at once.
    [, withdrawn] = await Promise.all([write({ ...result.change, stage: result.stage }), ifWithdrawn(contextOf())]);
  }
  throw new GatewayError("INTERNAL", { stage: job.stage });
}

/** What a later step looks at of what a step changed. */
function recordedOf({ stage, change }: StepResult & { readonly kind: "next" }): Partial<JobRecord> {
  return typeof change?.verdict === "string" ? { stage, verdict: change.verdict } : { stage };
}

/** Asked before every stage: before an archive is asked, once it told who the patient is, and before anything is de-identified. */
async function ifWithdrawn(context: StepContext): Promise<StepResult | undefined> {
  const { services, job } = context;
  if (job.patientId === undefined) return undefined;
  try {
    return (await services.isWithdrawn(job.project, job.patientId)) ? await leaveOut(context) : undefined;
  } catch (thrown) {
    const { code } = toGatewayError(thrown);
    if (errorRegistry[code].class !== "permanent") throw thrown;
    // Without its key the list knows nobody: nothing moves until an operator has put it back.
    return { kind: "pause", code, delayMs: WITHDRAWN_KEY_LOOK_MS };
  }
}

async function leaveOut(context: StepContext): Promise<StepResult> {
  const { services, job, write } = context;
  await write({ thumbnail: null });
  await services.outbox.remove(job.id);
  await forgetProcessing(context);
  return { kind: "end", state: "excluded", code: "PATIENT_WITHDRAWN" };
}

/** Its archive was taken out of the project since: it is looked for in those that are left. */
function isAstray({ stage, archive }: JobRecord, { archives }: PipelineProject): boolean {
  const needsArchive = stage === "retrieving" || stage === "verifying";
  return needsArchive && archives.every(({ name }) => name !== archive);
}

async function end(
  { store }: PipelineServices,
  { lease }: ClaimedJob,
  outcome: Parameters<Store["settle"]>[1],
  nowMs: number,
  next: NextClaim | undefined,
): ReturnType<Store["settleAndClaim"]> {
  if (next?.isWanted() === true) {
    const { worker } = next;
    return await store.settleAndClaim(lease, outcome, { worker, leaseMs: LEASE_MS }, nowMs);
  }
  return { isSettled: await store.settle(lease, outcome, nowMs), claimed: undefined };
}

async function settle(
  services: PipelineServices,
  claimed: ClaimedJob,
  result: StepResult,
  next: NextClaim | undefined,
): Promise<ClaimedJob | undefined> {
  const { job } = claimed;
  const nowMs = services.clock.nowMs();
  if (result.kind === "end") {
    const { isSettled, claimed: following } = await end(
      services,
      claimed,
      {
        state: result.state,
        attempts: job.attempts,
        ...(result.code === undefined ? {} : { code: result.code }),
        change: { ...result.change, events: [...(result.change?.events ?? []), ...endOf(result)] },
        ...(result.state === "quarantined" ? { audit: quarantineEntered(services, job, result.code) } : {}),
      },
      nowMs,
      next,
    );
    await forgetLeftOut(services, job, result.code);
    // It was cancelled, or is somebody else's by now.
    if (!isSettled) return following;
    services.logger.info("job ended", { job: job.id, project: job.project, state: result.state, code: result.code });
    return following;
  }
  if (result.kind !== "pause") return undefined;
  // Who took the project in again woke what was waiting then: this job was not, and nobody would wake it.
  const isBack = result.code === "PROJECT_UNKNOWN" && services.projects.has(job.project);
  const wait = {
    state: "waiting",
    code: result.code,
    dueAtMs: isBack ? nowMs : nowMs + result.delayMs,
    attempts: job.attempts,
  } as const;
  return (await end(services, claimed, wait, nowMs, next)).claimed;
}

/** A delivery stands in the timeline with its counts already; every other end is told with its reason. */
function endOf({ state, code }: Extract<StepResult, { kind: "end" }>): NonNullable<JobChange["events"]> {
  return state === "delivered" ? [] : [{ event: state, detail: code === undefined ? {} : { code } }];
}

function quarantineEntered({ actor }: PipelineServices, job: JobRecord, code: ErrorCode | undefined): AuditEvent {
  const detail = { code: code ?? "" };
  return { event: "quarantine-entered", actor, outcome: "success", job: job.id, project: job.project, detail };
}

/** What the settings say of when an archive may be asked: a job that began with other settings looks again by those in force. */
const OF_THE_SETTINGS: ReadonlySet<ErrorCode> = new Set(["ARCHIVE_CLOSED", "ARCHIVE_RATE_LIMITED"]);

interface Failure {
  readonly error: GatewayError;
  /** Other settings came into force while the job ran, and woke those alone that waited then. */
  readonly isReloaded: boolean;
}

async function settleFailure(
  services: PipelineServices,
  claimed: ClaimedJob,
  { error, isReloaded }: Failure,
  next: NextClaim | undefined,
): Promise<ClaimedJob | undefined> {
  const { retry, random, clock, logger } = services;
  const { job } = claimed;
  const nowMs = clock.nowMs();
  const { untilMs, archive } = error.details;
  const failedAt = archiveOf(job, error);
  // Nothing failed: the archive may not be asked now, and says when it may.
  if (AVAILABILITY_CODES.has(error.code) && typeof untilMs === "number") {
    const wait = {
      state: "waiting",
      code: error.code,
      dueAtMs: isReloaded && OF_THE_SETTINGS.has(error.code) ? nowMs : Math.max(untilMs, nowMs),
      ...(typeof archive === "string" ? { heldBackBy: archive } : {}),
      attempts: job.attempts,
      change: failedAt,
    } as const;
    return (await end(services, claimed, wait, nowMs, next)).claimed;
  }
  const attempts = job.attempts + 1;
  const mayRetry = error.class !== "permanent" && attempts < retry.attempts;
  const change: JobChange = {
    ...failedAt,
    events: [{ event: mayRetry ? TRIED_AGAIN : "failed", detail: { ...error.details, code: error.code, attempts } }],
  };
  const outcome = mayRetry
    ? ({
        state: "waiting",
        code: error.code,
        dueAtMs: nowMs + retryDelayMs(retry, attempts, random, error.details),
        attempts,
        change,
      } as const)
    : ({ state: "failed", code: error.code, attempts, change } as const);
  const { isSettled, claimed: following } = await end(services, claimed, outcome, nowMs, next);
  if (!isSettled) return following;
  logger.warn("job step failed", {
    job: job.id,
    project: job.project,
    code: error.code,
    attempts,
    state: outcome.state,
  });
  return following;
}

/** Where it failed, of a job that is not located yet: its record tells no other archive. One that went astray is looked for anew at its next try. */
function archiveOf({ stage }: JobRecord, { details: { archive } }: GatewayError): Pick<JobChange, "archive"> {
  return stage === "locating" && typeof archive === "string" ? { archive } : {};
}
