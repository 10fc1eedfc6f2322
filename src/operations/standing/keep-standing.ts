import { openingHoursOf, policyInForce } from "../../archive/availability/policy.ts";
import { toGatewayError } from "../../errors/gateway-error.ts";
import type { StandingCohort, StandingRun } from "../../store/standing.ts";
import type { Logger } from "../../units/logger.ts";
import type { OperationsContext } from "../context.ts";
import { timetableOf } from "./create-standing-operations.ts";
import { runStandingCohort } from "./run-standing.ts";
import { passedBetween, runsOf } from "./timetable.ts";

const LOOK_MS = 1_000;
/** How soon an archive that may not be asked is looked at again: people open and resume it at any time. */
const LOOK_AGAIN_MS = 2_000;
/** Each has an archive searched beside the work itself. */
const MAXIMUM_RUNNING = 2;
const NO_COUNTS = { found: 0, fresh: 0, changed: 0, known: 0, refused: 0 };

/** Runs standing cohorts when they are due, and goes on with what an end of the process cut short. Disposing ends it; runs stay to be gone on with. */
export function keepStanding(context: OperationsContext, logger: Logger): AsyncDisposable {
  const { store, clock } = context;
  const stop = new AbortController();
  const running = new Map<string, Promise<void>>();
  const notBefore = new Map<string, number>();
  const startedAtMs = clock.nowMs();
  const begin = (standing: StandingCohort): void => {
    const { name } = standing;
    const work = runDue(context, standing, { startedAtMs, signal: stop.signal }).then(
      (isDone) => {
        if (isDone) notBefore.delete(name);
        else notBefore.set(name, clock.nowMs() + LOOK_AGAIN_MS);
      },
      (thrown: unknown) => {
        notBefore.set(name, clock.nowMs() + LOOK_AGAIN_MS);
        if (!stop.signal.aborted)
          logger.error("a standing cohort could not run", { code: toGatewayError(thrown).code });
      },
    );
    running.set(
      name,
      work.finally(() => running.delete(name)),
    );
  };
  const look = async (): Promise<void> => {
    // Those that wait for their archive leave room for others.
    const limit = MAXIMUM_RUNNING + running.size + notBefore.size;
    for (const standing of await store.dueStandingCohorts(limit, clock.nowMs())) {
      if (running.size >= MAXIMUM_RUNNING) return;
      const isEarly = (notBefore.get(standing.name) ?? 0) > clock.nowMs();
      if (!running.has(standing.name) && !isEarly) begin(standing);
    }
  };
  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await look().catch((thrown: unknown) =>
        logger.error("standing cohorts could not be looked at", { code: toGatewayError(thrown).code }),
      );
      await clock.sleep(LOOK_MS, stop.signal).catch(() => undefined);
    }
  };
  const looking = loop();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await looking;
      await Promise.all(running.values());
    },
  };
}

interface Round {
  readonly startedAtMs: number;
  readonly signal: AbortSignal;
}

/** False: not now. @throws GatewayError of the store; the signal's reason */
async function runDue(context: OperationsContext, standing: StandingCohort, round: Round): Promise<boolean> {
  const { store, clock } = context;
  if (!(await mayBeAsked(context, standing.archive))) return false;
  const run = await beginRun(context, standing, round);
  if (run === undefined) return true;
  try {
    return (await runStandingCohort(context, standing, run, round.signal)) !== "later";
  } catch (thrown) {
    round.signal.throwIfAborted();
    const { code } = toGatewayError(thrown);
    const end = { state: "failed", code, counts: NO_COUNTS } as const;
    await store.endStandingRun(standing.name, run.number, end, clock.nowMs());
    return true;
  }
}

/** An archive that is not there any more is the run's to fail with. */
async function mayBeAsked({ archives, store, clock }: OperationsContext, archive: string): Promise<boolean> {
  const facts = archives.get(archive);
  if (facts === undefined) return true;
  const condition = await store.archiveCondition(archive);
  return !condition.paused && openingHoursOf(policyInForce(facts.availability, condition)).isOpen(clock.nowMs());
}

async function beginRun(
  { store, clock }: OperationsContext,
  standing: StandingCohort,
  { startedAtMs }: Round,
): Promise<StandingRun | undefined> {
  const nowMs = clock.nowMs();
  const runs = runsOf(timetableOf(standing));
  const dueAtMs = Math.min(standing.nextRunAtMs ?? nowMs, nowMs);
  const reason = dueAtMs < startedAtMs ? "caught-up" : "timetable";
  const missed = passedBetween(runs, dueAtMs, nowMs);
  return await store.beginStandingRun(
    standing.name,
    { reason, dueAtMs, missed, nextRunAtMs: runs.after(nowMs) },
    nowMs,
  );
}
