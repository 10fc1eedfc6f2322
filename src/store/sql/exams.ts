import { GatewayError } from "../../errors/gateway-error.ts";
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
  WantedScanTasks,
} from "../acquisitions.ts";
import { blob, optional } from "./columns.ts";
import { deviceRecord, resultRecord, scanTokenRecord, sequenceFacts, taskRecord } from "./scan-records.ts";
import type { Row, Session } from "./session.ts";

export async function addScanTask(session: Session, task: NewScanTask, nowMs: number): Promise<ScanTask> {
  return taskRecord(answered(await session.get("insertScanTask", { ...task, nowMs })));
}

export async function scanTask(session: Session, id: string): Promise<ScanTask | undefined> {
  return found(await session.get("scanTask", { id }), taskRecord);
}

export async function listScanTasks(session: Session, filter: ScanTaskFilter): Promise<readonly ScanTask[]> {
  const { workflowId, isTemplate, status, limit } = filter;
  const after = await numberOf(session, "scanTaskNumber", filter.after);
  if (after === undefined) throw new GatewayError("SCAN_TASK_NOT_FOUND");
  const page = { isTemplate, status, limit, after };
  const rows =
    workflowId === undefined
      ? await session.all("listScanTasks", page)
      : await session.all("listScanTasksOfWorkflow", { ...page, workflowId });
  return rows.map(taskRecord);
}

/** Where a list goes on; undefined: behind what is not there, and from its beginning it would be told twice. */
async function numberOf(
  session: Session,
  statement: "scanTaskNumber" | "scanResultNumber",
  id: string | undefined,
): Promise<number | undefined> {
  if (id === undefined) return 0;
  const row = await session.get(statement, { id });
  return row === undefined ? undefined : Number(row.number);
}

