import { randomUUID } from "node:crypto";
import { createLocalExams } from "../acquisition/exam-manager.ts";
import { releaseTransfer } from "../acquisition/take-up.ts";
import { UPS_OF_TASK } from "../acquisition/ups.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { ACQUISITION_STATES } from "../store/acquisition-states.ts";
import type { Acquisition, ScanTask } from "../store/acquisitions.ts";
import { isoTime } from "./describe.ts";
import type {
  CancelledScanTaskDocument,
  NewTaskWish,
  ReleasedScanFilesDocument,
  RetriedScanTaskDocument,
  ScanAttemptDocument,
  ScannerContext,
  ScannerDocument,
  ScanSequenceDocument,
  ScanTaskDocument,
  ScanTaskWish,
  ShownScanTaskDocument,
} from "./scanner-operations.ts";

const PAGE = 500;
/** Of scanners and of sequences, far more than a site has: what is beyond is not listed. */
const MOST = 10_000;
/** Of one task, newest first. */
const MOST_ATTEMPTS = 100;

export async function* listScanners({ store }: ScannerContext): AsyncGenerator<ScannerDocument> {
  for (const device of await store.listScanDevices(MOST)) {
    const { id, name, description, status, isDeaf, createdAtMs, revokedAtMs } = device;
    const revokedAt = revokedAtMs === undefined ? null : isoTime(revokedAtMs);
    yield { id, name, description, status, deaf: isDeaf, registeredAt: isoTime(createdAtMs), revokedAt };
  }
}

export async function* listScanSequences({ store }: ScannerContext): AsyncGenerator<ScanSequenceDocument> {
  for (const sequence of await store.listScanSequences(MOST)) {
    const { id, name, description, sequenceType: type, sizeBytes, sha256, createdAtMs } = sequence;
    yield { id, name, description, type, sizeBytes, sha256, addedAt: isoTime(createdAtMs) };
  }
}

export async function* listScanTasks(
  { store }: ScannerContext,
  { status, after: first }: ScanTaskWish,
): AsyncGenerator<ScanTaskDocument> {
  let after = first;
  for (;;) {
    const page = await store.listScanTasks({
      ...(status === undefined ? {} : { status }),
      ...(after === undefined ? {} : { after }),
      limit: PAGE,
    });
    yield* page.map(describeTask);
    after = page.at(-1)?.id;
    if (page.length < PAGE) return;
  }
}

function describeTask(task: ScanTask): ScanTaskDocument {
  const { name, sequence_id: sequence }: Readonly<Record<string, unknown>> = JSON.parse(task.fields);
  return {
    id: task.id,
    name: typeof name === "string" ? name : "",
    status: task.status,
    state: task.isTemplate ? "template" : UPS_OF_TASK[task.status],
    progress: task.progress,
    device: task.deviceId ?? null,
    workflow: task.workflowId ?? null,
    sequence: typeof sequence === "string" ? sequence : null,
    waiting: task.wantedAtMs !== undefined,
    createdAt: isoTime(task.createdAtMs),
    updatedAt: task.updatedAtMs === undefined ? null : isoTime(task.updatedAtMs),
  };
}

/** @throws GatewayError SCAN_TASK_NOT_FOUND */
async function taskOf({ store }: ScannerContext, id: string): Promise<ScanTask> {
  const task = await store.scanTask(id);
  if (task === undefined) throw new GatewayError("SCAN_TASK_NOT_FOUND");
  return task;
}

export async function showScanTask(context: ScannerContext, id: string): Promise<ShownScanTaskDocument> {
  const { store } = context;
  const task = await taskOf(context, id);
  const attempts: ScanAttemptDocument[] = [];
  for (const acquisition of await store.listAcquisitions({ taskId: id, limit: MOST_ATTEMPTS }))
    attempts.push(await describeAttempt(context, acquisition));
  const results = (await store.scanResults(id)).map(({ id: result, type, directory, files }) => ({
    id: result,
    type,
    directory,
    files,
  }));
  return { ...describeTask(task), attempts, results };
}

async function describeAttempt({ store }: ScannerContext, acquisition: Acquisition): Promise<ScanAttemptDocument> {
  const [events, transfers] = await Promise.all([
    store.acquisitionEvents(acquisition.id),
    store.transfersOf(acquisition.id),
  ]);
  return {
    id: acquisition.id,
    attempt: acquisition.attempt,
    device: acquisition.deviceId,
    state: acquisition.state,
    upsState: ACQUISITION_STATES[acquisition.state].ups,
    upsInstanceUid: acquisition.upsUid,
    progress: acquisition.progress,
    code: acquisition.code ?? null,
    reason: acquisition.reason ?? null,
    events: events.map(({ atMs, event, detail }) => ({ at: isoTime(atMs), event, detail: JSON.parse(detail) })),
    files: transfers.map(({ fileName, sizeBytes, sha256, state, code, resultId }) => ({
      name: fileName,
      sizeBytes,
      sha256: sha256 ?? null,
      state,
      // What a file waited for on its way is no matter any more.
      code: state === "published" || state === "removed" ? null : (code ?? null),
      result: resultId ?? null,
    })),
  };
}

