import { type GatewayError, toGatewayError } from "../../../errors/gateway-error.ts";
import type { ErrorCode } from "../../../errors/registry.ts";
import { backOffMs } from "../../../pipeline/retry.ts";
import type { ClaimedInboxMessage, InboxMessage, InboxOutcome, InboxStore } from "../../../store/inbox.ts";
import { withFields } from "../../../units/logger.ts";
import type { Random } from "../../../units/random.ts";
import type { Broker } from "../intake/broker.ts";
import { parkMessage } from "../intake/park.ts";
import { IMAGING_QUEUES, type ImagingQueue } from "../intake/queues.ts";
import { deserialise } from "../messages/deserialise.ts";
import type { Message } from "../messages/message.ts";
import { type Disposition, dispositionOf, type RetryPolicies } from "./dispositions.ts";
import { type ArchiveName, processingError } from "./errors.ts";
import { type HeldLease, holdLease } from "./lease.ts";
import { processMessage } from "./process-message.ts";
import type { Processing } from "./processing.ts";
import { type Progress, readProgress, writeProgress } from "./progress.ts";

export interface WorkOptions {
  readonly store: Pick<InboxStore, "renewInboxMessage" | "settleInboxMessage">;
  readonly broker: Pick<Broker, "publish">;
  readonly processing: Processing;
  readonly retry: RetryPolicies;
  readonly random: Random;
  /** Whether the patient was withdrawn from the project. @throws GatewayError while that cannot be told */
  readonly isWithdrawn?: ((project: string, patientId: string) => Promise<boolean>) | undefined;
}

/** A message that is worked on. */
interface Work {
  readonly queue: ImagingQueue;
  readonly message: InboxMessage;
  readonly lease: HeldLease;
  readonly options: WorkOptions;
}

/** How long after a crash its messages are taken up again at the latest. */
export const LEASE_MS = 60_000;

/** So soon the withdrawn list is looked for again. */
const LIST_LOOK_MS = 60_000;

const ARCHIVES: Readonly<Record<ImagingQueue, ArchiveName>> = {
  "imaging-primary": "primary",
  "imaging-secondary": "secondary",
};

/** PIXL's own, but for the identifiers in them. */
const TEXTS: Readonly<Record<InboxOutcome["state"], string>> = {
  done: "Finished message",
  failed: "Failed message",
  waiting: "Message waits",
};

/**
 * Processes a claimed message and settles it: done, ended for a reason, or held until it is tried again. What goes on to another queue is
 * confirmed there before it is settled here.
 * @param stop aborting it gives the message back, to be claimed again at once
 */
export async function workOff(
  queue: ImagingQueue,
  claimed: ClaimedInboxMessage,
  options: WorkOptions,
  stop: AbortSignal,
): Promise<void> {
  const { store, processing } = options;
  const { clock, logger } = processing;
  const { message } = claimed;
  await using lease = holdLease(claimed.lease, { store, clock, leaseMs: LEASE_MS }, stop);
  const outcome = await outcomeOf({ queue, message, lease, options }).catch((thrown: unknown): InboxOutcome => {
    if (!lease.signal.aborted) throw thrown;
    return { state: "waiting", code: "CANCELLED", dueAtMs: clock.nowMs(), attempts: message.attempts };
  });
  const isOurs = await store.settleInboxMessage(claimed.lease, outcome, clock.nowMs());
  if (!isOurs) return;
  const { state, attempts } = outcome;
  const facts = { queue, job: message.id, state, attempts };
  if (outcome.state === "failed") logger.warn(TEXTS[state], { ...facts, code: outcome.code });
  else logger.info(TEXTS[state], outcome.state === "done" ? facts : { ...facts, code: outcome.code });
}

