import type { Readable } from "node:stream";
import type { LakeWriter } from "../acquisition/lake/writer.ts";
import type { UPS_OF_TASK } from "../acquisition/ups.ts";
import type { ErrorCode } from "../errors/registry.ts";
import type { AcquisitionState, ScanTaskStatus, TransferState, UpsState } from "../store/acquisition-states.ts";
import type { ScanDeviceStatus } from "../store/acquisitions.ts";
import type { Store } from "../store/store.ts";
import type { Actor } from "../units/actor.ts";
import type { AuditTrail } from "../units/audit.ts";
import type { Clock } from "../units/clock.ts";

/** What people and programs can ask of research scanners: part of `Operations`, and of the desk of the scanners' verbs. */
export interface ScannerOperations {
  listScanners(): AsyncIterable<ScannerDocument>;
  listScanSequences(): AsyncIterable<ScanSequenceDocument>;
  /** The first one first. */
  listScanTasks(filter: ScanTaskWish): AsyncIterable<ScanTaskDocument>;
  /** With its attempts, what happened in them, and its results. @throws GatewayError SCAN_TASK_NOT_FOUND */
  showScanTask(id: string): Promise<ShownScanTaskDocument>;
  /** It starts as soon as its scanner is there, unless told otherwise. @throws GatewayError SCAN_SEQUENCE_NOT_FOUND, SCAN_DEVICE_NOT_FOUND */
  createScanTask(wish: NewTaskWish): Promise<ScanTaskDocument>;
  /** A scanner that runs has to be stopped at its own console. @throws GatewayError SCAN_TASK_NOT_FOUND, SCAN_TASK_NOT_SCHEDULED */
  cancelScanTask(id: string): Promise<CancelledScanTaskDocument>;
  /** @throws GatewayError SCAN_TASK_NOT_FOUND, SCAN_TASK_NOT_SCHEDULED for a template, SCAN_TASK_TAKEN while an attempt is open */
  retryScanTask(id: string): Promise<RetriedScanTaskDocument>;
  /** Has the running service try once more to publish what got stuck of a task. @throws GatewayError SCAN_TASK_NOT_FOUND */
  releaseScanFiles(id: string): Promise<ReleasedScanFilesDocument>;
  /** Of one task, or of all; the first one first. */
  listScanResults(filter: ScanResultWish): AsyncIterable<ScanResultDocument>;
  /** Reads a result's files and compares them with what was received. @throws GatewayError SCAN_RESULT_NOT_FOUND, SCAN_RESULT_UNFIT */
  verifyScanResult(id: string): Promise<ScanResultVerdictDocument>;
  /**
   * One file of a result, as the scanner sent it: it may say who was scanned, and that it was given out is written down first.
   * @throws GatewayError SCAN_RESULT_NOT_FOUND, SCAN_RESULT_UNFIT, SCAN_RESULT_DAMAGED when it is not there
   */
  openScanFile(id: string, name: string): Promise<OpenScanFile>;
}

export interface ScannerContext {
  readonly store: Store;
  readonly audit: AuditTrail;
  /** Who asks. */
  readonly actor: Actor;
  readonly clock: Clock;
  readonly scanFiles: ScanFiles;
}

/** Where results lie. */
export interface ScanFiles extends Pick<LakeWriter, "sumOf"> {
  /** Nothing outside of it is read; undefined: anything that this process may, as at the command line. */
  lake(): Promise<string | undefined>;
}

/** Times are ISO 8601, UTC. */
export interface ScannerDocument {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly status: ScanDeviceStatus;
  /** It did not answer a start though it was connected. */
  readonly deaf: boolean;
  readonly registeredAt: string;
  readonly revokedAt: string | null;
}

export interface ScanSequenceDocument {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly type: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly addedAt: string;
}

export interface ScanTaskWish {
  readonly status?: ScanTaskStatus | undefined;
  readonly after?: string | undefined;
}

export interface ScanTaskDocument {
  readonly id: string;
  readonly name: string;
  readonly status: ScanTaskStatus;
  /** Of the workitem: PS3.4 CC. */
  readonly state: (typeof UPS_OF_TASK)[ScanTaskStatus] | "template";
  /** 0 to 100. */
  readonly progress: number;
  /** Null: any. */
  readonly device: string | null;
  readonly workflow: string | null;
  readonly sequence: string | null;
  /** It starts as soon as its device is there. */
  readonly waiting: boolean;
  readonly createdAt: string;
  readonly updatedAt: string | null;
}

export interface ShownScanTaskDocument extends ScanTaskDocument {
  /** The newest first. */
  readonly attempts: readonly ScanAttemptDocument[];
  readonly results: readonly Pick<ScanResultDocument, "id" | "type" | "directory" | "files">[];
}

export interface ScanAttemptDocument {
  readonly id: string;
  readonly attempt: number;
  readonly device: string;
  readonly state: AcquisitionState;
  readonly upsState: UpsState;
  readonly upsInstanceUid: string;
  readonly progress: number;
  readonly code: ErrorCode | null;
  /** What the device said of its error. */
  readonly reason: string | null;
  readonly events: readonly {
    readonly at: string;
    readonly event: string;
    readonly detail: Readonly<Record<string, string | number | boolean>>;
  }[];
  readonly files: readonly {
    readonly name: string;
    readonly sizeBytes: number;
    readonly sha256: string | null;
    readonly state: TransferState;
    readonly code: ErrorCode | null;
    readonly result: string | null;
  }[];
}

export interface NewTaskWish {
  readonly sequence: string;
  /** Left out: any that is free. */
  readonly device?: string | undefined;
  readonly name: string;
  readonly description: string;
  /** A UUID in lower case; left out: a new one. */
  readonly workflow?: string | undefined;
  readonly start: boolean;
}

export interface CancelledScanTaskDocument {
  readonly id: string;
  readonly cancelled: true;
  /** A scanner is at it, and hears of it when it reports next. */
  readonly wasRunning: boolean;
}

export interface RetriedScanTaskDocument {
  readonly id: string;
  readonly waiting: true;
}

export interface ReleasedScanFilesDocument {
  readonly id: string;
  /** Their names, as the scanner gave them. */
  readonly files: readonly string[];
}

export interface ScanResultWish {
  readonly task?: string | undefined;
  readonly after?: string | undefined;
}

export interface ScanResultDocument {
  readonly id: string;
  readonly task: string;
  readonly type: string;
  readonly directory: string;
  readonly files: readonly string[];
  /** Of what was received; null where somebody else wrote the result. */
  readonly sha256: string | null;
  readonly createdAt: string;
}

export interface ScanFileVerdict {
  readonly name: string;
  readonly sizeBytes: number | null;
  readonly sha256: string | null;
  /** `unknown`: nobody wrote down what it was; `misnamed`: whole, and not what its name says. */
  readonly verdict: "same" | "changed" | "missing" | "unknown" | "misnamed";
}

export interface ScanResultVerdictDocument {
  readonly id: string;
  readonly whole: boolean;
  readonly files: readonly ScanFileVerdict[];
}

export interface OpenScanFile {
  readonly name: string;
  readonly sizeBytes: number;
  /** Of what was received: who reads can tell whether it is still that. */
  readonly sha256: string | undefined;
  readonly content: Readable;
}