export async function createScanTask(context: ScannerContext, wish: NewTaskWish): Promise<ScanTaskDocument> {
  const { store, clock, actor } = context;
  if ((await store.scanSequence(wish.sequence)) === undefined) throw new GatewayError("SCAN_SEQUENCE_NOT_FOUND");
  const device = wish.device === undefined ? undefined : await store.scanDevice(wish.device);
  if (wish.device !== undefined && (device === undefined || device.revokedAtMs !== undefined))
    throw new GatewayError("SCAN_DEVICE_NOT_FOUND");
  const id = randomUUID();
  await note(context, { what: "made", task: id });
  const { name, description, sequence: sequence_id } = wish;
  const fields = { name, description, task_type: "ACQUISITION", destination: "", position: 0, calibration: [] };
  const task = await store.addScanTask(
    {
      id,
      workflowId: wish.workflow ?? randomUUID(),
      deviceId: device?.id,
      isTemplate: false,
      status: "NEW",
      progress: 0,
      fields: JSON.stringify({ ...fields, sequence_id, acquisition_parameter: PLAIN_FIELD_OF_VIEW }),
      creator: actor.name,
      wantedAtMs: wish.start ? clock.nowMs() : undefined,
    },
    clock.nowMs(),
  );
  return describeTask(task);
}

/** Neither scaled, moved nor turned: the field of view that the sequence itself has. */
const PLAIN_FIELD_OF_VIEW = {
  fov_scaling: { x: 1, y: 1, z: 1 },
  fov_offset: { x: 0, y: 0, z: 0 },
  fov_rotation: { x: 0, y: 0, z: 0 },
};

async function note({ audit, actor }: ScannerContext, detail: Readonly<Record<string, string>>): Promise<void> {
  await audit.record({ event: "scan-task-changed", actor, outcome: "success", detail });
}

export async function cancelScanTask(context: ScannerContext, id: string): Promise<CancelledScanTaskDocument> {
  const { store, clock } = context;
  const task = await taskOf(context, id);
  // Tasks that are made from a template begin with its status.
  if (task.isTemplate) throw new GatewayError("SCAN_TASK_NOT_SCHEDULED", { template: true });
  await store.wantScanTask(id, false, clock.nowMs());
  const { origin } = createLocalExams(store, clock);
  const isAsked = await store.askToCancelAcquisition({ origin, taskId: id }, clock.nowMs());
  const before = ["NEW", "UPDATED", "STARTED"] as const;
  const isTaken =
    !isAsked && (await store.changeScanTask(id, { status: "ERROR" }, clock.nowMs(), before)) !== undefined;
  // One that ended and was asked for again waits with the status of its end.
  const wasWaiting = task.wantedAtMs !== undefined;
  if (!isAsked && !isTaken && !wasWaiting) throw new GatewayError("SCAN_TASK_NOT_SCHEDULED", { status: task.status });
  await note(context, { what: "cancelled", task: id });
  return { id, cancelled: true, wasRunning: isAsked };
}

/** Of an exam-manager elsewhere the tasks are not known here; their attempts are. */
export async function releaseScanFiles(context: ScannerContext, id: string): Promise<ReleasedScanFilesDocument> {
  const { store, clock } = context;
  const attempts = await store.listAcquisitions({ taskId: id, limit: MOST_ATTEMPTS });
  if (attempts.length === 0) await taskOf(context, id);
  const transfers = (await Promise.all(attempts.map((attempt) => store.transfersOf(attempt.id)))).flat();
  const stuck = transfers.filter(({ state }) => state === "stuck");
  if (stuck.length === 0) return { id, files: [] };
  await note(context, { what: "files released", task: id });
  const files: string[] = [];
  for (const transfer of stuck)
    if (await releaseTransfer(store, transfer, clock.nowMs())) files.push(transfer.fileName);
  return { id, files };
}

export async function retryScanTask(context: ScannerContext, id: string): Promise<RetriedScanTaskDocument> {
  const { store, clock } = context;
  const task = await taskOf(context, id);
  if (task.isTemplate) throw new GatewayError("SCAN_TASK_NOT_SCHEDULED", { template: true });
  const [held] = await store.listAcquisitions({ taskId: id, isOpen: true, limit: 1 });
  if (held !== undefined) throw new GatewayError("SCAN_TASK_TAKEN");
  await note(context, { what: "retried", task: id });
  await store.wantScanTask(id, true, clock.nowMs());
  return { id, waiting: true };
}
