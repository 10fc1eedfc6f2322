import { z } from "zod";
import { type ErrorDetails, GatewayError } from "../../../errors/gateway-error.ts";
import type { ErrorCode } from "../../../errors/registry.ts";
import { neverAborted, orAborted } from "../../../units/abort.ts";
import type { Clock } from "../../../units/clock.ts";
import { HttpError } from "../../http-client/http-error.ts";
import type { HttpClient } from "../../http-client/types.ts";
import { ask, post } from "./ask.ts";

/** A UUID. */
const jobId = z.string().regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);

/** What an Orthanc tells of a job; its `Content` and `ErrorDetails` may name patients and are left where they are. */
const jobResource = z
  .object({
    ID: jobId,
    Type: z.string(),
    State: z.enum(["Pending", "Running", "Success", "Failure", "Paused", "Retry"]),
    Progress: z.number(),
    ErrorCode: z.number(),
  })
  .transform(({ ID, Type, State, Progress, ErrorCode }) => ({
    id: ID,
    type: Type,
    state: State,
    progressPercent: Progress,
    errorCode: ErrorCode,
  }));

export type OrthancJob = z.infer<typeof jobResource>;

/** The answer to what begins a job. */
export const startedJob = z.object({ ID: jobId }).transform(({ ID }) => ID);

/** Errors of a job that mean more than that it failed, by Orthanc's `ErrorCode`. OrthancFramework/Sources/Enumerations.h */
const CODES_OF_ERRORS: ReadonlyMap<number, ErrorCode> = new Map([
  [9, "ORTHANC_MODALITY_FAILED"],
  [37, "ORTHANC_JOB_CANCELLED"],
]);

export interface WatchOptions {
  readonly clock: Clock;
  /** Until the job is done, counted from this call; waiting for its turn included. */
  readonly timeoutMs: number;
  /** Aborting it cancels the job. */
  readonly signal: AbortSignal;
  /** Before the second look. @default 50 */
  readonly firstDelayMs?: number;
  /** Each wait is so many times the one before. @default 1.5 */
  readonly factor?: number;
  /** Longest wait between two looks. @default 2000 */
  readonly maximumDelayMs?: number;
  /** Called with every look at a job that is not done. */
  readonly onProgress?: (job: OrthancJob) => void;
}

const USUAL_DELAYS = { firstDelayMs: 50, factor: 1.5, maximumDelayMs: 2_000 };
/** One look; an Orthanc that is slower is asked again. */
const LOOK_MS = 30_000;
/** Looks in a row that may fail for a passing reason: a restart of the Orthanc keeps its jobs. */
const MAXIMUM_FAILED_LOOKS = 5;
/** How long the end of a cancelled job is waited for: what it is at goes on to its end. */
const CONFIRM_MS = { afterDeadline: 10_000, afterAbort: 1_000 };

/** The job as it stands. @throws GatewayError ORTHANC_JOB_LOST, and those of the exchange */
async function jobOf(client: HttpClient, job: string, signal: AbortSignal): Promise<OrthancJob> {
  try {
    return await ask(client, jobResource, { path: `jobs/${job}`, signal, timeouts: { totalMs: LOOK_MS } });
  } catch (thrown) {
    // Finished jobs leave when JobsHistorySize newer ones have finished.
    if (thrown instanceof HttpError && thrown.status === 404) throw new GatewayError("ORTHANC_JOB_LOST", {}, thrown);
    throw thrown;
  }
}

/** All jobs that the Orthanc remembers, in no order. */
export function listJobs(client: HttpClient, signal: AbortSignal): Promise<readonly OrthancJob[]> {
  const request = { path: "jobs", query: [["expand", ""]], signal, timeouts: { totalMs: LOOK_MS } } as const;
  return ask(client, z.array(jobResource), request);
}

/**
 * Looks at a job until it has succeeded: soon at first, then ever less often. Paused, and waiting for another try of its own, it is not
 * done. When the time is up or the signal aborted the job is cancelled; what it was at may go on to its end.
 * @throws GatewayError ORTHANC_JOB_FAILED, ORTHANC_MODALITY_FAILED or ORTHANC_JOB_CANCELLED with Orthanc's ErrorCode, ORTHANC_JOB_LOST,
 * ORTHANC_JOB_TIMED_OUT, ORTHANC_JOB_UNCANCELLED; what five looks in a row failed with; the reason of the signal
 */
