import { errorFields } from "../observe/error-fields.ts";
import { sweepStaging } from "../pipeline/retention.ts";
import { sweepSharedOutbox } from "../pipeline/shared-copies.ts";
import type { SharedOutbox } from "../staging/shared-outbox.ts";
import type { Actor } from "../units/actor.ts";
import type { AuditTrail } from "../units/audit.ts";
import type { Logger } from "../units/logger.ts";
import type { Metrics } from "../units/metrics.ts";
import type { Alone } from "./keep-alone.ts";
import type { Intake } from "./open-intake.ts";

const EVERY_MS = 3_600_000;
/** Whether room is needed is looked at more often. */
const LOOK_MS = 60_000;
const DAY_MS = 86_400_000;

interface HouseParts {
  /** Keeps to the same retention. */
  readonly intake: Pick<Intake, "sweep"> | undefined;
  readonly sweep: Parameters<typeof sweepStaging>[0];
  /** Swept of what jobs left that are done. */
  readonly sharedOutbox?: SharedOutbox | undefined;
  readonly alone: Alone;
  readonly audit: AuditTrail;
  readonly actor: Actor;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly keepDays: number;
  /** Whether bytes are overwritten first. */
  readonly shred: boolean;
}

/** Keeps staging to its retention: at start, then every hour, and whenever the disk has less room than its reserve. */
export function keepHouse(parts: HouseParts): AsyncDisposable {
  const { staging, clock } = parts.sweep;
  const stop = new AbortController();
  const loop = async (): Promise<void> => {
    let nextAtMs = clock.nowMs();
    while (!stop.signal.aborted) {
      try {
        const isDue = clock.nowMs() >= nextAtMs;
        if (isDue || (await staging.isBelowReserve())) {
          await sweepIntake(parts);
          await sweep(parts);
        }
        if (isDue) {
          nextAtMs = clock.nowMs() + EVERY_MS;
          await parts.alone.once("sweep-shared", () => sweepShared(parts, stop.signal));
        }
      } catch (thrown) {
        parts.logger.error("staging could not be swept", errorFields(thrown));
      }
      await clock.sleep(LOOK_MS, stop.signal).catch(() => undefined);
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

/** What was sent unasked and cannot be swept keeps nothing else from being swept. */
async function sweepIntake({ intake, keepDays, logger }: HouseParts): Promise<void> {
  await intake
    ?.sweep(keepDays * DAY_MS)
    .catch((thrown: unknown) => logger.error("what was sent to us could not be swept", errorFields(thrown)));
}

async function sweep(parts: HouseParts): Promise<void> {
  const { sweep: of, audit, actor, metrics, logger, keepDays, shred } = parts;
  const { removed: studies, failures, isRoomNeeded } = await sweepStaging(of, keepDays * DAY_MS);
  const [first] = failures;
  if (first !== undefined)
    logger.error("studies in staging could not be removed", { studies: failures.length, ...errorFields(first) });
  if (studies === 0) return;
  const reason = isRoomNeeded ? "room" : "age";
  metrics.add("staging_studies_removed_total", studies, { reason });
  await audit.record({
    event: "staging-swept",
    actor,
    outcome: "success",
    detail: { studies, reason, shredded: shred },
  });
  logger.info("staging swept", { studies, reason });
}

async function sweepShared({ sweep: { store }, sharedOutbox, logger }: HouseParts, signal: AbortSignal): Promise<void> {
  try {
    const studies = await sweepSharedOutbox({ store, sharedOutbox }, signal);
    if (studies > 0) logger.info("shared store swept", { studies });
  } catch (thrown) {
    if (!signal.aborted) logger.warn("shared store could not be swept", errorFields(thrown));
  }
}
