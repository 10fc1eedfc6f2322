import { ACQUISITION_STATES, statesBefore, TRANSFER_STATES } from "../acquisition-states.ts";
import type {
  Acquisition,
  AcquisitionChange,
  AcquisitionClaim,
  AcquisitionEvent,
  AcquisitionFilter,
  AcquisitionLease,
  NewTransfer,
  Transfer,
  TransferChange,
} from "../acquisitions.ts";
import { acquisitionRecord, transferRecord } from "./scan-records.ts";
import type { Session } from "./session.ts";

const OPEN_STATES = JSON.stringify(
  Object.entries(ACQUISITION_STATES).flatMap(([state, { next }]) => (next.length > 0 ? [state] : [])),
);
const ALL_TRANSFER_STATES = JSON.stringify(Object.keys(TRANSFER_STATES));

export function claimAcquisition(
  session: Session,
  { leaseMs, ...claim }: AcquisitionClaim,
  nowMs: number,
): Acquisition | undefined {
  const row = session.get("claimAcquisition", { ...claim, leaseUntil: nowMs + leaseMs, nowMs });
  if (row === undefined) return undefined;
  const acquisition = acquisitionRecord(row);
  const detail = { attempt: acquisition.attempt, from: acquisition.previousStatus };
  addAcquisitionEvent(session, acquisition.id, { event: "claimed", detail: JSON.stringify(detail) }, nowMs);
  return acquisition;
}

export function acquisition(session: Session, id: string): Acquisition | undefined {
  const row = session.get("acquisition", { id });
  return row === undefined ? undefined : acquisitionRecord(row);
}

export function listAcquisitions(session: Session, filter: AcquisitionFilter): readonly Acquisition[] {
  const { taskId, deviceId, isOpen, limit } = filter;
  const page = { deviceId, isOpen, limit };
  const rows =
    taskId === undefined
      ? session.all("listAcquisitions", page)
      : session.all("listAcquisitionsOfTask", { ...page, taskId });
  return rows.map(acquisitionRecord);
}

export function changeAcquisition(
  session: Session,
  { id, transactionUid }: AcquisitionLease,
  change: AcquisitionChange,
  nowMs: number,
  event?: Omit<AcquisitionEvent, "atMs">,
): boolean {
  const { state, progress, isDeviceDone, leaseUntilMs, code, reason, tokenHash } = change;
  const from = state === undefined ? OPEN_STATES : JSON.stringify(statesBefore(ACQUISITION_STATES, state));
  const values = { state, progress, isDeviceDone, leaseUntilMs, code, reason, tokenHash };
  if (session.run("changeAcquisition", { id, transactionUid, ...values, from, nowMs }) !== 1) return false;
  if (event !== undefined) addAcquisitionEvent(session, id, event, nowMs);
  return true;
}

export function renewAcquisitionsOf(session: Session, deviceId: string, leaseUntilMs: number): number {
  return session.run("renewAcquisitionsOf", { deviceId, leaseUntilMs });
}

export function askToCancelAcquisition(
  session: Session,
  { origin, taskId }: Pick<Acquisition, "origin" | "taskId">,
  nowMs: number,
): boolean {
  return session.run("askToCancelAcquisition", { origin, taskId, nowMs }) > 0;
}

export function lapsedAcquisitions(session: Session, nowMs: number, limit: number): readonly Acquisition[] {
  return session.all("lapsedAcquisitions", { nowMs, limit }).map(acquisitionRecord);
}

export function acquisitionEvents(session: Session, id: string): readonly AcquisitionEvent[] {
  return session
    .all("acquisitionEvents", { id })
    .map(({ atMs, event, detail }) => ({ atMs: Number(atMs), event: String(event), detail: String(detail) }));
}

export function addAcquisitionEvent(
  session: Session,
  id: string,
  { event, detail }: Omit<AcquisitionEvent, "atMs">,
  nowMs: number,
): void {
  session.run("insertAcquisitionEvent", { id, event, detail, nowMs });
}

export function addTransfer(
  session: Session,
  transfer: NewTransfer,
  nowMs: number,
): { readonly isNew: boolean; readonly transfer: Transfer } | undefined {
  const { acquisitionId, fileName, sizeBytes, declaredSha256 } = transfer;
  const key = { acquisitionId, fileName, sizeBytes, declaredSha256 };
  const like = declaredSha256 === undefined ? undefined : session.get("transferLike", key);
  if (like !== undefined) return { isNew: false, transfer: transferRecord(like) };
  if (acquisition(session, acquisitionId)?.state !== "acquiring") return undefined;
  const row = session.get("insertTransfer", { ...transfer, nowMs });
  return row === undefined ? undefined : { isNew: true, transfer: transferRecord(row) };
}

export function transfer(session: Session, id: string): Transfer | undefined {
  const row = session.get("transfer", { id });
  return row === undefined ? undefined : transferRecord(row);
}

export function changeTransfer(session: Session, id: string, change: TransferChange, nowMs: number): boolean {
  const { state, sha256, signature, resultId, directory, code } = change;
  const from = state === undefined ? ALL_TRANSFER_STATES : JSON.stringify(statesBefore(TRANSFER_STATES, state));
  const values = { state, sha256, signature, resultId, directory, code };
  return session.run("changeTransfer", { id, ...values, from, nowMs }) === 1;
}

export function transfersOf(session: Session, acquisitionId: string): readonly Transfer[] {
  return session.all("transfersOf", { acquisitionId }).map(transferRecord);
}

export function openTransfers(session: Session, limit: number): readonly Transfer[] {
  return session.all("openTransfers", { limit }).map(transferRecord);
}

export function publishedTransfersBefore(session: Session, atMs: number, limit: number): readonly Transfer[] {
  return session.all("publishedTransfersBefore", { atMs, limit }).map(transferRecord);
}

export function scanBytesOf(session: Session, deviceId: string): number {
  return Number(session.get("scanBytesOf", { deviceId })?.bytes ?? 0);
}