export async function changeScanTask(
  session: Session,
  id: string,
  change: ScanTaskChange,
  nowMs: number,
  from?: readonly string[],
): Promise<ScanTask | undefined> {
  const row = await session.get("changeScanTask", {
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

export async function wantScanTask(session: Session, id: string, isWanted: boolean, nowMs: number): Promise<boolean> {
  return (await session.run("wantScanTask", { id, wantedAtMs: isWanted ? nowMs : undefined })) === 1;
}

export async function wantedScanTasks(
  session: Session,
  { except = { devices: [], tasks: [] }, limit }: WantedScanTasks,
): Promise<readonly ScanTask[]> {
  const left = { devices: JSON.stringify(except.devices), tasks: JSON.stringify(except.tasks) };
  return (await session.all("wantedScanTasks", { ...left, limit })).map(taskRecord);
}

export async function removeScanTask(session: Session, id: string): Promise<boolean> {
  await session.run("removeScanResultsOf", { taskId: id });
  return (await session.run("removeScanTask", { id })) === 1;
}

export async function addScanResult(
  session: Session,
  { id, taskId, transferId }: { readonly id: string; readonly taskId: string; readonly transferId?: string },
  nowMs: number,
): Promise<ScanResult | undefined> {
  const before = transferId === undefined ? undefined : await session.get("scanResultOfTransfer", { transferId });
  if (before !== undefined) return resultRecord(before);
  if ((await session.get("scanTask", { id: taskId })) === undefined) return undefined;
  return found(await session.get("insertScanResult", { id, taskId, transferId, nowMs }), resultRecord);
}

export async function scanResult(session: Session, id: string): Promise<ScanResult | undefined> {
  return found(await session.get("scanResult", { id }), resultRecord);
}

export async function scanResults(session: Session, taskId: string): Promise<readonly ScanResult[]> {
  return (await session.all("scanResults", { taskId })).map(resultRecord);
}

export async function listScanResults(
  session: Session,
  { taskId, after: last, limit }: ScanResultFilter,
): Promise<readonly ScanResult[]> {
  const after = await numberOf(session, "scanResultNumber", last);
  if (after === undefined) throw new GatewayError("SCAN_RESULT_NOT_FOUND");
  const page = { after, limit };
  const rows =
    taskId === undefined
      ? await session.all("listScanResults", page)
      : await session.all("listScanResultsOfTask", { ...page, taskId });
  return rows.map(resultRecord);
}

export async function setScanResult(
  session: Session,
  id: string,
  content: ScanResultContent,
): Promise<ScanResult | undefined> {
  const { type, directory, files, meta } = content;
  return found(
    await session.get("setScanResult", { id, type, directory, files: JSON.stringify(files), meta }),
    resultRecord,
  );
}

export async function removeScanResult(session: Session, id: string): Promise<boolean> {
  return (await session.run("removeScanResult", { id })) === 1;
}

export async function addScanSequence(
  session: Session,
  sequence: NewScanSequence,
  nowMs: number,
): Promise<ScanSequenceFacts> {
  const row = await session.get("insertScanSequence", { ...sequence, tags: JSON.stringify(sequence.tags), nowMs });
  return sequenceFacts(answered(row));
}

export async function scanSequence(session: Session, id: string): Promise<ScanSequence | undefined> {
  const row = await session.get("scanSequence", { id });
  return found(row, (each) => ({
    ...sequenceFacts(each),
    file: blob(each.file),
    header: optional(blob)(each.header),
  }));
}

export async function listScanSequences(session: Session, limit: number): Promise<readonly ScanSequenceFacts[]> {
  return (await session.all("listScanSequences", { limit })).map(sequenceFacts);
}

export async function changeScanSequence(
  session: Session,
  id: string,
  change: ScanSequenceChange,
  nowMs: number,
): Promise<boolean> {
  const { name, description, sequenceType } = change;
  const tags = change.tags === undefined ? undefined : JSON.stringify(change.tags);
  return (await session.run("changeScanSequence", { id, name, description, sequenceType, tags, nowMs })) === 1;
}

export async function removeScanSequence(session: Session, id: string): Promise<boolean> {
  return (await session.run("removeScanSequence", { id })) === 1;
}

export async function addScanDevice(session: Session, device: NewScanDevice, nowMs: number): Promise<ScanDevice> {
  return deviceRecord(answered(await session.get("insertScanDevice", { ...device, nowMs })));
}

export async function scanDevice(session: Session, id: string): Promise<ScanDevice | undefined> {
  return found(await session.get("scanDevice", { id }), deviceRecord);
}

export async function listScanDevices(session: Session, limit: number): Promise<readonly ScanDevice[]> {
  return (await session.all("listScanDevices", { limit })).map(deviceRecord);
}

export async function changeScanDevice(
  session: Session,
  id: string,
  { details, parameter, status, isDeaf }: ScanDeviceChange,
  nowMs: number,
): Promise<ScanDevice | undefined> {
  return found(await session.get("changeScanDevice", { id, details, parameter, status, isDeaf, nowMs }), deviceRecord);
}

export async function revokeScanDevice(session: Session, id: string, nowMs: number): Promise<boolean> {
  return (await session.run("revokeScanDevice", { id, nowMs })) === 1;
}

export async function addScanToken(
  session: Session,
  { id, user, role, tokenHash }: Omit<ScanToken, "createdAtMs" | "revokedAtMs">,
  nowMs: number,
): Promise<void> {
  await session.run("insertScanToken", { id, user, role, tokenHash, nowMs });
}

export async function scanTokenOf(session: Session, tokenHash: string): Promise<ScanToken | undefined> {
  return found(await session.get("scanTokenOf", { tokenHash }), scanTokenRecord);
}

export async function listScanTokens(session: Session, limit: number): Promise<readonly ScanToken[]> {
  return (await session.all("listScanTokens", { limit })).map(scanTokenRecord);
}

export async function revokeScanToken(session: Session, id: string, nowMs: number): Promise<boolean> {
  return (await session.run("revokeScanToken", { id, nowMs })) === 1;
}

function answered(row: Row | undefined): Row {
  if (row === undefined) throw new Error("the statement returns a row");
  return row;
}

function found<T>(row: Row | undefined, record: (row: Row) => T): T | undefined {
  return row === undefined ? undefined : record(row);
}
