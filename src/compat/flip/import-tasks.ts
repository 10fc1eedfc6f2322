import { z } from "zod";
import { GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import { type ErrorCode, errorRegistry } from "../../errors/registry.ts";
import { backOffMs, type RetryPolicy } from "../../pipeline/retry.ts";
import type { ClaimedTask, TaskOutcome, TaskRecord, TaskStore } from "../../store/tasks.ts";
import { type RetrievalReport, retrieve, transientProblem } from "./retrieval.ts";
import type { FlipServices } from "./services.ts";

const KIND = "flip-import";
const LEASE_MS = 60_000;
/** How long an idle worker waits before it looks again; a new task wakes it at once. */
const IDLE_MS = 1_000;
const STORE_PAUSE_MS = 2_000;
const WORKERS = 4;
const LISTED = 100;

/** A locked account or a password that is being changed ends no work. */
const WAITED_OUT: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["HTTP_UNAUTHORISED", "XNAT_LOGIN_REFUSED"]);

/** What a task of a project asks for. */
export const taskBody = z.object({ isRetry: z.boolean(), query: z.string() });

/** Retrievals that outlive the request which asked for them, and the process. */
export interface ImportTasks extends AsyncDisposable {
  /** Resolves when it is safely written down. One that waits for its turn already is joined. */
  add(projectId: string, work: { readonly isRetry: boolean; readonly query: string }): Promise<string>;
  /** Ends what a project waits for. */
  cancel(projectId: string): Promise<number>;
  list(projectId: string): Promise<readonly TaskRecord[]>;
  /** Of every project, the newest first. */
  listAll(page: { readonly after?: string; readonly limit: number }): Promise<readonly TaskRecord[]>;
  /** Workers that ended though nobody told them to. */
  readonly dead: number;
  /** Lets running steps come to their end, or to where they can be taken up again. */
  drain(): Promise<void>;
}

export interface ImportTasksOptions {
  readonly services: FlipServices;
  readonly store: TaskStore;
  readonly retry: RetryPolicy;
  /** So long XNAT may take to queue what it was asked for, though nobody waits for its answer any more. */
  readonly settleMs: number;
}

/** Gives back what a process that died held, and goes on with it. */
export async function startImportTasks(options: ImportTasksOptions): Promise<ImportTasks> {
  const { services, store } = options;
  const { clock, logger } = services;
  await store.releaseTasks(KIND, clock.nowMs());
  const stop = new AbortController();
  const idle = new AbortController();
  let wake = Promise.withResolvers<void>();
  let dead = 0;

  async function pause(durationMs: number): Promise<void> {
    using over = endWith(idle.signal);
    await Promise.race([clock.sleep(durationMs, over.signal).catch(() => undefined), wake.promise]);
  }
  async function work(): Promise<void> {
    while (!idle.signal.aborted) {
      try {
        const claimed = await store.claimTask(KIND, LEASE_MS, clock.nowMs());
        if (claimed === undefined) await pause(IDLE_MS);
        else await runTask(options, claimed, stop.signal);
      } catch (thrown) {
        logger.error("import worker could not reach the store", { code: toGatewayError(thrown).code });
        await pause(STORE_PAUSE_MS);
      }
    }
  }
  const workers = Array.from({ length: WORKERS }, () =>
    work().catch(() => {
      dead += 1;
    }),
  );
  const drain = async (): Promise<void> => {
    idle.abort();
    stop.abort(new GatewayError("CANCELLED"));
    await Promise.all(workers);
  };
  return {
    async add(projectId, { isRetry, query }) {
      const body = JSON.stringify({ isRetry, query });
      const id = await store.addTask({ kind: KIND, subject: projectId, body }, clock.nowMs());
      const woken = wake;
      wake = Promise.withResolvers<void>();
      woken.resolve();
      return id;
    },
    cancel: (projectId) => store.cancelTasks({ kind: KIND, subject: projectId }, clock.nowMs()),
    list: (projectId) => store.listTasks({ kind: KIND, subject: projectId, limit: LISTED }),
    listAll: (page) => store.listTasks({ kind: KIND, ...page }),
    get dead() {
      return dead;
    },
    drain,
    [Symbol.asyncDispose]: drain,
  };
}

/** A signal of one's own, so that listeners do not gather on one that lives long. */
function endWith(signal: AbortSignal): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      signal.removeEventListener("abort", onAbort);
      controller.abort();
    },
  };
}

