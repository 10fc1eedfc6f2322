import type { ErrorCode } from "../errors/registry.ts";
import type { AcquisitionState, ScanTaskStatus, TransferState } from "./acquisition-states.ts";

/** What a device shall do. */
export interface ScanTask {
  readonly id: string;
  readonly workflowId: string | undefined;
  /** Undefined: any device may take it. */
  readonly deviceId: string | undefined;
  readonly isTemplate: boolean;
  readonly status: ScanTaskStatus;
  /** 0 to 100. */
  readonly progress: number;
  /** JSON of every other field, as it was given. */
  readonly fields: string;
  readonly creator: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number | undefined;
  /** Set while the gateway is to start it as soon as its device is there. */
  readonly wantedAtMs: number | undefined;
}

export type NewScanTask = Omit<ScanTask, "createdAtMs" | "updatedAtMs">;
/** Absent: it stays. */
export type ScanTaskChange = {
  readonly [K in "workflowId" | "deviceId" | "isTemplate" | "status" | "progress" | "fields"]?: ScanTask[K];
};

export interface ScanTaskFilter {
  readonly workflowId?: string;
  readonly isTemplate?: boolean;
  readonly status?: ScanTaskStatus;
  readonly after?: string;
  readonly limit: number;
}

/** What a task gave: files of one folder. Blank at first. */
export interface ScanResult {
  readonly id: string;
  readonly taskId: string;
  /** The transfer that it was made for; undefined when somebody else made it. */
  readonly transferId: string | undefined;
  readonly type: string;
  readonly directory: string;
  readonly files: readonly string[];
  /** JSON. */
  readonly meta: string | undefined;
  /** Later than that of every result of the task before it. */
  readonly createdAtMs: number;
}

export interface ScanResultFilter {
  readonly taskId?: string;
  readonly after?: string;
  readonly limit: number;
}

export type ScanResultContent = Pick<ScanResult, "type" | "directory" | "files" | "meta">;

export interface ScanSequenceFacts {
  /** 24 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly sequenceType: string;
  readonly tags: readonly string[];
  /** With its dot. */
  readonly fileExtension: string | undefined;
  readonly headerExtension: string | undefined;
  readonly sizeBytes: number;
  /** Of the file. */
  readonly sha256: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number | undefined;
}

export interface ScanSequence extends ScanSequenceFacts {
  readonly file: Uint8Array;
  readonly header: Uint8Array | undefined;
}

export type NewScanSequence = Omit<ScanSequence, "createdAtMs" | "updatedAtMs" | "sizeBytes">;
export type ScanSequenceChange = Partial<Pick<ScanSequence, "name" | "description" | "sequenceType" | "tags">>;

export type ScanDeviceStatus = "ONLINE" | "OFFLINE" | "BUSY" | "ERROR";

export interface ScanDevice {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** JSON of what the device says of itself. */
  readonly details: string;
  /** JSON of its calibration. */
  readonly parameter: string | undefined;
  readonly status: ScanDeviceStatus;
  /** SHA-256 of its token, in hexadecimal digits. */
  readonly tokenHash: string;
  /** It did not answer a start though it was connected. */
  readonly isDeaf: boolean;
  readonly createdAtMs: number;
  readonly updatedAtMs: number | undefined;
  readonly revokedAtMs: number | undefined;
}

export type NewScanDevice = Pick<ScanDevice, "id" | "name" | "description" | "status" | "tokenHash">;
export type ScanDeviceChange = Partial<Pick<ScanDevice, "details" | "parameter" | "status" | "isDeaf">>;

/** A user's token. */
export interface ScanToken {
  readonly id: string;
  readonly user: string;
  readonly role: string;
  readonly tokenHash: string;
  readonly createdAtMs: number;
  readonly revokedAtMs: number | undefined;
}

