import { toGatewayError } from "../errors/gateway-error.ts";
import type { ClaimedJob } from "../store/records.ts";
import { LEASE_MS } from "./keep-lease.ts";
import { runJob } from "./run-job.ts";
import type { PipelineServices } from "./services.ts";

/** How long an idle worker waits before it looks for work that another process submitted, and of which no word came. */
const IDLE_MS = 250;
/** A store that does not answer is asked again after this. */
const STORE_PAUSE_MS = 2_000;

export interface Workers extends AsyncDisposable {
  /** No further job is claimed; resolves when the running ones have come to an end or were stopped by the signal. */
  drain(): Promise<void>;
}

/** A job that the store broke off is gone on with as it is journalled; undefined: somebody else has it by now, or it is settled. */
async function stillOurs({ store, clock }: PipelineServices, { lease }: ClaimedJob): Promise<ClaimedJob | undefined> {
  const isOurs = await store.renew(lease, LEASE_MS, clock.nowMs());
  return isOurs ? { lease, job: await store.job(lease.jobId) } : undefined;
}

/** `count` workers, each claiming one job at a time. Aborting `stop` interrupts running jobs where they can be taken up again. */
export function startWorkers(
  services: PipelineServices,
  options: { readonly count: number; readonly name: string; readonly stop: AbortSignal },
): Workers {
  const idle = new AbortController();
  const quiet = AbortSignal.any([options.stop, idle.signal]);
  let woken = new AbortController();
  const forget = services.store.onWork?.(() => {
    woken.abort();
    woken = new AbortController();
  });

  async function work(name: string): Promise<void> {
    const next = { worker: name, isWanted: () => !quiet.aborted };
    let following: ClaimedJob | undefined;
    let interrupted: ClaimedJob | undefined;
    while (following !== undefined || !quiet.aborted) {
      try {
        // Word that comes while it looks ends the pause after it.
        const { signal } = woken;
        if (interrupted !== undefined) following = await stillOurs(services, interrupted);
        interrupted = following ?? (await services.store.claim(name, LEASE_MS, services.clock.nowMs()));
        following = undefined;
        if (interrupted === undefined) await pause(IDLE_MS, signal);
        else following = await runJob(services, interrupted, options.stop, next);
        interrupted = undefined;
      } catch (thrown) {
        services.logger.error("worker could not reach the store", { worker: name, code: toGatewayError(thrown).code });
        await pause(STORE_PAUSE_MS);
      }
    }
  }

  async function pause(durationMs: number, woke?: AbortSignal): Promise<void> {
    if (quiet.aborted) return;
    const until = woke === undefined ? quiet : AbortSignal.any([quiet, woke]);
    await services.clock.sleep(durationMs, until).catch(() => undefined);
  }

  const running = Array.from({ length: options.count }, (_, index) => work(`${options.name}-${index + 1}`));
  const drain = async (): Promise<void> => {
    idle.abort();
    forget?.();
    await Promise.all(running);
  };
  return { drain, [Symbol.asyncDispose]: drain };
}
