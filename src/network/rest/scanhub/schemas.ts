import { z } from "zod";

/*
 * ScanHub's documents under their own names, both generations of its API: what only the second has may be absent. Keys that are not
 * named here are kept, so that a task that is read and written again loses nothing.
 */

const itemStatus = z.enum(["NEW", "UPDATED", "STARTED", "FINISHED", "ERROR", "INPROGRESS"]);
const resultType = z.enum(["DICOM", "MRD", "NUMPY", "CALIBRATION", "NOT_SET"]);
const meta = z.record(z.string(), z.unknown()).readonly().nullish();
const xyz = z.looseObject({ x: z.number(), y: z.number(), z: z.number() });

export const resultOut = z.looseObject({
  id: z.string(),
  task_id: z.string(),
  type: resultType,
  directory: z.string(),
  files: z.array(z.string()).default([]),
  meta,
  /** See `timeOf`. */
  datetime_created: z.string(),
});

export const acquisitionTaskOut = z.looseObject({
  id: z.string(),
  workflow_id: z.string().nullish(),
  name: z.string(),
  description: z.string(),
  task_type: z.literal("ACQUISITION"),
  destination: z.string(),
  status: itemStatus,
  progress: z.int(),
  is_template: z.boolean(),
  position: z.int().optional(),
  device_id: z.string().nullish(),
  calibration: z.array(z.string()).optional(),
  sequence_id: z.string().nullish(),
  acquisition_parameter: z.looseObject({ fov_scaling: xyz, fov_offset: xyz, fov_rotation: xyz }).nullish(),
  acquisition_limits: z.record(z.string(), z.unknown()).nullish(),
  creator: z.string(),
  datetime_created: z.string(),
  datetime_updated: z.string().nullish(),
  results: z.array(resultOut).default([]),
});

export const mriSequenceOut = z.looseObject({
  _id: z.string(),
  name: z.string(),
  description: z.string(),
  sequence_type: z.string(),
  tags: z.array(z.string()).default([]),
  created_at: z.string(),
  updated_at: z.string().nullish(),
  /** The text of a Pulseq file. */
  seq_file: z.unknown(),
  seq_file_extension: z.string().nullish(),
  xml_file: z.unknown().optional(),
  xml_file_extension: z.string().nullish(),
});

/** All four replace what the result had: `meta` left out erases it. */
export const setResult = z.object({
  type: resultType,
  directory: z.string(),
  files: z.array(z.string()).readonly().optional(),
  meta,
});

/** What a task tells before anything else about it counts. */
export const anyTask = z.looseObject({ task_type: z.string() });

export type AcquisitionTaskOut = z.infer<typeof acquisitionTaskOut>;
export type MRISequenceOut = z.infer<typeof mriSequenceOut>;
export type ResultOut = z.infer<typeof resultOut>;
export type SetResult = z.infer<typeof setResult>;

/** ScanHub's times are UTC and do not say so. @returns milliseconds since 1970, NaN for what is no time */
export function timeOf(text: string): number {
  return Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`);
}

/** As a result is made, before anything is known of it. */
export function isBlankResult({ type, directory, files }: ResultOut): boolean {
  return type === "NOT_SET" && directory === "" && files.length === 0;
}