async function outcomeOf(work: Work): Promise<InboxOutcome> {
  const { queue, message, lease, options } = work;
  const { signal } = lease;
  let progress = readProgress(message.progress);
  const beforeHandover = async (): Promise<void> => {
    progress = { ...progress, handovers: progress.handovers + 1 };
    await lease.renew(writeProgress(progress));
  };
  const processing = {
    ...options.processing,
    logger: withFields(options.processing.logger, { queue, job: message.id }),
  };
  try {
    const wanted = deserialise(message.body);
    const withdrawn = await ifWithdrawn(work, wanted, progress);
    if (withdrawn !== undefined) return withdrawn;
    const ofProject = options.isWithdrawn;
    const isWithdrawn = ofProject && ((patientId: string) => ofProject(wanted.projectName, patientId));
    const report = await processMessage(wanted, ARCHIVES[queue], processing, { signal, beforeHandover, isWithdrawn });
    const { isHandedOver, ...counts } = report;
    return done(message, { ...progress, ...counts, outcome: isHandedOver ? "handed-over" : "kept-in-raw" });
  } catch (thrown) {
    signal.throwIfAborted();
    return await disposed(work, progress, processingError(thrown, "asking"));
  }
}

/** No archive is asked about the patient; while nobody can tell whether one may be, the message waits. */
async function ifWithdrawn(
  { message, options }: Work,
  { projectName, mrn }: Message,
  progress: Progress,
): Promise<InboxOutcome | undefined> {
  try {
    if ((await options.isWithdrawn?.(projectName, mrn)) !== true) return undefined;
    return failed(message, "PATIENT_WITHDRAWN", { ...progress, outcome: "discarded" });
  } catch (thrown) {
    const dueAtMs = options.processing.clock.nowMs() + LIST_LOOK_MS;
    return waiting(message, toGatewayError(thrown).code, { dueAtMs, progress });
  }
}

async function disposed(work: Work, progress: Progress, failure: GatewayError): Promise<InboxOutcome> {
  const { message, lease, options } = work;
  const { retry, random, processing } = options;
  const nowMs = processing.clock.nowMs();
  const { attempts } = message;
  const disposition = dispositionOf(failure, { failures: progress.failures, attempts, nowMs }, retry, random);
  try {
    return await carriedOut(disposition, work, progress);
  } catch (thrown) {
    lease.signal.throwIfAborted();
    // The other queue has not confirmed it: it stays here, and rests from now on, however long the broker kept us waiting.
    const dueAtMs = processing.clock.nowMs() + backOffMs(retry.site, attempts + 1, random);
    return waiting(message, toGatewayError(thrown).code, { dueAtMs, progress });
  }
}

async function carriedOut(disposition: Disposition, work: Work, progress: Progress): Promise<InboxOutcome> {
  const { message, queue, options } = work;
  const { broker, processing } = options;
  switch (disposition.kind) {
    case "wait": {
      const { code, untilMs: dueAtMs, counts } = disposition;
      const failures = progress.failures + (counts ? 1 : 0);
      return waiting(message, code, { dueAtMs, progress: { ...progress, failures } });
    }
    case "forward": {
      const { body, priority } = message;
      await broker.publish({ queue: IMAGING_QUEUES[1], body, priority });
      return done(message, { ...progress, outcome: "forwarded" });
    }
    case "discard":
      return failed(message, disposition.code, { ...progress, outcome: "discarded" });
    case "park": {
      const { failure } = disposition;
      await parkMessage({ broker, logger: processing.logger }, queue, { ...message, failure });
      return failed(message, failure.code, { ...progress, outcome: "parked" });
    }
  }
}

function done({ attempts }: InboxMessage, progress: Progress): InboxOutcome {
  return { state: "done", progress: writeProgress(progress), attempts: attempts + 1 };
}

function failed({ attempts }: InboxMessage, code: ErrorCode, progress: Progress): InboxOutcome {
  return { state: "failed", code, progress: writeProgress(progress), attempts: attempts + 1 };
}

function waiting(
  { attempts }: InboxMessage,
  code: ErrorCode,
  { dueAtMs, progress }: { readonly dueAtMs: number; readonly progress: Progress },
): InboxOutcome {
  return { state: "waiting", code, dueAtMs, progress: writeProgress(progress), attempts: attempts + 1 };
}
