import { errorRegistry } from "../../errors/registry.ts";
import { ACQUISITION_STATES, SCAN_TASK_STATUSES, TRANSFER_STATES } from "../acquisition-states.ts";
import type {
  Acquisition,
  ScanDevice,
  ScanResult,
  ScanSequenceFacts,
  ScanTask,
  ScanToken,
  Transfer,
} from "../acquisitions.ts";
import { flag, integer, keyOf, list, oneOf, optional, recordReader, text } from "./columns.ts";

const optionalText = optional(text);
const optionalInteger = optional(integer);
/** A code of another version must not hide its row. */
const optionalCode = optional(keyOf(errorRegistry, "INTERNAL"));

export const taskRecord = recordReader<ScanTask>({
  id: text,
  workflowId: optionalText,
  deviceId: optionalText,
  isTemplate: flag,
  status: oneOf(SCAN_TASK_STATUSES),
  progress: integer,
  fields: text,
  creator: text,
  createdAtMs: integer,
  updatedAtMs: optionalInteger,
  wantedAtMs: optionalInteger,
});

export const resultRecord = recordReader<ScanResult>({
  id: text,
  taskId: text,
  transferId: optionalText,
  type: text,
  directory: text,
  files: list,
  meta: optionalText,
  createdAtMs: integer,
});

export const sequenceFacts = recordReader<ScanSequenceFacts>({
  id: text,
  name: text,
  description: text,
  sequenceType: text,
  tags: list,
  fileExtension: optionalText,
  headerExtension: optionalText,
  sizeBytes: integer,
  sha256: text,
  createdAtMs: integer,
  updatedAtMs: optionalInteger,
});

export const deviceRecord = recordReader<ScanDevice>({
  id: text,
  name: text,
  description: text,
  details: text,
  parameter: optionalText,
  status: oneOf(["ONLINE", "OFFLINE", "BUSY", "ERROR"]),
  tokenHash: text,
  isDeaf: flag,
  createdAtMs: integer,
  updatedAtMs: optionalInteger,
  revokedAtMs: optionalInteger,
});

export const scanTokenRecord = recordReader<ScanToken>({
  id: text,
  user: text,
  role: text,
  tokenHash: text,
  createdAtMs: integer,
  revokedAtMs: optionalInteger,
});

export const acquisitionRecord = recordReader<Acquisition>({
  id: text,
  origin: text,
  taskId: text,
  attempt: integer,
  upsUid: text,
  transactionUid: text,
  deviceId: text,
  state: keyOf(ACQUISITION_STATES),
  progress: integer,
  isDeviceDone: flag,
  previousStatus: oneOf(SCAN_TASK_STATUSES),
  workflowId: optionalText,
  tokenHash: optionalText,
  parameter: optionalText,
  code: optionalCode,
  reason: optionalText,
  leaseUntilMs: integer,
  cancelAskedAtMs: optionalInteger,
  createdAtMs: integer,
  updatedAtMs: integer,
});

export const transferRecord = recordReader<Transfer>({
  id: text,
  acquisitionId: text,
  fileName: text,
  sizeBytes: integer,
  declaredSha256: optionalText,
  contentType: optionalText,
  sha256: optionalText,
  signature: optionalText,
  parameter: optionalText,
  state: keyOf(TRANSFER_STATES),
  resultId: optionalText,
  directory: optionalText,
  code: optionalCode,
  createdAtMs: integer,
  updatedAtMs: integer,
});
