import type { Deidentifier } from "../deidentifier.ts";
import type { InstanceOutcome } from "../outcome.ts";
import { observerOfOneAlone } from "../verification/study-observer.ts";
import type { StudyVerification } from "../verification/study-verification.ts";
import type { StudyTask } from "./protocol.ts";
import { createSummaryListener, createSummaryTeller } from "./shared-summaries.ts";
import { allowedMs, type TimeLimits, withinTime } from "./time-limits.ts";

/** Does instances on this thread, each within its time: one that waits for a disk that never answers is rejected, and left to wait. */
export function createInstanceHere(
  engine: Deidentifier,
  verification: StudyVerification,
  limits: TimeLimits,
  signal: AbortSignal,
): (task: StudyTask) => Promise<InstanceOutcome> {
  const tell = createSummaryTeller();
  const listen = createSummaryListener();
  return async (task) => {
    const study = task.isAlone === true ? observerOfOneAlone(verification) : verification;
    const timeoutMs = allowedMs(task.sizeBytes ?? 0, limits);
    const outcome = await withinTime((stop) => engine.instance({ ...task, study }, stop), {
      ...limits,
      timeoutMs,
      signal,
    });
    if (outcome === "timed-out")
      return { kind: "rejected", code: "DEIDENTIFICATION_UNPROVEN", reason: "instance-timed-out" };
    return outcome.kind === "deidentified" ? { ...outcome, summary: listen(tell(outcome.summary)) } : outcome;
  };
}
