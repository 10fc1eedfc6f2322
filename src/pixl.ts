/** PIXL's messages for programs: `import { serialise } from "radferry/pixl"`. Everything else is free to change. */

export { type PublishOptions, publishMessages } from "./compat/pixl/driver/publish.ts";
export { getRefreshRate, type RateApi, setRefreshRate } from "./compat/pixl/driver/refresh-rate.ts";
export { type Broker, type BrokerOptions, openBroker, type Publication } from "./compat/pixl/intake/broker.ts";
export { type Intake, type IntakeOptions, startIntake } from "./compat/pixl/intake/intake.ts";
export { createTokenBuckets, type TokenBuckets } from "./compat/pixl/intake/token-buckets.ts";
export { deserialise } from "./compat/pixl/messages/deserialise.ts";
export { checkKeys, type MessageKeys } from "./compat/pixl/messages/keys.ts";
export type { Message } from "./compat/pixl/messages/message.ts";
export { serialise } from "./compat/pixl/messages/serialise.ts";
export { processMessage } from "./compat/pixl/process-message.ts";
export type { RetryPolicies } from "./compat/pixl/processing/dispositions.ts";
export {
  type ArchiveName,
  DiscardError,
  OutOfHoursError,
  RequeueMessageError,
  type Stage,
  StudyNotInPrimaryArchiveError,
} from "./compat/pixl/processing/errors.ts";
export type { ProcessingReport, ProcessOptions } from "./compat/pixl/processing/process-message.ts";
export { openProcessing, type Processing, type ProcessingWorld } from "./compat/pixl/processing/processing.ts";
export { type PixlWorker, startWorker, type WorkerOptions } from "./compat/pixl/processing/worker.ts";
export {
  type Handover,
  type OrthancSettings,
  type PixlSettings,
  readPixlSettings,
  type SourceSettings,
} from "./compat/pixl/settings.ts";
