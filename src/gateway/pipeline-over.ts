import type { Settings } from "../config/settings.ts";
import type { RetryPolicy } from "../pipeline/retry.ts";
import type { PipelineServices } from "../pipeline/services.ts";
import { createSharedStudyLocks, createStudyLocks } from "../pipeline/study-locks.ts";
import type { Actor } from "../units/actor.ts";
import type { Keeper } from "./keeper.ts";
import type { GatewayNode } from "./node.ts";
import { withdrawnCheck, withdrawnKeyFile } from "./withdrawn.ts";

interface PipelineParts extends Pick<PipelineServices, "store" | "clock" | "random" | "logger" | "traces"> {
  readonly settings: Settings;
  /** In whose name the pipeline works. */
  readonly worker: Actor;
  readonly node: Pick<GatewayNode, "permits">;
}

/** What jobs are worked on with: each time as it is in force then. */
export function pipelineOver(
  { settings, store, clock, random, logger, worker, traces, node }: PipelineParts,
  keeper: Keeper,
  places: Pick<PipelineServices, "staging" | "outbox" | "sharedOutbox" | "refusals">,
): PipelineServices {
  return {
    ...places,
    store,
    clock,
    random,
    logger,
    actor: worker,
    get projects() {
      return keeper.current.projects;
    },
    hold: keeper.hold,
    get retry() {
      return retryPolicy(keeper.current.settings);
    },
    isWithdrawn: withdrawnCheck(store, withdrawnKeyFile(settings)),
    studyLocks: node.permits === undefined ? createStudyLocks() : createSharedStudyLocks(node.permits),
    traces,
  };
}

function retryPolicy({ retry }: Settings): RetryPolicy {
  const { attempts, firstDelaySeconds, maximumDelaySeconds } = retry;
  return { attempts, firstDelayMs: firstDelaySeconds * 1_000, maximumDelayMs: maximumDelaySeconds * 1_000 };
}
