import type { ImportStatus } from "../compat/flip/buckets.ts";
import { type ImportTasks, taskBody, taskProgress } from "../compat/flip/import-tasks.ts";
import { candidatesOf, queryAccession } from "../compat/flip/pacs.ts";
import type { FlipServices } from "../compat/flip/services.ts";
import { getImportStatus } from "../compat/flip/status.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { isoTime } from "../operations/describe.ts";
import type { TaskRecord } from "../store/tasks.ts";
import { abortAfter } from "../units/abort.ts";

/** How long who asks waits for the first try; the task goes on without him. */
const ANSWER_MS = 30_000;
const LOOK_MS = 50;

export interface FlipApi {
  readonly services: FlipServices;
  readonly tasks: ImportTasks;
}

/** Has a retrieval done that outlives the request, and waits a while for its first try. */
export async function requestRetrieval(
  { services, tasks }: FlipApi,
  projectId: string,
  work: { readonly isRetry: boolean; readonly query: string },
  signal: AbortSignal,
) {
  const { clock } = services;
  const id = await tasks.add(projectId, work);
  const untilMs = clock.nowMs() + ANSWER_MS;
  for (;;) {
    const task = (await tasks.list(projectId)).find((each) => each.id === id);
    if (task === undefined) throw new GatewayError("INTERNAL", { what: "task" });
    const isTried =
      task.state !== "running" && (task.state !== "waiting" || task.attempts > 0 || task.code !== undefined);
    if (isTried || clock.nowMs() >= untilMs) return { ...describeTask(task), task: id, queued: isQueued(task) };
    await clock.sleep(LOOK_MS, signal);
  }
}

/** FLIP's five lists. @throws GatewayError of FLIP's functions */
export function importStatus(
  { services }: FlipApi,
  projectId: string,
  query: string,
  signal: AbortSignal,
): Promise<ImportStatus> {
  return getImportStatus(services, { xnat: services.sessions.service, projectId, query, signal });
}

/** Studies that the PACS has under exactly this accession number. @throws GatewayError of XNAT */
export async function candidatesFor({ services }: FlipApi, accession: string, signal: AbortSignal) {
  const { pacs, pacsTurns, sessions, settings } = services;
  const xnat = sessions.service;
  using _ = await pacsTurns.acquire(signal);
  using inTime = abortAfter(settings.pacsQueries.timeoutMs, signal);
  const pacsId = await pacs.id(xnat, inTime);
  return candidatesOf(accession, await queryAccession(xnat, pacsId, accession, inTime));
}

function isQueued(task: TaskRecord): boolean {
  return progressIn(task)?.queued ?? false;
}

function progressIn({ progress }: TaskRecord) {
  return progress === undefined ? undefined : taskProgress.safeParse(JSON.parse(progress)).data;
}

/** The query says whom it is about, and stays out. */
export function describeTask(task: TaskRecord) {
  const { id, subject, body, state, code, attempts, waitingUntilMs, createdAtMs, finishedAtMs } = task;
  const { isRetry = false } = taskBody.safeParse(JSON.parse(body)).data ?? {};
  return {
    id,
    project: subject,
    kind: isRetry ? "retry" : "retrieve",
    state,
    attempts,
    ...(code === undefined ? {} : { code }),
    ...(waitingUntilMs === undefined ? {} : { waitingUntil: isoTime(waitingUntilMs) }),
    createdAt: isoTime(createdAtMs),
    ...(finishedAtMs === undefined ? {} : { finishedAt: isoTime(finishedAtMs) }),
    ...progressIn(task),
  };
}
