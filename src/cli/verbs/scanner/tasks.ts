import { randomUUID } from "node:crypto";
import { createLocalExams } from "../../../acquisition/exam-manager.ts";
import { isUuid } from "../../../acquisition/file-names.ts";
import { UPS_OF_TASK } from "../../../acquisition/ups.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { ScannerDesk } from "../../../gateway/open-scanner-desk.ts";
import { ACQUISITION_STATES, type ScanTaskStatus } from "../../../store/acquisition-states.ts";
import type { Acquisition, ScanTask } from "../../../store/acquisitions.ts";
import type { Cli } from "../../cli.ts";
import { EXIT, type ExitCode } from "../../exit-codes.ts";
import { isoTime, openDesk, PAGE, printRows } from "./desk.ts";

export interface TaskListOptions {
  readonly status?: ScanTaskStatus;
}

export interface CreateOptions {
  readonly sequence: string;
  readonly device?: string;
  readonly name: string;
  readonly description: string;
  readonly workflow?: string;
  readonly start: boolean;
}

function documentOf(task: ScanTask) {
  const { name, sequence_id: sequence }: Readonly<Record<string, unknown>> = JSON.parse(task.fields);
  return {
    id: task.id,
    name: String(name ?? ""),
    status: task.status,
    state: task.isTemplate ? "template" : UPS_OF_TASK[task.status],
    progress: task.progress,
    device: task.deviceId ?? null,
    workflow: task.workflowId ?? null,
    sequence: typeof sequence === "string" ? sequence : null,
    waiting: task.wantedAtMs !== undefined,
    createdAt: isoTime(task.createdAtMs),
    updatedAt: isoTime(task.updatedAtMs),
  };
}

/** @throws GatewayError SCAN_TASK_NOT_FOUND */
async function taskOf({ store }: ScannerDesk, id: string): Promise<ScanTask> {
  const task = await store.scanTask(id);
  if (task === undefined) throw new GatewayError("SCAN_TASK_NOT_FOUND");
  return task;
}

export async function listTasks(cli: Cli, options: TaskListOptions): Promise<ExitCode> {
  await using desk = await openDesk(cli);
  const tasks = (await desk.store.listScanTasks({ ...options, limit: PAGE })).map(documentOf);
  await printRows(cli, tasks, ["ID", "NAME", "STATUS", "PROGRESS", "DEVICE"], (task) => [
    task.id,
    task.name,
    task.waiting ? `${task.status} (waits for its device)` : task.status,
    `${task.progress}%`,
    task.device ?? "any",
  ]);
  return EXIT.fine;
}

export async function showTask(cli: Cli, id: string): Promise<ExitCode> {
  await using desk = await openDesk(cli);
  const { store } = desk;
  const task = await taskOf(desk, id);
  const attempts: Awaited<ReturnType<typeof attemptDocument>>[] = [];
  for (const acquisition of await store.listAcquisitions({ taskId: id, limit: PAGE })) {
    attempts.push(await attemptDocument(desk, acquisition));
  }
  const results = (await store.scanResults(id)).map(({ id: result, type, directory, files }) => ({
    id: result,
    type,
    directory,
    files,
  }));
  const document = { ...documentOf(task), attempts, results };
  await cli.printer.document(document, function* () {
    yield `${document.name}  ${document.id}`;
    yield `${document.status}, ${document.progress}%, ${document.state}`;
    for (const attempt of attempts) {
      yield `attempt ${attempt.attempt}: ${attempt.state}${attempt.code === null ? "" : ` (${attempt.code})`}`;
      if (attempt.reason !== null) yield `  ${attempt.reason}`;
      for (const { at, event } of attempt.events) yield `  ${at}  ${event}`;
    }
    for (const { id: result, type, files } of results) yield `result ${result}  ${type}  ${files.join(", ")}`;
  });
  return EXIT.fine;
}

