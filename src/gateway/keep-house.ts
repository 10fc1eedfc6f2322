import { errorFields } from "../observe/error-fields.ts";
import { sweepStaging } from "../pipeline/retention.ts";
import type { Logger } from "../units/logger.ts";

const EVERY_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Keeps staging to its retention: at start and then every hour. */
export function keepHouse(
  parts: Parameters<typeof sweepStaging>[0] & { readonly logger: Logger },
  keepDays: number,
): AsyncDisposable {
  const stop = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        const studies = await sweepStaging(parts, keepDays * DAY_MS);
        if (studies > 0) parts.logger.info("staging swept", { studies });
      } catch (thrown) {
        parts.logger.error("staging could not be swept", errorFields(thrown));
      }
      await parts.clock.sleep(EVERY_MS, stop.signal).catch(() => undefined);
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
