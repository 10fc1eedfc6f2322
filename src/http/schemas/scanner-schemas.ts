import { z } from "zod";
import { ACQUISITION_STATES, type AcquisitionState, SCAN_TASK_STATUSES } from "../../store/acquisition-states.ts";
import { code, count, detail, pageOf, time } from "./fields.ts";

/** Documents of research scanners. */

export const taskStatus = z.enum(SCAN_TASK_STATUSES);
const percent = z.int().min(0).max(100);
const upsState = z.enum(["SCHEDULED", "IN PROGRESS", "COMPLETED", "CANCELED"]);

export const scannerList = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      description: z.string(),
      status: z.enum(["ONLINE", "OFFLINE", "BUSY", "ERROR"]),
      deaf: z.boolean().meta({ description: "it did not answer a start though it was connected" }),
      registeredAt: time,
      revokedAt: time.nullable(),
    }),
  ),
});

export const scanSequenceList = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      description: z.string(),
      type: z.string(),
      sizeBytes: count,
      sha256: z.string(),
      addedAt: time,
    }),
  ),
});

export const scanTask = z.object({
  id: z.string(),
  name: z.string(),
  status: taskStatus,
  state: z.enum([...upsState.options, "template"]).meta({ description: "of the workitem, PS3.4 CC" }),
  progress: percent,
  device: z.string().nullable().meta({ description: "null: any" }),
  workflow: z.string().nullable(),
  sequence: z.string().nullable(),
  waiting: z.boolean().meta({ description: "it starts as soon as its device is there" }),
  createdAt: time,
  updatedAt: time.nullable(),
});
export const scanTaskPage = pageOf(scanTask);

const scanResult = z.object({
  id: z.string(),
  task: z.string(),
  type: z.string(),
  directory: z.string(),
  files: z.array(z.string()),
  sha256: z.string().nullable(),
  createdAt: time,
});
export const scanResultPage = pageOf(scanResult);

const ATTEMPT_STATES = Object.keys(ACQUISITION_STATES) as [AcquisitionState, ...AcquisitionState[]];

export const shownScanTask = z.object({
  ...scanTask.shape,
  attempts: z.array(
    z.object({
      id: z.string(),
      attempt: count,
      device: z.string(),
      state: z.enum(ATTEMPT_STATES),
      upsState,
      upsInstanceUid: z.string(),
      progress: percent,
      code: code.nullable(),
      reason: z.string().nullable(),
      events: z.array(z.object({ at: time, event: z.string(), detail })),
      files: z.array(
        z.object({
          name: z.string(),
          sizeBytes: count,
          sha256: z.string().nullable(),
          state: z.string(),
          code: code.nullable(),
          result: z.string().nullable(),
        }),
      ),
    }),
  ),
  results: z.array(scanResult.pick({ id: true, type: true, directory: true, files: true })),
});

/** In lower case, as ScanHub's services make them. */
const uuid = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, "must be a UUID in lower case");

export const newScanTask = z.strictObject({
  sequence: z.string().min(1).max(64),
  device: uuid.optional(),
  name: z.string().min(1).max(200).default("scan"),
  description: z.string().max(2_000).default(""),
  workflow: uuid.optional(),
  start: z.boolean().default(true).meta({ description: "false: it is only made" }),
});

export const releasedScanFiles = z.object({ id: z.string(), files: z.array(z.string()) });
export const cancelledScanTask = z.object({ id: z.string(), cancelled: z.literal(true), wasRunning: z.boolean() });
export const retriedScanTask = z.object({ id: z.string(), waiting: z.literal(true) });

export const scanResultVerdict = z.object({
  id: z.string(),
  whole: z.boolean(),
  files: z.array(
    z.object({
      name: z.string(),
      sizeBytes: count.nullable(),
      sha256: z.string().nullable(),
      verdict: z.enum(["same", "changed", "missing", "unknown", "misnamed"]),
    }),
  ),
});