export async function watchJob(client: HttpClient, job: string, options: WatchOptions): Promise<OrthancJob> {
  const { clock, timeoutMs, signal } = options;
  const deadlineMs = clock.nowMs() + timeoutMs;
  try {
    const done = await settled(client, job, deadlineMs, options);
    if (done !== undefined) return succeeded(done);
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    await cancelled(client, job, clock.nowMs() + CONFIRM_MS.afterAbort, clock);
    throw signal.reason;
  }
  const last = await cancelled(client, job, clock.nowMs() + CONFIRM_MS.afterDeadline, clock);
  if (last?.state === "Success") return last;
  const code = last === undefined ? "ORTHANC_JOB_UNCANCELLED" : "ORTHANC_JOB_TIMED_OUT";
  throw new GatewayError(code, { timeoutMs, ...(last && { type: last.type, progressPercent: last.progressPercent }) });
}

/** The job when it is done; undefined when it is not by then. */
async function settled(
  client: HttpClient,
  job: string,
  deadlineMs: number,
  { clock, signal, onProgress, ...given }: Omit<WatchOptions, "timeoutMs">,
): Promise<OrthancJob | undefined> {
  const { firstDelayMs, factor, maximumDelayMs } = { ...USUAL_DELAYS, ...given };
  let failedLooks = 0;
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * factor, maximumDelayMs)) {
    const seen = await jobOf(client, job, signal).catch((thrown: unknown) => {
      signal.throwIfAborted();
      failedLooks += 1;
      if (failedLooks >= MAXIMUM_FAILED_LOOKS || !(thrown instanceof HttpError) || thrown.class !== "transient")
        throw thrown;
      return undefined;
    });
    if (seen !== undefined) {
      failedLooks = 0;
      if (isDone(seen)) return seen;
      onProgress?.(seen);
    }
    const leftMs = deadlineMs - clock.nowMs();
    if (leftMs <= 0) return undefined;
    await clock.sleep(Math.min(delayMs, leftMs), signal);
  }
}

function isDone({ state }: OrthancJob): boolean {
  return state === "Success" || state === "Failure";
}

function succeeded(job: OrthancJob): OrthancJob {
  if (job.state === "Success") return job;
  const { type, errorCode, progressPercent } = job;
  const details: ErrorDetails = { errorCode, progressPercent, ...(/^\w{1,64}$/.test(type) && { type }) };
  throw new GatewayError(CODES_OF_ERRORS.get(errorCode) ?? "ORTHANC_JOB_FAILED", details);
}

/** Cancels a job and gives it as it ended; undefined when that is not known. It never throws: why it is cancelled is said already. */
async function cancelled(
  client: HttpClient,
  job: string,
  deadlineMs: number,
  clock: Clock,
): Promise<OrthancJob | undefined> {
  try {
    await cancelJob(client, job, neverAborted());
    return await settled(client, job, deadlineMs, { clock, signal: neverAborted() });
  } catch {
    return undefined;
  }
}

/** Asks for a job's end: at once when it waits, after what it is at when it runs. @throws HttpError, HTTP_REFUSED for an unknown job */
async function cancelJob(client: HttpClient, job: string, signal: AbortSignal): Promise<void> {
  await using _ = await client.request({ ...post(`jobs/${job}/cancel`, {}, signal), timeouts: { totalMs: LOOK_MS } });
}

export interface PendingGauge {
  /** How many jobs wait for their turn in the Orthanc, as of a moment ago. */
  pending(signal: AbortSignal): Promise<number>;
}

/** Asks once for all who ask within that time. @param maximumAgeMs of what is answered */
export function createPendingGauge(client: HttpClient, clock: Clock, maximumAgeMs: number): PendingGauge {
  let known: { readonly atMs: number; readonly count: Promise<number> } | undefined;
  const count = async (): Promise<number> => {
    // Whoever asks first may leave before the answer that the others wait for.
    const jobs = await listJobs(client, neverAborted());
    return jobs.filter(({ state }) => state === "Pending").length;
  };
  return {
    async pending(signal) {
      const nowMs = clock.nowMs();
      if (known === undefined || nowMs - known.atMs >= maximumAgeMs || nowMs < known.atMs) {
        const asked = { atMs: nowMs, count: count() };
        known = asked;
        asked.count.catch(() => {
          if (known === asked) known = undefined;
        });
      }
      return await orAborted(known.count, signal);
    },
  };
}
