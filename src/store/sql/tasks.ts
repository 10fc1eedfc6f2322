import { GatewayError } from "../../errors/gateway-error.ts";
import type { ClaimedTask, NewTask, TaskFilter, TaskLease, TaskOutcome, TaskRecord } from "../tasks.ts";
import { claimLeased, leasedFacts, renewLeased, settleLeased, tokensOf } from "./leased-work.ts";
import { newTaskId } from "./names.ts";
import type { Row, Session } from "./session.ts";

export async function addTask(session: Session, task: NewTask, nowMs: number): Promise<string> {
  const { kind, subject, body } = task;
  const waiting = await session.get("waitingTaskLike", { kind, subject, body });
  if (waiting !== undefined) return String(waiting.id);
  const id = newTaskId();
  await session.run("insertTask", { id, kind, subject, body, nowMs });
  return id;
}

export async function claimTask(
  session: Session,
  kind: string,
  leaseMs: number,
  nowMs: number,
  node?: string,
): Promise<ClaimedTask | undefined> {
  await session.run("wakeAbandonedTasks", { kind, nowMs });
  const claimed = await claimLeased(session, "claimTask", { kind }, { leaseMs, nowMs, node });
  if (claimed === undefined) return undefined;
  const task = taskRecord(claimed.row);
  return { lease: { taskId: task.id, token: claimed.token }, task };
}

export async function renewTask(
  session: Session,
  { taskId: id, token }: TaskLease,
  leaseMs: number,
  nowMs: number,
  progress?: string,
): Promise<boolean> {
  return await renewLeased(session, "renewTask", { id, token }, { leaseMs, nowMs }, progress);
}

export async function settleTask(
  session: Session,
  { taskId: id, token }: TaskLease,
  outcome: TaskOutcome,
  nowMs: number,
): Promise<boolean> {
  return await settleLeased(session, "settleTask", { id, token }, outcome, nowMs);
}

export async function cancelTasks(
  session: Session,
  { kind, subject }: { readonly kind: string; readonly subject: string },
  nowMs: number,
): Promise<number> {
  return await session.run("cancelTasks", { kind, subject, nowMs });
}

export async function releaseTasks(session: Session, kind: string, nowMs: number, node?: string): Promise<number> {
  if (node !== undefined) return await session.run("releaseTasksOf", { kind, nowMs, holder: tokensOf(node) });
  return await session.run("releaseTasks", { kind, nowMs });
}

export async function listTasks(
  session: Session,
  { kind, subject, after, limit }: TaskFilter,
): Promise<readonly TaskRecord[]> {
  const page = {
    kind,
    before: after === undefined ? Number.MAX_SAFE_INTEGER : await taskNumber(session, after),
    limit,
  };
  const rows =
    subject === undefined
      ? await session.all("listTasksOfKind", page)
      : await session.all("listTasks", { subject, ...page });
  return rows.map(taskRecord);
}

async function taskNumber(session: Session, id: string): Promise<number> {
  const row = await session.get("taskPlace", { id });
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
