import { randomUUID } from "node:crypto";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ScanTaskStatus } from "../store/acquisition-states.ts";
import type { ExamStore, ScanResultContent } from "../store/acquisitions.ts";
import type { Clock } from "../units/clock.ts";
import { isUuid } from "./file-names.ts";
import { TASK_TRANSITIONS } from "./ups.ts";

/** What the ledger needs to know of a task. */
export interface ExamTask {
  readonly id: string;
  readonly workflowId: string | undefined;
  readonly deviceId: string | undefined;
  readonly isTemplate: boolean;
  readonly status: ScanTaskStatus;
}

/**
 * Who keeps tasks and results: this gateway's store, or a service elsewhere. Every call but `createBlankResult` may be repeated.
 * @throws GatewayError SCAN_TASK_NOT_FOUND, SCAN_TASK_WRONG_TYPE, SCAN_RESULT_NOT_FOUND, and those of the way there
 */
export interface ExamManager {
  /** Part of the ledger's keys: `local`, or an address. */
  readonly origin: string;
  task(taskId: string): Promise<ExamTask>;
  setTask(taskId: string, change: { readonly status: ScanTaskStatus; readonly progress?: number }): Promise<void>;
  /** Answers the id of a result that is empty. */
  createBlankResult(taskId: string, transferId: string): Promise<string>;
  /** What a create whose answer was lost has made; undefined when there is nothing that is provably its. */
  blankResultOf(taskId: string, transferId: string): Promise<string | undefined>;
  setResult(resultId: string, content: ScanResultContent): Promise<void>;
  /** One that is gone is no error. */
  deleteBlankResult(resultId: string): Promise<void>;
}

/** @throws GatewayError SCAN_TASK_NOT_FOUND, SCAN_TASK_WRONG_TYPE */
function taskTypeOf(fields: string): string {
  const parsed: unknown = JSON.parse(fields);
  const type = typeof parsed === "object" && parsed !== null ? Reflect.get(parsed, "task_type") : undefined;
  return typeof type === "string" ? type : "ACQUISITION";
}

/** The exam manager that is this gateway's own store. */
export function createLocalExams(store: ExamStore, clock: Pick<Clock, "nowMs">): ExamManager {
  return {
    origin: "local",
    async task(taskId) {
      const task = isUuid(taskId) ? await store.scanTask(taskId) : undefined;
      if (task === undefined) throw new GatewayError("SCAN_TASK_NOT_FOUND");
      if (taskTypeOf(task.fields) !== "ACQUISITION") throw new GatewayError("SCAN_TASK_WRONG_TYPE");
      return task;
    },
    async setTask(taskId, { status, progress }) {
      const from = Object.entries(TASK_TRANSITIONS).flatMap(([before, next]) =>
        next.has(status) ? [before as ScanTaskStatus] : [],
      );
      const change = progress === undefined ? { status } : { status, progress };
      const changed = await store.changeScanTask(taskId, change, clock.nowMs(), from);
      if (changed === undefined && (await store.scanTask(taskId)) === undefined)
        throw new GatewayError("SCAN_TASK_NOT_FOUND");
    },
    async createBlankResult(taskId, transferId) {
      const result = await store.addScanResult({ id: randomUUID(), taskId, transferId }, clock.nowMs());
      if (result === undefined) throw new GatewayError("SCAN_TASK_NOT_FOUND");
      return result.id;
    },
    blankResultOf: async (taskId, transferId) =>
      (await store.scanResults(taskId)).find((result) => result.transferId === transferId)?.id,
    async setResult(resultId, content) {
      if ((await store.setScanResult(resultId, content)) === undefined) throw new GatewayError("SCAN_RESULT_NOT_FOUND");
    },
    deleteBlankResult: async (resultId) => void (await store.removeScanResult(resultId)),
  };
}
