import { isUuid } from "../../../acquisition/file-names.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { ScanTaskStatus } from "../../../store/acquisition-states.ts";
import type { Cli } from "../../cli.ts";
import { EXIT, type ExitCode } from "../../exit-codes.ts";
import { openDesk, printRows } from "./desk.ts";

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

export async function listTasks(cli: Cli, options: TaskListOptions): Promise<ExitCode> {
  await using desk = await openDesk(cli);
  const tasks = desk.operations.listScanTasks(options);
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
  const document = await desk.operations.showScanTask(id);
  await cli.printer.document(document, function* () {
    yield `${document.name}  ${document.id}`;
    yield `${document.status}, ${document.progress}%, ${document.state}`;
    for (const attempt of document.attempts) {
      yield `attempt ${attempt.attempt}: ${attempt.state}${attempt.code === null ? "" : ` (${attempt.code})`}`;
      if (attempt.reason !== null) yield `  ${attempt.reason}`;
      for (const { at, event } of attempt.events) yield `  ${at}  ${event}`;
      for (const { name, state, code } of attempt.files)
        if (state !== "published") yield `  file ${name}  ${state}${code === null ? "" : ` (${code})`}`;
    }
    for (const { id: result, type, files } of document.results) yield `result ${result}  ${type}  ${files.join(", ")}`;
  });
  return EXIT.fine;
}

export async function createTask(cli: Cli, options: CreateOptions): Promise<ExitCode> {
  const workflow = options.workflow?.toLowerCase();
  if (workflow !== undefined && !isUuid(workflow))
    throw new GatewayError("USAGE_INVALID", { problem: "the workflow is no UUID" });
  await using desk = await openDesk(cli);
  const task = await desk.operations.createScanTask({ ...options, workflow });
  await cli.printer.document(task, () => [task.id]);
  return EXIT.fine;
}

export async function cancelTask(cli: Cli, id: string): Promise<ExitCode> {
  await using desk = await openDesk(cli);
  const document = await desk.operations.cancelScanTask(id);
  await cli.printer.document(document, () => [
    document.wasRunning
      ? `${id} is being cancelled; a scanner that runs is to be stopped at its console`
      : `${id} is cancelled`,
  ]);
  return EXIT.fine;
}

export async function retryTask(cli: Cli, id: string): Promise<ExitCode> {
  await using desk = await openDesk(cli);
  await cli.printer.document(await desk.operations.retryScanTask(id), () => [
    `${id} starts as soon as its device is there`,
  ]);
  return EXIT.fine;
}

export async function releaseFiles(cli: Cli, id: string): Promise<ExitCode> {
  await using desk = await openDesk(cli);
  const document = await desk.operations.releaseScanFiles(id);
  await cli.printer.document(document, () =>
    document.files.length === 0
      ? ["none of its files is stuck"]
      : document.files.map((name) => `${name} is tried once more, at once where the service runs`),
  );
  return EXIT.fine;
}
