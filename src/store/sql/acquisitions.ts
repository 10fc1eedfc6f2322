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
const DEVICE_DONE = { event: "device-done", detail: "{}" } as const;
const ALL_TRANSFER_STATES = JSON.stringify(Object.keys(TRANSFER_STATES));

export async function claimAcquisition(
  session: Session,
  { leaseMs, ...claim }: AcquisitionClaim,
  nowMs: number,
): Promise<Acquisition | undefined> {
  const row = await session.get("claimAcquisition", { ...claim, leaseUntil: nowMs + leaseMs, nowMs });
  if (row === undefined) return undefined;
  const acquisition = acquisitionRecord(row);
  const detail = { attempt: acquisition.attempt, from: acquisition.previousStatus };
  await addAcquisitionEvent(session, acquisition.id, { event: "claimed", detail: JSON.stringify(detail) }, nowMs);
  return acquisition;
}

export async function acquisition(session: Session, id: string): Promise<Acquisition | undefined> {
  const row = await session.get("acquisition", { id });
  return row === undefined ? undefined : acquisitionRecord(row);
}

export async function listAcquisitions(session: Session, filter: AcquisitionFilter): Promise<readonly Acquisition[]> {
  const { taskId, deviceId, isOpen, after, limit } = filter;
  const before = after === undefined ? undefined : await numberOf(session, "acquisitionNumber", after);
  const page = { deviceId, isOpen, before, limit };
  const rows =
    taskId === undefined
      ? await session.all("listAcquisitions", page)
      : await session.all("listAcquisitionsOfTask", { ...page, taskId });
  return rows.map(acquisitionRecord);
}

export async function changeAcquisition(
  session: Session,
  { id, transactionUid }: AcquisitionLease,
  change: AcquisitionChange,
  nowMs: number,
  event?: Omit<AcquisitionEvent, "atMs">,
): Promise<boolean> {
  const { state, progress, isDeviceDone, leaseUntilMs, code, reason, tokenHash } = change;
  const from = state === undefined ? OPEN_STATES : JSON.stringify(statesBefore(ACQUISITION_STATES, state));
  const values = { state, progress, isDeviceDone, leaseUntilMs, code, reason, tokenHash };
  if ((await session.run("changeAcquisition", { id, transactionUid, ...values, from, nowMs })) !== 1) return false;
  if (event !== undefined) await addAcquisitionEvent(session, id, event, nowMs);
  return true;
}

export async function renewAcquisitionsOf(session: Session, deviceId: string, leaseUntilMs: number): Promise<number> {
  return await session.run("renewAcquisitionsOf", { deviceId, leaseUntilMs });
}

export async function askToCancelAcquisition(
  session: Session,
  { origin, taskId }: Pick<Acquisition, "origin" | "taskId">,
  nowMs: number,
): Promise<boolean> {
  return (await session.run("askToCancelAcquisition", { origin, taskId, nowMs })) > 0;
}

export async function lapsedAcquisitions(
  session: Session,
  nowMs: number,
  limit: number,
): Promise<readonly Acquisition[]> {
  return (await session.all("lapsedAcquisitions", { nowMs, limit })).map(acquisitionRecord);
}

export async function acquisitionEvents(session: Session, id: string): Promise<readonly AcquisitionEvent[]> {
  return (await session.all("acquisitionEvents", { id })).map(({ atMs, event, detail }) => ({
    atMs: Number(atMs),
    event: String(event),
    detail: String(detail),
  }));
}

export async function addAcquisitionEvent(
  session: Session,
  id: string,
  { event, detail }: Omit<AcquisitionEvent, "atMs">,
  nowMs: number,
): Promise<void> {
  await session.run("insertAcquisitionEvent", { id, event, detail, nowMs });
}

export async function addTransfer(
  session: Session,
  { isLast = false, ...transfer }: NewTransfer,
  nowMs: number,
): Promise<{ readonly isNew: boolean; readonly transfer: Transfer } | undefined> {
  const { acquisitionId, fileName, sizeBytes, declaredSha256 } = transfer;
  const key = { acquisitionId, fileName, sizeBytes, declaredSha256 };
  const like = declaredSha256 === undefined ? undefined : await session.get("transferLike", key);
  if (like !== undefined) return { isNew: false, transfer: transferRecord(like) };
  const held = await acquisition(session, acquisitionId);
  if (held?.state !== "acquiring") return undefined;
  if (isLast) await changeAcquisition(session, held, { isDeviceDone: true }, nowMs, DEVICE_DONE);
  const row = await session.get("insertTransfer", { ...transfer, nowMs });
  return row === undefined ? undefined : { isNew: true, transfer: transferRecord(row) };
}

export async function transfer(session: Session, id: string): Promise<Transfer | undefined> {
  const row = await session.get("transfer", { id });
  return row === undefined ? undefined : transferRecord(row);
}

export async function changeTransfer(
  session: Session,
  id: string,
  change: TransferChange,
  nowMs: number,
): Promise<boolean> {
  const { state, sha256, signature, resultId, directory, code } = change;
  const from = state === undefined ? ALL_TRANSFER_STATES : JSON.stringify(statesBefore(TRANSFER_STATES, state));
  const values = { state, sha256, signature, resultId, directory, code };
  return (await session.run("changeTransfer", { id, ...values, from, nowMs })) === 1;
}

export async function transfersOf(session: Session, acquisitionId: string): Promise<readonly Transfer[]> {
  return (await session.all("transfersOf", { acquisitionId })).map(transferRecord);
}

export async function openTransfers(session: Session, limit: number, after?: string): Promise<readonly Transfer[]> {
  const number = after === undefined ? 0 : await numberOf(session, "transferNumber", after);
  return (await session.all("openTransfers", { limit, after: number })).map(transferRecord);
}

export async function stuckTransfers(session: Session, limit: number, after?: string): Promise<readonly Transfer[]> {
  const number = after === undefined ? 0 : await numberOf(session, "transferNumber", after);
  return (await session.all("stuckTransfers", { limit, after: number })).map(transferRecord);
}

/** Where it stands among its kind; 0 when it is not there. */
async function numberOf(
  session: Session,
  statement: "transferNumber" | "acquisitionNumber",
  id: string,
): Promise<number> {
  return Number((await session.get(statement, { id }))?.number ?? 0);
}

export async function publishedTransfersBefore(
  session: Session,
  atMs: number,
  limit: number,
): Promise<readonly Transfer[]> {
  return (await session.all("publishedTransfersBefore", { atMs, limit })).map(transferRecord);
}

export async function scanBytesOf(session: Session, deviceId: string): Promise<number> {
  return Number((await session.get("scanBytesOf", { deviceId }))?.bytes ?? 0);
}
