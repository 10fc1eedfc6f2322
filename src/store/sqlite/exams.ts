import type {
  NewScanDevice,
  NewScanSequence,
  NewScanTask,
  ScanDevice,
  ScanDeviceChange,
  ScanResult,
  ScanResultContent,
  ScanResultFilter,
  ScanSequence,
  ScanSequenceChange,
  ScanSequenceFacts,
  ScanTask,
  ScanTaskChange,
  ScanTaskFilter,
  ScanToken,
} from "../acquisitions.ts";
import { blob, optional } from "./columns.ts";
import { deviceRecord, resultRecord, scanTokenRecord, sequenceFacts, taskRecord } from "./scan-records.ts";
import type { Row, Session } from "./session.ts";

export function addScanTask(session: Session, task: NewScanTask, nowMs: number): ScanTask {
  return taskRecord(answered(session.get("insertScanTask", { ...task, nowMs })));
}

export function scanTask(session: Session, id: string): ScanTask | undefined {
  return found(session.get("scanTask", { id }), taskRecord);
}

export function listScanTasks(session: Session, filter: ScanTaskFilter): readonly ScanTask[] {
  const { workflowId, isTemplate, status, limit } = filter;
  const number = filter.after === undefined ? 0 : session.get("scanTaskNumber", { id: filter.after })?.number;
  const page = { isTemplate, status, limit, after: Number(number ?? 0) };
  const rows =
    workflowId === undefined
      ? session.all("listScanTasks", page)
      : session.all("listScanTasksOfWorkflow", { ...page, workflowId });
  return rows.map(taskRecord);
}

export function changeScanTask(
  session: Session,
  id: string,
  change: ScanTaskChange,
  nowMs: number,
  from?: readonly string[],
): ScanTask | undefined {
  const row = session.get("changeScanTask", {
    id,
    nowMs,
    setsWorkflow: "workflowId" in change,
    workflowId: change.workflowId,
    setsDevice: "deviceId" in change,
    deviceId: change.deviceId,
    isTemplate: change.isTemplate,
    status: change.status,
    progress: change.progress,
    fields: change.fields,
    from: from === undefined ? undefined : JSON.stringify(from),
  });
  return found(row, taskRecord);
}

export function wantScanTask(session: Session, id: string, isWanted: boolean, nowMs: number): boolean {
  return session.run("wantScanTask", { id, wantedAtMs: isWanted ? nowMs : undefined }) === 1;
}

export function wantedScanTasks(session: Session, limit: number): readonly ScanTask[] {
  return session.all("wantedScanTasks", { limit }).map(taskRecord);
}

export function removeScanTask(session: Session, id: string): boolean {
  session.run("removeScanResultsOf", { taskId: id });
  return session.run("removeScanTask", { id }) === 1;
}

export function addScanResult(
  session: Session,
  { id, taskId, transferId }: { readonly id: string; readonly taskId: string; readonly transferId?: string },
  nowMs: number,
): ScanResult | undefined {
  const before = transferId === undefined ? undefined : session.get("scanResultOfTransfer", { transferId });
  if (before !== undefined) return resultRecord(before);
  if (session.get("scanTask", { id: taskId }) === undefined) return undefined;
  return found(session.get("insertScanResult", { id, taskId, transferId, nowMs }), resultRecord);
}

export function scanResult(session: Session, id: string): ScanResult | undefined {
  return found(session.get("scanResult", { id }), resultRecord);
}

export function scanResults(session: Session, taskId: string): readonly ScanResult[] {
  return session.all("scanResults", { taskId }).map(resultRecord);
}

export function listScanResults(session: Session, { taskId, after, limit }: ScanResultFilter): readonly ScanResult[] {
  const number = after === undefined ? 0 : session.get("scanResultNumber", { id: after })?.number;
  const page = { after: Number(number ?? 0), limit };
  const rows =
    taskId === undefined
      ? session.all("listScanResults", page)
      : session.all("listScanResultsOfTask", { ...page, taskId });
  return rows.map(resultRecord);
}

export function setScanResult(session: Session, id: string, content: ScanResultContent): ScanResult | undefined {
  const { type, directory, files, meta } = content;
  return found(session.get("setScanResult", { id, type, directory, files: JSON.stringify(files), meta }), resultRecord);
}

export function removeScanResult(session: Session, id: string): boolean {
  return session.run("removeScanResult", { id }) === 1;
}

export function addScanSequence(session: Session, sequence: NewScanSequence, nowMs: number): ScanSequenceFacts {
  const row = session.get("insertScanSequence", { ...sequence, tags: JSON.stringify(sequence.tags), nowMs });
  return sequenceFacts(answered(row));
}

export function scanSequence(session: Session, id: string): ScanSequence | undefined {
  const row = session.get("scanSequence", { id });
  return found(row, (each) => ({
    ...sequenceFacts(each),
    file: blob(each.file),
    header: optional(blob)(each.header),
  }));
}

export function listScanSequences(session: Session, limit: number): readonly ScanSequenceFacts[] {
  return session.all("listScanSequences", { limit }).map(sequenceFacts);
}

export function changeScanSequence(session: Session, id: string, change: ScanSequenceChange, nowMs: number): boolean {
  const { name, description, sequenceType } = change;
  const tags = change.tags === undefined ? undefined : JSON.stringify(change.tags);
  return session.run("changeScanSequence", { id, name, description, sequenceType, tags, nowMs }) === 1;
}

export function removeScanSequence(session: Session, id: string): boolean {
  return session.run("removeScanSequence", { id }) === 1;
}

export function addScanDevice(session: Session, device: NewScanDevice, nowMs: number): ScanDevice {
  return deviceRecord(answered(session.get("insertScanDevice", { ...device, nowMs })));
}

export function scanDevice(session: Session, id: string): ScanDevice | undefined {
  return found(session.get("scanDevice", { id }), deviceRecord);
}

export function listScanDevices(session: Session, limit: number): readonly ScanDevice[] {
  return session.all("listScanDevices", { limit }).map(deviceRecord);
}

export function changeScanDevice(
  session: Session,
  id: string,
  { details, parameter, status, isDeaf }: ScanDeviceChange,
  nowMs: number,
): ScanDevice | undefined {
  return found(session.get("changeScanDevice", { id, details, parameter, status, isDeaf, nowMs }), deviceRecord);
}

export function revokeScanDevice(session: Session, id: string, nowMs: number): boolean {
  return session.run("revokeScanDevice", { id, nowMs }) === 1;
}

export function addScanToken(
  session: Session,
  { id, user, role, tokenHash }: Omit<ScanToken, "createdAtMs" | "revokedAtMs">,
  nowMs: number,
): void {
  session.run("insertScanToken", { id, user, role, tokenHash, nowMs });
}

export function scanTokenOf(session: Session, tokenHash: string): ScanToken | undefined {
  return found(session.get("scanTokenOf", { tokenHash }), scanTokenRecord);
}

export function listScanTokens(session: Session, limit: number): readonly ScanToken[] {
  return session.all("listScanTokens", { limit }).map(scanTokenRecord);
}

export function revokeScanToken(session: Session, id: string, nowMs: number): boolean {
  return session.run("revokeScanToken", { id, nowMs }) === 1;
}

function answered(row: Row | undefined): Row {
  if (row === undefined) throw new Error("the statement returns a row");
  return row;
}

function found<T>(row: Row | undefined, record: (row: Row) => T): T | undefined {
  return row === undefined ? undefined : record(row);
}
