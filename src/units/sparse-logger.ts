import type { LogFields, Logger } from "./logger.ts";

/**
 * For what a peer may cause as often as he likes: the same line once, then once a minute with a count.
 * Lines for debugging pass as they are.
 */
export interface SparseLogger extends Logger, Disposable {}

type Level = "info" | "warn" | "error";

const EVERY_MS = 60_000;
/** Lines that differ, by their fields or by the host they tell of; what is beyond is counted together. */
const MAXIMUM_KINDS = 1_000;

interface Kind {
  /** Since its last line. */
  count: number;
  timer: NodeJS.Timeout | undefined;
  readonly write: (count: number) => void;
}

/** Disposing tells what was counted and not told. */
export function createSparseLogger(logger: Logger): SparseLogger {
  const kinds = new Map<string, Kind>();
  const flush = (key: string, kind: Kind): void => {
    if (kind.count === 0) kinds.delete(key);
    else {
      kind.write(kind.count);
      kind.count = 0;
      kind.timer = setTimeout(flush, EVERY_MS, key, kind).unref();
    }
  };
  const at =
    (level: Level) =>
    (event: string, fields: LogFields = {}): void => {
      const own = JSON.stringify([level, event, fields]);
      const isAlone = kinds.has(own) || kinds.size < MAXIMUM_KINDS;
      const key = isAlone ? own : JSON.stringify([level, event]);
      const known = kinds.get(key);
      if (known !== undefined) {
        known.count += 1;
        return;
      }
      const told: LogFields = isAlone ? fields : {};
      logger[level](event, told);
      const write = (count: number): void => logger[level](event, { ...told, count });
      const kind: Kind = { count: 0, timer: undefined, write };
      kind.timer = setTimeout(flush, EVERY_MS, key, kind).unref();
      kinds.set(key, kind);
    };
  return {
    debug: (event, fields) => logger.debug(event, fields),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    [Symbol.dispose]() {
      for (const { count, timer, write } of kinds.values()) {
        clearTimeout(timer);
        if (count > 0) write(count);
      }
      kinds.clear();
    },
  };
}
