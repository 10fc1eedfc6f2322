import type { Message } from "./messages/message.ts";
import type { ArchiveName } from "./processing/errors.ts";
import * as service from "./processing/process-message.ts";
import { openProcessing, type Processing } from "./processing/processing.ts";
import { readPixlSettings } from "./settings.ts";

/**
 * PIXL's own function: the studies of one message into orthanc-raw, whole, and on to orthanc-anon.
 * @param processing to be used for many messages; absent: one for this message, from the process's environment as PIXL's service reads it
 * @throws StudyNotInPrimaryArchiveError, OutOfHoursError, RequeueMessageError, DiscardError; SettingsError; the reason of the signal
 */
export async function processMessage(
  message: Message,
  archive: ArchiveName,
  processing?: Processing,
  options?: service.ProcessOptions,
): Promise<service.ProcessingReport> {
  if (processing !== undefined) return await service.processMessage(message, archive, processing, options);
  await using own = openProcessing(readPixlSettings(process.env));
  return await service.processMessage(message, archive, own, options);
}
