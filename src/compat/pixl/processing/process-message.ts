import { neverAborted } from "../../../units/abort.ts";
import { checkKeys, type MessageKeys } from "../messages/keys.ts";
import type { Message } from "../messages/message.ts";
import { completeStudy } from "./complete.ts";
import { type ArchiveName, OutOfHoursError, processingError, type Stage } from "./errors.ts";
import { handOver } from "./hand-over.ts";
import { type IsWithdrawn, type LocateOptions, locate, notFoundIn, type WantedStudy } from "./locate.ts";
import type { Processing } from "./processing.ts";

export interface ProcessOptions {
  readonly signal?: AbortSignal;
  /** Before studies are handed over: what is done after it may be done again when it is broken off. */
  readonly beforeHandover?: () => Promise<void>;
  /** Whether a patient was withdrawn from the message's project. */
  readonly isWithdrawn?: IsWithdrawn | undefined;
}

/** What was done for a message. */
export interface ProcessingReport {
  readonly studies: number;
  /** Of the wanted series, in orthanc-raw. */
  readonly instances: number;
  /** Those among them that were not there before. */
  readonly retrieved: number;
  /** False: the settings let studies end in orthanc-raw. */
  readonly isHandedOver: boolean;
}

/**
 * Has orthanc-raw hold the studies of a message whole, as the archive lists them, and hands them to orthanc-anon. It may be done again:
 * what is there is not fetched again.
 * @throws StudyNotInPrimaryArchiveError, OutOfHoursError, RequeueMessageError, DiscardError; the reason of the signal
 */
export async function processMessage(
  message: Message,
  archive: ArchiveName,
  processing: Processing,
  { signal = neverAborted(), beforeHandover = () => Promise.resolve(), isWithdrawn }: ProcessOptions = {},
): Promise<ProcessingReport> {
  const { settings, clock } = processing;
  let stage: Stage = "asking";
  try {
    const keys = checkKeys(message);
    checkHours(archive, processing);
    const studies = await found(keys, archive, processing, { isWithdrawn, signal });
    stage = "retrieving";
    const { instances, retrieved } = await completeStudies(studies, keys, archive, processing, signal);
    const report = { studies: studies.length, instances, retrieved, isHandedOver: settings.handsOver };
    if (!settings.handsOver) return report;
    stage = "handing-over";
    await beforeHandover();
    await handOver(
      settings.handover,
      {
        studyInstanceUids: studies.map(({ studyInstanceUid }) => studyInstanceUid),
        seriesInstanceUids: keys.seriesInstanceUids,
        projectName: message.projectName,
      },
      { ...processing, ...settings, raw: processing.raw, anon: processing.anon, clock, signal },
    );
    return report;
  } catch (thrown) {
    signal.throwIfAborted();
    throw processingError(thrown, stage);
  }
}

function checkHours(archive: ArchiveName, { sources, clock }: Processing): void {
  const nowMs = clock.nowMs();
  const opensAtMs = sources[archive].hours(nowMs);
  if (opensAtMs !== nowMs) throw new OutOfHoursError(opensAtMs);
}

async function found(
  keys: MessageKeys,
  archive: ArchiveName,
  { settings, sources, reference, logger }: Processing,
  options: Pick<LocateOptions, "isWithdrawn" | "signal">,
): Promise<readonly WantedStudy[]> {
  const { maximumStudies, primary, secondary } = settings;
  const source = sources[archive];
  const studies = await locate(keys, { ...options, source, maximumStudies, reference, logger });
  if (studies.length === 0) throw notFoundIn(archive, primary.aeTitle === secondary.aeTitle);
  return studies;
}

/** One study after the other: an archive is asked for no more at once than there are messages in flight. */
async function completeStudies(
  studies: readonly WantedStudy[],
  { seriesInstanceUids }: MessageKeys,
  archive: ArchiveName,
  processing: Processing,
  signal: AbortSignal,
): Promise<{ readonly instances: number; readonly retrieved: number }> {
  const { sources, raw, settings, studyLocks, reference, logger } = processing;
  const { transferTimeoutMs } = settings;
  let [instances, retrieved] = [0, 0];
  for (const study of studies) {
    using _single = await studyLocks.acquire(study.studyInstanceUid, signal);
    const completion = await completeStudy(study, {
      archive: sources[archive].archive,
      ...{ raw, seriesInstanceUids, transferTimeoutMs, reference, logger, signal },
    });
    instances += completion.held;
    retrieved += completion.retrieved;
  }
  return { instances, retrieved };
}
