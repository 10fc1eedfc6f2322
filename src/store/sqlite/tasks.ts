import { randomUUID } from "node:crypto";
import type { ErrorCode } from "../../errors/registry.ts";
import type { ClaimedTask, NewTask, TaskFilter, TaskLease, TaskOutcome, TaskRecord } from "../tasks.ts";
import { newTaskId } from "./names.ts";
import type { Row, Session } from "./session.ts";

export function addTask(session: Session, task: NewTask, nowMs: number): string {
  const { kind, subject, body } = task;
  const waiting = session.get("waitingTaskLike", { kind, subject, body });
  if (waiting !== undefined) return String(waiting.id);
  const id = newTaskId();
  session.run("insertTask", { id, kind, subject, body, nowMs });
  return id;
}

export function claimTask(session: Session, kind: string, leaseMs: number, nowMs: number): ClaimedTask | undefined {
  session.run("wakeAbandonedTasks", { kind, nowMs });
  const token = randomUUID();
  const row = session.get("claimTask", { kind, token, leaseUntil: nowMs + leaseMs, nowMs });
  if (row === undefined) return undefined;
  const task = taskRecord(row);
  return { lease: { taskId: task.id, token }, task };
}

export function renewTask(
  session: Session,
  { taskId: id, token }: TaskLease,
  leaseMs: number,
  nowMs: number,
  progress?: string,
): boolean {
  return session.run("renewTask", { id, token, leaseUntil: nowMs + leaseMs, progress }) === 1;
}

export function settleTask(
  session: Session,
  { taskId: id, token }: TaskLease,
  outcome: TaskOutcome,
  nowMs: number,
): boolean {
  const { state, progress, attempts } = outcome;
  const changed = session.run("settleTask", {
    id,
    token,
    state,
    progress,
    attempts,
    code: outcome.state === "done" ? undefined : outcome.code,
    dueAt: outcome.state === "waiting" ? outcome.dueAtMs : undefined,
    finishedAt: state === "waiting" ? undefined : nowMs,
  });
  return changed === 1;
}

export function cancelTasks(
  session: Session,
  { kind, subject }: { readonly kind: string; readonly subject: string },
  nowMs: number,
): number {
  return session.run("cancelTasks", { kind, subject, nowMs });
}

export function releaseTasks(session: Session, kind: string, nowMs: number): number {
  return session.run("releaseTasks", { kind, nowMs });
}

export function listTasks(session: Session, { kind, subject, limit }: TaskFilter): readonly TaskRecord[] {
  return session.all("listTasks", { kind, subject, limit }).map(taskRecord);
}

function taskRecord(row: Row): TaskRecord {
  const optional = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  const time = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
  return {
    id: String(row.id),
    kind: String(row.kind),
    subject: String(row.subject),
    body: String(row.body),
    state: row.state as TaskRecord["state"],
    code: optional(row.code) as ErrorCode | undefined,
    progress: optional(row.progress),
    attempts: Number(row.attempts),
    waitingUntilMs: time(row.waitingUntilMs),
    createdAtMs: Number(row.createdAtMs),
    finishedAtMs: time(row.finishedAtMs),
  };
}
