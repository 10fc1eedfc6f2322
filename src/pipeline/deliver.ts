import type { Destination, NoteTranscoding, StudyDelivery } from "../delivery/destination.ts";
import { createSharedReading } from "../delivery/reading/shared-reading.ts";
import { deliverStudy, takenInOrder } from "../delivery/receipts.ts";
import { GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import type { DeidentifiedFile } from "../staging/deidentified-file.ts";
import { rethrowOutbox } from "../staging/outbox.ts";
import { reportedFiles } from "../staging/study-folder-report.ts";
import type { DeliveryRecord, JobChange, JobEvent, LedgerEntry } from "../store/records.ts";
import type { AuditEvent } from "../units/audit.ts";
import { packJson } from "../units/packed-json.ts";
import { deidentifyStudy } from "./deidentify.ts";
import { forgetProcessing, processStudy } from "./hook/process-study.ts";
import { hasOptedOut } from "./left-out.ts";
import { shareCopies, takeUpShared } from "./shared-copies.ts";
import type { StepContext, StepResult } from "./step.ts";
import { thumbnailOfStudy } from "./study-thumbnail.ts";
import { type TranscodingNoter, toldBefore, transcodingNoter } from "./transcoded.ts";

/**
 * De-identifies, delivers to every destination of the project and confirms each by read-back. The three belong together: a job that was cut
 * short while delivering makes the same de-identified files again, or takes those that were kept for all gateways, and asks the destination what
 * it holds before anything is sent.
 */
export async function deidentifyAndDeliver(context: StepContext): Promise<StepResult> {
  if (hasOptedOut(context, context.job.patientId)) return await leaveOutPatient(context);
  const takenUp = await takeUpShared(context).catch(rethrowOutbox);
  if (takenUp !== undefined) return "end" in takenUp ? takenUp.end : await deliver(context, takenUp.delivery, {});
  const { job, project, services } = context;
  if (job.stage !== "deidentifying") await context.write({ stage: "deidentifying" });
  const { files, attached, told, volumes, end } = await prepareStudy(context);
  const [first] = files;
  if (end !== undefined || first === undefined) {
    // Nothing was de-identified where its instances are to be fetched first.
    if (end?.kind === "end" || end === undefined)
      await context.write({ report: await packJson({ ...told, files: [] }), volumes, thumbnail: null });
    await services.outbox.remove(job.id);
    return end ?? { kind: "end", state: "excluded", code: "NOTHING_LEFT_BY_FILTERS" };
  }
  const delivery: StudyDelivery = {
    project: project.name,
    pseudonym: first.pseudonym,
    studyInstanceUid: first.studyInstanceUid,
    files,
    attached,
    report: told,
  };
  await shareCopies(context, delivery);
  return await deliver(context, delivery, { volumes, thumbnail: await thumbnailOfStudy(files, context.signal) });
}

/** @param made what else is written down of a study that was just made ready */
async function deliver(
  context: StepContext,
  delivery: StudyDelivery,
  made: Pick<JobChange, "volumes" | "thumbnail">,
): Promise<StepResult> {
  const { job, project, services } = context;
  const { pseudonym, studyInstanceUid, files, report: told } = delivery;
  const before = await toldBefore(context, files);
  const transcoded = before.length === 0 ? {} : { transcoded: before };
  const kept = { ...told, pseudonym, studyInstanceUid, ...transcoded, files: reportedFiles(files) };
  // To de-identify takes its time, in which the lists may have been read again.
  if (hasOptedOut(context, context.job.patientId)) return await leaveOutPatient(context);
  const report = await packJson(kept);
  // Told and asked at one moment: the store answers all at once.
  const [ledger] = await Promise.all([
    services.store.ledger(job.id),
    context.write({ stage: "delivering", report, ...made }),
    ...project.destinations.map(({ name }) =>
      record(context, { destination: name, state: "sending", instances: files.length, code: undefined }),
    ),
  ]);
  await deliverEverywhere(context, delivery, transcodingNoter(context, kept, before));
  await forgetCopies(context);
  return {
    kind: "end",
    state: "delivered",
    change: {
      stage: "confirming",
      ...confirmedBy(ledger, files),
      report: "delivered",
      events: [{ event: "delivered", detail: { instances: files.length, destinations: project.destinations.length } }],
    },
  };
}

/** De-identified, verified, and processed by the project's hook where it has one. */
async function prepareStudy(context: StepContext) {
  const { files, report, volumes, search, end } = await deidentifyStudy(context).catch(rethrowOutbox);
  const document = { ...report.document(), verdict: context.job.verdict ?? "unknown" };
  if (end !== undefined || files.length === 0) return { files, attached: [], told: document, volumes, end };
  const processed = await processStudy(context, files, search);
  const { told, ...made } = processed;
  const outcome = processed.end?.kind === "end" ? ({ outcome: "quarantined" } as const) : {};
  return { ...made, told: { ...document, ...outcome, ...(told === undefined ? {} : { processing: told }) }, volumes };
}

async function leaveOutPatient(context: StepContext): Promise<StepResult> {
  const { job, services, write } = context;
  await write({ thumbnail: null });
  await services.outbox.remove(job.id);
  await forgetProcessing(context);
  return { kind: "end", state: "excluded", code: "PATIENT_OPTED_OUT" };
}

/** Nothing of a study fails once the destinations have it: copies that stay are removed at the next start. */
async function forgetCopies(context: StepContext): Promise<void> {
  const { job, services } = context;
  try {
    await services.outbox.remove(job.id);
    await forgetProcessing(context);
  } catch (thrown) {
    services.logger.warn("copies of a delivered study could not be removed", { code: toGatewayError(thrown).code });
  }
}

/** What the account becomes once every destination holds everything; what one holds since an earlier time is not counted again. */
function confirmedBy(
  ledger: readonly LedgerEntry[],
  files: readonly DeidentifiedFile[],
): Pick<JobChange, "ledger" | "deliveredNow"> {
  const held = ledger.filter((entry) => entry.deidentifiedAtMs !== undefined && entry.excludedAtMs === undefined);
  const sizes = new Map<string, number>(files.map(({ sopInstanceUid, sizeBytes }) => [sopInstanceUid, sizeBytes]));
  const fresh = held.filter(({ deliveredAtMs }) => deliveredAtMs === undefined);
  const bytes = fresh.reduce((sum, { pseudoSopInstanceUid = "" }) => sum + (sizes.get(pseudoSopInstanceUid) ?? 0), 0);
  return {
    ledger: held.map(({ sopInstanceUid }) => ({ kind: "delivered", sopInstanceUid })),
    ...(fresh.length === 0 ? {} : { deliveredNow: { instances: fresh.length, bytes } }),
  };
}

/**
 * Side by side, each file read once for all that are at it together: one that is down keeps nothing from the others. What may still succeed decides
 * whether the job is tried again.
 */
async function deliverEverywhere(
  context: StepContext,
  delivery: StudyDelivery,
  noter: TranscodingNoter,
): Promise<void> {
  const { destinations } = context.project;
  await using sharing =
    destinations.length > 1 ? createSharedReading(takenInOrder(delivery), context.signal) : undefined;
  const ends = await Promise.allSettled(
    destinations.map(async (destination) => {
      using reading = sharing?.join();
      const study = reading === undefined ? { ...delivery, isHandedOver: true } : { ...delivery, reading };
      await deliverTo(context, destination, study, noter(destination.name));
    }),
  );
  context.signal.throwIfAborted();
  const failures = ends.flatMap((end) => (end.status === "rejected" ? [end.reason] : []));
  if (failures.length === 0) return;
  throw failures.find((failure) => toGatewayError(failure).class !== "permanent") ?? failures[0];
}

async function deliverTo(
  context: StepContext,
  destination: Destination,
  study: StudyDelivery,
  note: NoteTranscoding,
): Promise<void> {
  const filesTo = context.project.hook?.settings.filesTo;
  const getsFiles = filesTo === undefined || filesTo.includes(destination.name);
  const delivery = getsFiles ? study : { ...study, attached: [] };
  const instances = delivery.files.length;
  try {
    const receipt = await deliverStudy(destination, delivery, context.services.clock, context.signal, note);
    const { actor } = context.services;
    const { id, project } = context.job;
    const detail = { destination: destination.name, instances: receipt.instances, proof: receipt.proof };
    const { proof } = receipt;
    await record(
      context,
      { destination: destination.name, state: "confirmed", instances: receipt.instances, code: undefined, proof },
      { event: "delivery-done", actor, outcome: "success", job: id, project, detail },
      { event: "confirmed by read-back", detail },
    );
  } catch (thrown) {
    context.signal.throwIfAborted();
    await record(context, {
      destination: destination.name,
      state: "failed",
      instances,
      code: toGatewayError(thrown).code,
    });
    throw thrown;
  }
}

async function record(
  { services, lease }: StepContext,
  delivery: Omit<DeliveryRecord, "changedAtMs">,
  audit?: AuditEvent,
  event?: Omit<JobEvent, "atMs">,
): Promise<void> {
  if (!(await services.store.recordDelivery(lease, delivery, services.clock.nowMs(), audit, event)))
    throw new GatewayError("LEASE_LOST");
}
