import { toGatewayError } from "../errors/gateway-error.ts";
import type { PipelineServices } from "./services.ts";
import type { RunRecall, StepResult } from "./step.ts";

/**
 * At the end of a run. What was delivered straight away need not survive a power cut in staging, and is not waited for; what has to wait there must.
 * @param result undefined when the run failed
 */
export async function keepStaged(
  { staging, logger }: Pick<PipelineServices, "staging" | "logger">,
  { fetched }: RunRecall,
  result: StepResult | undefined,
): Promise<void> {
  if (fetched === undefined) return;
  const isDelivered = result?.kind === "end" && result.state === "delivered";
  try {
    await (isDelivered ? staging.markSpent(fetched) : staging.sync(fetched));
  } catch (thrown) {
    // After a power cut it would be fetched again: no reason to fail.
    logger.warn("what is staged could not be made durable", { code: toGatewayError(thrown).code });
  }
}
