import type { ScanDevice, ScanResult, ScanSequence, ScanSequenceFacts, ScanTask } from "../../store/acquisitions.ts";
import type { TaskBody } from "./models.ts";

/** ScanHub's documents, under its own names. */
export type Json = Readonly<Record<string, unknown>>;

/** UTC, and it does not say so: as Python writes a time without zone. */
function scanHubTime(ms: number): string {
  const text = new Date(ms).toISOString().slice(0, -1);
  return text.endsWith(".000") ? text.slice(0, -4) : `${text}000`;
}

function optionalTime(ms: number | undefined): string | null {
  return ms === undefined ? null : scanHubTime(ms);
}

/** The parts of a task that are columns of their own. */
export function taskColumns(body: TaskBody) {
  const { workflow_id, is_template, status, progress, ...fields } = body;
  const deviceId = "device_id" in fields ? (fields.device_id ?? undefined) : undefined;
  return {
    workflowId: workflow_id ?? undefined,
    deviceId,
    isTemplate: is_template,
    status,
    progress: Math.min(100, Math.max(0, progress)),
    fields: { ...fields } as Json,
  };
}

/** Position and calibration, which older versions do not know, stay unless the body names them. */
export function mergedFields(before: string, fields: Json, resets: boolean): string {
  const kept: Json = resets ? {} : JSON.parse(before);
  const named = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const { position, calibration, acquisition_limits } = kept;
  return JSON.stringify({ position, calibration, acquisition_limits, ...named });
}

export function taskOut(task: ScanTask, results: readonly ScanResult[]): Json {
  const fields: Json = JSON.parse(task.fields);
  const isAcquisition = fields.task_type !== "DAG";
  const acquisition = {
    calibration: [],
    sequence_id: null,
    acquisition_parameter: null,
    acquisition_limits: null,
    ...fields,
    device_id: task.deviceId ?? null,
  };
  return {
    workflow_id: task.workflowId ?? null,
    name: "",
    description: "",
    task_type: "ACQUISITION",
    destination: "",
    position: 0,
    ...(isAcquisition ? acquisition : fields),
    status: task.status,
    progress: task.progress,
    is_template: task.isTemplate,
    id: task.id,
    creator: task.creator,
    datetime_created: scanHubTime(task.createdAtMs),
    datetime_updated: optionalTime(task.updatedAtMs),
    results: results.map(resultOut),
  };
}

export function resultOut(result: ScanResult): Json {
  return {
    type: result.type,
    directory: result.directory,
    files: result.files,
    meta: result.meta === undefined ? null : JSON.parse(result.meta),
    task_id: result.taskId,
    id: result.id,
    datetime_created: scanHubTime(result.createdAtMs),
  };
}

function sequenceFactsOut(sequence: ScanSequenceFacts): Json {
  return {
    _id: sequence.id,
    name: sequence.name,
    description: sequence.description,
    sequence_type: sequence.sequenceType,
    tags: sequence.tags,
    created_at: scanHubTime(sequence.createdAtMs),
    updated_at: optionalTime(sequence.updatedAtMs),
    seq_file_extension: sequence.fileExtension ?? null,
    xml_file_extension: sequence.headerExtension ?? null,
  };
}

/** A file that is no text goes as base64, and the answer says so; its bytes are at `…/file`. */
export function sequenceOut(sequence: ScanSequence): Json {
  const file = textOrBase64(sequence.file);
  const header = sequence.header === undefined ? undefined : textOrBase64(sequence.header);
  return {
    ...sequenceFactsOut(sequence),
    seq_file: file.text,
    ...(file.isText ? {} : { seq_file_encoding: "base64" }),
    xml_file: header?.text ?? null,
    ...(header?.isText === false ? { xml_file_encoding: "base64" } : {}),
    gateway: { sha256: sequence.sha256, size_bytes: sequence.sizeBytes },
  };
}

/** Of a long list: without the files. */
export function sequenceListed(sequence: ScanSequenceFacts): Json {
  return { ...sequenceFactsOut(sequence), seq_file: null, xml_file: null };
}

function textOrBase64(bytes: Uint8Array): { readonly text: string; readonly isText: boolean } {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), isText: true };
  } catch {
    return { text: Buffer.from(bytes).toString("base64"), isText: false };
  }
}

export function deviceOut(device: ScanDevice): Json {
  const details: Json = JSON.parse(device.details);
  return {
    name: device.name,
    description: device.description,
    device_name: details.device_name ?? null,
    serial_number: details.serial_number ?? null,
    manufacturer: details.manufacturer ?? null,
    modality: details.modality ?? null,
    status: device.status,
    site: details.site ?? null,
    parameter: device.parameter === undefined ? null : JSON.parse(device.parameter),
    id: device.id,
    datetime_created: scanHubTime(device.createdAtMs),
    datetime_updated: optionalTime(device.updatedAtMs),
  };
}