async function runTask(options: ImportTasksOptions, { lease, task }: ClaimedTask, stop: AbortSignal): Promise<void> {
  const { services, store } = options;
  const { clock, logger } = services;
  using over = endWith(stop);
  const lost = new AbortController();
  const signal = AbortSignal.any([over.signal, lost.signal]);
  const keep = async (progress?: string): Promise<void> => {
    if (await store.renewTask(lease, LEASE_MS, clock.nowMs(), progress)) return;
    lost.abort(new GatewayError("LEASE_LOST"));
    signal.throwIfAborted();
  };
  const timer = setInterval(() => void keep().catch(() => undefined), LEASE_MS / 3);
  try {
    const outcome = await outcomeOf(options, task, { signal, keep });
    logger.info("import task", {
      job: task.id,
      state: outcome.state,
      attempts: outcome.attempts,
      ...(outcome.state === "done" ? {} : { code: outcome.code }),
    });
    await store.settleTask(lease, outcome, clock.nowMs());
  } catch (thrown) {
    // Whoever stopped us lets it be taken up again: at once when it is this process's end.
    if (lost.signal.aborted) return;
    if (!stop.aborted) throw thrown;
    const { attempts } = task;
    await store.settleTask(
      lease,
      { state: "waiting", code: "CANCELLED", dueAtMs: clock.nowMs(), attempts },
      clock.nowMs(),
    );
  } finally {
    clearInterval(timer);
  }
}

async function outcomeOf(
  options: ImportTasksOptions,
  { subject: projectId, body, attempts: before, progress: progressBefore }: TaskRecord,
  { signal, keep }: { readonly signal: AbortSignal; readonly keep: (progress?: string) => Promise<void> },
): Promise<TaskOutcome> {
  const { services, settleMs } = options;
  const { clock } = services;
  const attempts = before + 1;
  const settledAtMs = (sentAtMs(progressBefore) ?? 0) + settleMs;
  if (settledAtMs > clock.nowMs())
    return { state: "waiting", code: "FLIP_IMPORT_UNSETTLED", dueAtMs: settledAtMs, attempts: before };
  const work = taskBody.safeParse(JSON.parse(body));
  if (!work.success) return { state: "failed", code: "INTERNAL", attempts };
  const { isRetry, query } = work.data;
  const xnat = services.sessions.service;
  try {
    const report = await services.alone(projectId, signal, () =>
      // Written down before it is sent: who takes the task over knows that XNAT may be at it.
      retrieve(services, {
        xnat,
        projectId,
        query,
        isRetry,
        signal,
        beforeQueueing: () => keep(JSON.stringify({ sentAtMs: clock.nowMs() })),
      }),
    );
    const progress = progressOf(report);
    const again = transientProblem(report);
    return again === undefined
      ? { state: "done", progress, attempts }
      : later(options, { code: again.code, attempts, progress });
  } catch (thrown) {
    signal.throwIfAborted();
    const { code } = toGatewayError(thrown);
    const isFinal = errorRegistry[code].class === "permanent" && !WAITED_OUT.has(code);
    return isFinal ? { state: "failed", code, attempts } : later(options, { code, attempts });
  }
}

function later(
  { services, retry }: ImportTasksOptions,
  facts: { readonly code: GatewayError["code"]; readonly attempts: number; readonly progress?: string },
): TaskOutcome {
  if (facts.attempts >= retry.attempts) return { state: "failed", ...facts };
  const dueAtMs = services.clock.nowMs() + backOffMs(retry, facts.attempts, services.random);
  return { state: "waiting", dueAtMs, ...facts };
}

const sentProgress = z.object({ sentAtMs: z.number() });

/** When an import was asked for whose answer never came. */
function sentAtMs(progress: string | undefined): number | undefined {
  return progress === undefined ? undefined : sentProgress.safeParse(JSON.parse(progress)).data?.sentAtMs;
}

/** What a task that is done has left. */
export const taskProgress = z.object({
  queued: z.boolean(),
  accessions: z.int(),
  queuedNow: z.int(),
  present: z.int(),
  problems: z.record(z.string(), z.int()),
});

type TaskProgress = z.infer<typeof taskProgress>;

/** Counts and codes alone. */
function progressOf({ queued, accessions, queuedNow, present, problems }: RetrievalReport): string {
  const codes: Record<string, number> = {};
  for (const { code } of problems) codes[code] = (codes[code] ?? 0) + 1;
  return JSON.stringify({ queued, accessions, queuedNow, present, problems: codes } satisfies TaskProgress);
}
