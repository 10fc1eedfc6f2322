import { toGatewayError } from "../errors/gateway-error.ts";
import type { ErrorCode } from "../errors/registry.ts";
import type { Store } from "../store/store.ts";
import type { Clock } from "../units/clock.ts";
import type { Logger } from "../units/logger.ts";

const EVERY_MS = 10_000;
/** Whoever asks so soon after is told the same. */
const FRESH_MS = 2_000;

interface WatchParts {
  readonly store: Pick<Store, "takePermit">;
  /** What is written is this node's own. */
  readonly node: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Whether the store can be written. Studies keep the state they had while it cannot, as nothing else can be written down: this is where it is
 * told. The log has it once when it begins and once when it is over.
 */
export interface StoreWatch extends AsyncDisposable {
  /** Why it cannot be written; undefined: it can. Tried by writing, at most every other second. */
  trouble(): Promise<ErrorCode | undefined>;
}

export function watchStore({ store, node, clock, logger }: WatchParts): StoreWatch {
  let trouble: ErrorCode | undefined;
  let looking: Promise<ErrorCode | undefined> | undefined;
  let lookedAtMs = Number.NEGATIVE_INFINITY;

  const look = async (): Promise<ErrorCode | undefined> => {
    const found = await writtenTo(store, node, clock.nowMs());
    lookedAtMs = clock.nowMs();
    looking = undefined;
    if (found !== undefined && found !== trouble) logger.error("store cannot be written", { code: found });
    if (found === undefined && trouble !== undefined) logger.info("store can be written again", {});
    trouble = found;
    return trouble;
  };
  const troubleNow = async (): Promise<ErrorCode | undefined> => {
    const ageMs = clock.nowMs() - lookedAtMs;
    if (ageMs >= 0 && ageMs < FRESH_MS) return trouble;
    looking ??= look();
    return await looking;
  };

  const stop = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await troubleNow();
      await clock.sleep(EVERY_MS, stop.signal).catch(() => undefined);
    }
  };
  const running = loop();
  return {
    trouble: troubleNow,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

/** A permit of nobody else's: taking it again and again changes a row, and hinders nobody. */
async function writtenTo(store: WatchParts["store"], node: string, nowMs: number): Promise<ErrorCode | undefined> {
  try {
    await store.takePermit({ resource: `store-watch:${node}`, limit: 1, holder: node, node }, EVERY_MS, nowMs);
    return undefined;
  } catch (thrown) {
    return toGatewayError(thrown).code;
  }
}