async function attemptDocument({ store }: ScannerDesk, acquisition: Acquisition) {
  const transfers = await store.transfersOf(acquisition.id);
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
    events: (await store.acquisitionEvents(acquisition.id)).map(({ atMs, event, detail }) => ({
      at: isoTime(atMs),
      event,
      detail: JSON.parse(detail) as unknown,
    })),
    files: transfers.map(({ fileName, sizeBytes, sha256, state, code, resultId }) => ({
      name: fileName,
      sizeBytes,
      sha256: sha256 ?? null,
      state,
      code: code ?? null,
      result: resultId ?? null,
    })),
  };
}

export async function createTask(cli: Cli, options: CreateOptions): Promise<ExitCode> {
  await using desk = await openDesk(cli);
  const { store, clock } = desk;
  const workflowId = options.workflow?.toLowerCase() ?? randomUUID();
  if (!isUuid(workflowId)) throw new GatewayError("USAGE_INVALID", { problem: "the workflow is no UUID" });
  if ((await store.scanSequence(options.sequence)) === undefined) throw new GatewayError("SCAN_SEQUENCE_NOT_FOUND");
  const device = options.device === undefined ? undefined : await store.scanDevice(options.device);
  if (options.device !== undefined && (device === undefined || device.revokedAtMs !== undefined))
    throw new GatewayError("SCAN_DEVICE_NOT_FOUND");
  const { name, description, sequence: sequence_id } = options;
  const fields = { name, description, task_type: "ACQUISITION", destination: "", position: 0, calibration: [] };
  const task = await store.addScanTask(
    {
      id: randomUUID(),
      workflowId,
      deviceId: device?.id,
      isTemplate: false,
      status: "NEW",
      progress: 0,
      fields: JSON.stringify({ ...fields, sequence_id, acquisition_parameter: PLAIN_FIELD_OF_VIEW }),
      creator: desk.actor.name,
      wantedAtMs: options.start ? clock.nowMs() : undefined,
    },
    clock.nowMs(),
  );
  await cli.printer.document(documentOf(task), () => [task.id]);
  return EXIT.fine;
}

/** As the sequence has it. */
const PLAIN_FIELD_OF_VIEW = {
  fov_scaling: { x: 1, y: 1, z: 1 },
  fov_offset: { x: 0, y: 0, z: 0 },
  fov_rotation: { x: 0, y: 0, z: 0 },
};

export async function cancelTask(cli: Cli, id: string): Promise<ExitCode> {
  await using desk = await openDesk(cli);
  const { store, clock } = desk;
  const task = await taskOf(desk, id);
  await store.wantScanTask(id, false, clock.nowMs());
  const { origin } = createLocalExams(store, clock);
  const isAsked = await store.askToCancelAcquisition({ origin, taskId: id }, clock.nowMs());
  const before = ["NEW", "UPDATED", "STARTED"] as const;
  const isTaken =
    !isAsked && (await store.changeScanTask(id, { status: "ERROR" }, clock.nowMs(), before)) !== undefined;
  if (!isAsked && !isTaken) throw new GatewayError("SCAN_TASK_NOT_SCHEDULED", { status: task.status });
  await cli.printer.document({ id, cancelled: true, wasRunning: isAsked }, () => [
    isAsked ? `${id} is being cancelled; a scanner that runs is to be stopped at its console` : `${id} is cancelled`,
  ]);
  return EXIT.fine;
}

export async function retryTask(cli: Cli, id: string): Promise<ExitCode> {
  await using desk = await openDesk(cli);
  const { store, clock } = desk;
  const task = await taskOf(desk, id);
  if (task.isTemplate) throw new GatewayError("SCAN_TASK_NOT_SCHEDULED", { template: true });
  const [held] = await store.listAcquisitions({ taskId: id, isOpen: true, limit: 1 });
  if (held !== undefined) throw new GatewayError("SCAN_TASK_TAKEN");
  await store.wantScanTask(id, true, clock.nowMs());
  await cli.printer.document({ id, waiting: true }, () => [`${id} starts as soon as its device is there`]);
  return EXIT.fine;
}
