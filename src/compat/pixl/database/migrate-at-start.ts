import { toGatewayError } from "../../../errors/gateway-error.ts";
import type { Clock } from "../../../units/clock.ts";
import type { Logger } from "../../../units/logger.ts";
import { type DatabaseOptions, openDatabase } from "./connection.ts";
import { upgrade } from "./migrate.ts";

export interface StartWorld {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** A database that starts beside us is there by then. */
const WAIT_MS = 10_000;
const AGAIN_MS = 500;

/**
 * Brings PIXL's schema to its head before anything else begins. One that cannot be migrated is left as it was.
 * @throws GatewayError PIXL_DATABASE_UNAVAILABLE, PIXL_DATABASE_REFUSED, PIXL_DATABASE_REVISION_UNKNOWN; the signal's reason
 */
export async function migrateAtStart(options: DatabaseOptions, { clock, logger, signal }: StartWorld): Promise<void> {
  const untilMs = clock.nowMs() + WAIT_MS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await using database = await openDatabase(options);
      const { to = "none", steps } = await upgrade(database);
      logger.info("pixl database is at its head", { revision: to, steps: steps.length });
      return;
    } catch (thrown) {
      const error = toGatewayError(thrown);
      if (error.code !== "PIXL_DATABASE_UNAVAILABLE" || clock.nowMs() + AGAIN_MS > untilMs) throw error;
      if (attempt === 1) logger.warn("pixl database cannot be reached yet", { code: error.code });
      await clock.sleep(AGAIN_MS, signal);
    }
  }
}
