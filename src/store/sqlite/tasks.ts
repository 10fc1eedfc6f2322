import { GatewayError } from "../../errors/gateway-error.ts";
import type { ClaimedTask, NewTask, TaskFilter, TaskLease, TaskOutcome, TaskRecord } from "../tasks.ts";
import { claimLeased, leasedFacts, renewLeased, settleLeased } from "./leased-work.ts";
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
  const claimed = claimLeased(session, "claimTask", { kind }, { leaseMs, nowMs });
  if (claimed === undefined) return undefined;
  const task = taskRecord(claimed.row);
  return { lease: { taskId: task.id, token: claimed.token }, task };
}

export function renewTask(
  session: Session,
  { taskId: id, token }: TaskLease,
  leaseMs: number,
  nowMs: number,
  progress?: string,
): boolean {
  return renewLeased(session, "renewTask", { id, token }, { leaseMs, nowMs }, progress);
}

export function settleTask(
  session: Session,
  { taskId: id, token }: TaskLease,
  outcome: TaskOutcome,
  nowMs: number,
): boolean {
  return settleLeased(session, "settleTask", { id, token }, outcome, nowMs);
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

export function listTasks(session: Session, { kind, subject, after, limit }: TaskFilter): readonly TaskRecord[] {
  const page = { kind, before: after === undefined ? Number.MAX_SAFE_INTEGER : taskNumber(session, after), limit };
  const rows =
    subject === undefined ? session.all("listTasksOfKind", page) : session.all("listTasks", { subject, ...page });
  return rows.map(taskRecord);
}

function taskNumber(session: Session, id: string): number {
  const row = session.get("taskPlace", { id });
  if (row === undefined) throw new GatewayError("JOB_NOT_FOUND");
  return Number(row.taskNo);
}

function taskRecord(row: Row): TaskRecord {
  return {
    id: String(row.id),
    kind: String(row.kind),
    subject: String(row.subject),
    body: String(row.body),
    state: row.state as TaskRecord["state"],
    createdAtMs: Number(row.createdAtMs),
    ...leasedFacts(row),
  };
}
