import type { ApiDocument } from "../../api/documents.ts";
import type { Tone } from "../../components/badge.tsx";

export type Scanner = ApiDocument<"ScannerList">["items"][number];
export type Sequence = ApiDocument<"ScanSequenceList">["items"][number];
export type Task = ApiDocument<"ScanTask">;
export type ShownTask = ApiDocument<"ShownScanTask">;
export type Attempt = ShownTask["attempts"][number];
export type Result = ApiDocument<"ScanResultPage">["items"][number];
export type Verdict = ApiDocument<"ScanResultVerdict">;
export type TaskStatus = Task["status"];

export const TASK_TONES: Readonly<Record<TaskStatus, Tone>> = {
  NEW: "calm",
  UPDATED: "calm",
  STARTED: "busy",
  INPROGRESS: "busy",
  FINISHED: "good",
  ERROR: "bad",
};

export const SCANNER_TONES: Readonly<Record<Scanner["status"], Tone>> = {
  ONLINE: "good",
  BUSY: "busy",
  OFFLINE: "calm",
  ERROR: "bad",
};

/** It may be taken back. */
export function isOpen({ status }: Pick<Task, "status">): boolean {
  return status !== "FINISHED" && status !== "ERROR";
}

export function taskPath(id: string): string {
  return `/scan-tasks/${encodeURIComponent(id)}`;
}