/** One attempt of a device at a task: a workitem of its own. PS3.4 CC. */
export interface Acquisition {
  readonly id: string;
  /** Whose task it is: `local`, or where the exam manager is. */
  readonly origin: string;
  readonly taskId: string;
  /** From 1. */
  readonly attempt: number;
  readonly upsUid: string;
  /** Who changes the acquisition has to know it. PS3.4 CC.1.1. */
  readonly transactionUid: string;
  readonly deviceId: string;
  readonly state: AcquisitionState;
  readonly progress: number;
  /** The device said that it is through. */
  readonly isDeviceDone: boolean;
  /** What the task said before it was claimed. */
  readonly previousStatus: ScanTaskStatus;
  readonly workflowId: string | undefined;
  /** SHA-256 of the token that the device was given for this attempt alone. */
  readonly tokenHash: string | undefined;
  /** JSON of the device's calibration when it was claimed. */
  readonly parameter: string | undefined;
  readonly code: ErrorCode | undefined;
  /** What the device said of its error: it stays here. */
  readonly reason: string | undefined;
  /** After this nobody answers for the device any more. */
  readonly leaseUntilMs: number;
  readonly cancelAskedAtMs: number | undefined;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface AcquisitionClaim
  extends Pick<
    Acquisition,
    | "id"
    | "origin"
    | "taskId"
    | "upsUid"
    | "transactionUid"
    | "deviceId"
    | "previousStatus"
    | "workflowId"
    | "tokenHash"
    | "parameter"
  > {
  readonly leaseMs: number;
}

export type AcquisitionLease = Pick<Acquisition, "id" | "transactionUid">;

/** Absent: it stays. */
export type AcquisitionChange = {
  readonly [K in
    | "state"
    | "progress"
    | "isDeviceDone"
    | "leaseUntilMs"
    | "code"
    | "reason"
    | "tokenHash"]?: Acquisition[K];
};

export interface AcquisitionFilter {
  readonly taskId?: string;
  readonly deviceId?: string;
  /** Not completed and not canceled. */
  readonly isOpen?: boolean;
  /** Behind this one in the list. */
  readonly after?: string;
  readonly limit: number;
}

/** A file that a device sends, or sent. */
export interface Transfer {
  readonly id: string;
  readonly acquisitionId: string;
  readonly fileName: string;
  readonly sizeBytes: number;
  /** In lower case. */
  readonly declaredSha256: string | undefined;
  /** Media type that the device gave. */
  readonly contentType: string | undefined;
  readonly sha256: string | undefined;
  /** What its first bytes are: see acquisition/signatures.ts. */
  readonly signature: string | undefined;
  /** JSON that goes beside the file. */
  readonly parameter: string | undefined;
  readonly state: TransferState;
  readonly resultId: string | undefined;
  readonly directory: string | undefined;
  readonly code: ErrorCode | undefined;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface NewTransfer
  extends Pick<Transfer, "id" | "acquisitionId" | "fileName" | "sizeBytes" | "declaredSha256" | "parameter"> {
  readonly contentType?: string | undefined;
  /** With it the device is done: kept together, as after a crash it will not say so again. */
  readonly isLast?: boolean;
}
export type TransferChange = {
  readonly [K in "state" | "sha256" | "signature" | "resultId" | "directory" | "code"]?: Transfer[K];
};

/** Append-only. */
export interface AcquisitionEvent {
  readonly atMs: number;
  readonly event: string;
  /** JSON of codes, counts and states. */
  readonly detail: string;
}

export interface WantedScanTasks {
  /** Left out by their ids; the device "" stands for none. */
  readonly except?: { readonly devices: readonly string[]; readonly tasks: readonly string[] };
  readonly limit: number;
}

/** Tasks, results and sequences of an exam manager. */
export interface ExamStore {
  addScanTask(task: NewScanTask, nowMs: number): Promise<ScanTask>;
  scanTask(id: string): Promise<ScanTask | undefined>;
  /** In the order in which they were made. @throws GatewayError SCAN_TASK_NOT_FOUND for an `after` that is not there */
  listScanTasks(filter: ScanTaskFilter): Promise<readonly ScanTask[]>;
  /** @param from only while the task says one of these; undefined when it does not, or is not there */
  changeScanTask(
    id: string,
    change: ScanTaskChange,
    nowMs: number,
    from?: readonly ScanTaskStatus[],
  ): Promise<ScanTask | undefined>;
  /** Has the gateway start it, or not any more. */
  wantScanTask(id: string, isWanted: boolean, nowMs: number): Promise<boolean>;
  /** Those that are to be started, the oldest wish first. */
  wantedScanTasks(filter: WantedScanTasks): Promise<readonly ScanTask[]>;
  /** Its results go with it; files stay. */
  removeScanTask(id: string): Promise<boolean>;
  /** A blank one. That of the same transfer is answered again; undefined when there is no such task. */
  addScanResult(
    result: { readonly id: string; readonly taskId: string; readonly transferId?: string },
    nowMs: number,
  ): Promise<ScanResult | undefined>;
  scanResult(id: string): Promise<ScanResult | undefined>;
  /** The first one first. */
  scanResults(taskId: string): Promise<readonly ScanResult[]>;
  /** Of one task or of all, in the order in which they were made. @throws GatewayError SCAN_RESULT_NOT_FOUND for an `after` that is not there */
  listScanResults(filter: ScanResultFilter): Promise<readonly ScanResult[]>;
  setScanResult(id: string, content: ScanResultContent): Promise<ScanResult | undefined>;
  removeScanResult(id: string): Promise<boolean>;
  addScanSequence(sequence: NewScanSequence, nowMs: number): Promise<ScanSequenceFacts>;
  scanSequence(id: string): Promise<ScanSequence | undefined>;
  listScanSequences(limit: number): Promise<readonly ScanSequenceFacts[]>;
  changeScanSequence(id: string, change: ScanSequenceChange, nowMs: number): Promise<boolean>;
  removeScanSequence(id: string): Promise<boolean>;
}

/** Devices, and the tokens of users. */
export interface ScannerStore {
  addScanDevice(device: NewScanDevice, nowMs: number): Promise<ScanDevice>;
  scanDevice(id: string): Promise<ScanDevice | undefined>;
  listScanDevices(limit: number): Promise<readonly ScanDevice[]>;
  changeScanDevice(id: string, change: ScanDeviceChange, nowMs: number): Promise<ScanDevice | undefined>;
  /** Its token opens nothing any more. */
  revokeScanDevice(id: string, nowMs: number): Promise<boolean>;
  addScanToken(token: Omit<ScanToken, "createdAtMs" | "revokedAtMs">, nowMs: number): Promise<void>;
  /** Undefined when it was revoked. */
  scanTokenOf(tokenHash: string): Promise<ScanToken | undefined>;
  listScanTokens(limit: number): Promise<readonly ScanToken[]>;
  revokeScanToken(id: string, nowMs: number): Promise<boolean>;
}

/** What makes an acquisition survive the process. */
export interface AcquisitionStore extends ExamStore, ScannerStore {
  /** Undefined when somebody has the task: of several claims one is answered. */
  claimAcquisition(claim: AcquisitionClaim, nowMs: number): Promise<Acquisition | undefined>;
  acquisition(id: string): Promise<Acquisition | undefined>;
  /** The newest first. */
  listAcquisitions(filter: AcquisitionFilter): Promise<readonly Acquisition[]>;
  /** False when the transaction UID is another one, or its state does not lead to the new one. */
  changeAcquisition(
    lease: AcquisitionLease,
    change: AcquisitionChange,
    nowMs: number,
    event?: Omit<AcquisitionEvent, "atMs">,
  ): Promise<boolean>;
  /** The leases of all acquisitions that a device is at. */
  renewAcquisitionsOf(deviceId: string, leaseUntilMs: number): Promise<number>;
  /** Asks whoever works on it to cancel it. PS3.4 CC.2.2. False when nobody does. */
  askToCancelAcquisition(of: Pick<Acquisition, "origin" | "taskId">, nowMs: number): Promise<boolean>;
  /** Open ones whose lease ended, or that are to be cancelled. */
  lapsedAcquisitions(nowMs: number, limit: number): Promise<readonly Acquisition[]>;
  acquisitionEvents(id: string): Promise<readonly AcquisitionEvent[]>;
  addAcquisitionEvent(id: string, event: Omit<AcquisitionEvent, "atMs">, nowMs: number): Promise<void>;
  /**
   * A file that was announced before with the same name, size and sum, and was neither aborted nor got stuck, is answered in its stead.
   * Undefined while the acquisition is not at it.
   */
  addTransfer(
    transfer: NewTransfer,
    nowMs: number,
  ): Promise<{ readonly isNew: boolean; readonly transfer: Transfer } | undefined>;
  transfer(id: string): Promise<Transfer | undefined>;
  /** False when its state does not lead to the new one. */
  changeTransfer(id: string, change: TransferChange, nowMs: number): Promise<boolean>;
  transfersOf(acquisitionId: string): Promise<readonly Transfer[]>;
  /** The first one first. @param after only those that came behind this one */
  openTransfers(limit: number, after?: string): Promise<readonly Transfer[]>;
  /** Those that are kept, and not tried again before the next start. */
  stuckTransfers(limit: number, after?: string): Promise<readonly Transfer[]>;
  /** The oldest first. */
  publishedTransfersBefore(atMs: number, limit: number): Promise<readonly Transfer[]>;
  /** Of all files that a device has in the lake or on the way there. */
  scanBytesOf(deviceId: string): Promise<number>;
}
