import { errorFields } from "../observe/error-fields.ts";
import { resumeWithdrawals, type WithdrawalContext } from "../operations/withdraw.ts";
import type { Logger } from "../units/logger.ts";

const EVERY_MS = 900_000;

/** Goes on with withdrawals that were cut short, or failed for what may have passed: at start, then every quarter of an hour. */
export function keepWithdrawals(context: WithdrawalContext, logger: Logger): AsyncDisposable {
  const stop = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        const resumed = await resumeWithdrawals(context, stop.signal);
        if (resumed > 0) logger.info("withdrawals resumed", { resumed });
      } catch (thrown) {
        if (!stop.signal.aborted) logger.error("withdrawals could not be resumed", errorFields(thrown));
      }
      await context.clock.sleep(EVERY_MS, stop.signal).catch(() => undefined);
    }
  };
  const running = loop();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}
