/** Research scanners for programs: `import { openAcquisitions } from "radferry/acquisition"`. Everything else is free to change. */

export type { ExamManager, ExamTask } from "./acquisition/exam-manager.ts";
export type { DataLake } from "./acquisition/lake/data-lake.ts";
export type { ClaimWish, Ledger } from "./acquisition/ledger.ts";
export { type AcquisitionPolicy, USUAL_POLICY } from "./acquisition/policy.ts";
export { keepSequence, type SequenceUpload } from "./acquisition/sequences.ts";
export type { BegunUpload, FileAnnouncement, PublishedFile, Upload, Uploads } from "./acquisition/uploads.ts";
export { UPS_FAILURES, UPS_OF_TASK, type UpsFailure, upsFailureOf } from "./acquisition/ups.ts";
export { readScanHubSettings, type ScanHubSettings } from "./compat/scanhub/settings.ts";
export { openStandIn, type StandIn, type StandInOptions } from "./compat/scanhub/stand-in.ts";
export { createUserToken, registerDevice, type TokenWorld } from "./compat/scanhub/tokens.ts";
export type { Face } from "./gateway/faces.ts";
export {
  type Acquisitions,
  type AcquisitionsOptions,
  openAcquisitions,
  type RemoteExamManager,
} from "./gateway/open-acquisitions.ts";
export { openScanHubFace, type ScanHubFaceOptions } from "./gateway/open-scanhub.ts";
export { openScannerDesk, type ScannerDesk } from "./gateway/open-scanner-desk.ts";
export {
  ACQUISITION_STATES,
  type AcquisitionState,
  type ScanTaskStatus,
  TRANSFER_STATES,
  type TransferState,
  type UpsState,
} from "./store/acquisition-states.ts";
export type {
  Acquisition,
  AcquisitionStore,
  NewScanTask,
  ScanDevice,
  ScanResult,
  ScanSequenceFacts,
  ScanTask,
  Transfer,
} from "./store/acquisitions.ts";
