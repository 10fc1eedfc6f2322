import { errorFields } from "../observe/error-fields.ts";
import { PERMIT_LEASE_MS, type SharedPermits } from "../store/shared-permits.ts";
import type { Clock } from "../units/clock.ts";
import type { Logger } from "../units/logger.ts";

/** How often its turn is asked for, and asked for again by who has it. */
const LOOK_MS = 2_000;
/** Who has not heard for so long that it is his turn stops before it may be another's. */
const STOP_AFTER_MS = PERMIT_LEASE_MS - 3 * LOOK_MS;

type Start = () => AsyncDisposable | Promise<AsyncDisposable>;

/** What one node at a time does for all. */
export interface Alone {
  /** Starts it when it is this node's turn, and disposes what was started when it is not any more; until it is disposed. */
  keep(what: string, start: Start): Promise<AsyncDisposable>;
  /** Does it once, unless another node is doing it. */
  once(what: string, work: () => Promise<void>): Promise<void>;
}

interface AloneParts {
  /** Undefined: there is no other node. */
  readonly permits: SharedPermits | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createAlone(parts: AloneParts): Alone {
  const { permits } = parts;
  if (permits === undefined) return { keep: async (_what, start) => await start(), once: (_what, work) => work() };
  return {
    keep: async (what, start) => keepInTurn({ ...parts, permits }, what, start),
    async once(what, work) {
      const resource = resourceOf(what);
      if (!(await permits.hold(resource))) return;
      try {
        await work();
      } finally {
        await permits.leave(resource);
      }
    },
  };
}

function resourceOf(what: string): string {
  return `alone:${what}`;
}

function keepInTurn(
  { permits, clock, logger }: AloneParts & { readonly permits: SharedPermits },
  what: string,
  start: Start,
): AsyncDisposable {
  const resource = resourceOf(what);
  const stop = new AbortController();
  let running: AsyncDisposable | undefined;
  let heldAtMs = Number.NEGATIVE_INFINITY;
  const end = async (): Promise<void> => {
    const ending = running;
    running = undefined;
    await ending?.[Symbol.asyncDispose]();
  };
  const look = async (): Promise<void> => {
    const nowMs = clock.nowMs();
    if (running !== undefined && nowMs - heldAtMs > STOP_AFTER_MS) await end();
    const asking = permits.hold(resource);
    // A store that says nothing is given up later than others wait.
    if (running !== undefined && !(await isAnswered(asking, heldAtMs + STOP_AFTER_MS - nowMs, clock))) await end();
    const isOurs = await asking;
    if (!isOurs) return await end();
    heldAtMs = nowMs;
    if (running !== undefined) return;
    try {
      running = await start();
    } catch (thrown) {
      // Another one may be able to.
      await permits.leave(resource);
      throw thrown;
    }
    logger.info("turn taken", { what });
  };
  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await look().catch((thrown: unknown) => {
        if (!stop.signal.aborted) logger.warn("a turn could not be looked at", { what, ...errorFields(thrown) });
      });
      await clock.sleep(LOOK_MS, stop.signal).catch(() => undefined);
    }
  };
  const looking = loop();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await looking;
      await end();
      await permits.leave(resource);
    },
  };
}

/** Whether there is an answer, or an error in its place, by then. */
async function isAnswered(asking: Promise<unknown>, withinMs: number, clock: Clock): Promise<boolean> {
  const over = new AbortController();
  const answered = asking.then(
    () => true,
    () => true,
  );
  const late = clock.sleep(withinMs, over.signal).then(
    () => false,
    () => true,
  );
  try {
    return await Promise.race([answered, late]);
  } finally {
    over.abort();
  }
}
