import type { LogFields, Logger } from "../../units/logger.ts";

/** For what anybody who can connect may cause as often as he likes: each kind of line of each remote host once, then once a minute with a count. */
export interface SparseLog extends Disposable {
  tell(level: "info" | "warn", event: string, fields: LogFields): void;
}

const EVERY_MS = 60_000;
/** Hosts and what they do; what is beyond is counted together. */
const MAXIMUM_KINDS = 1_000;

interface Kind {
  /** Since its last line. */
  count: number;
  timer: NodeJS.Timeout | undefined;
  readonly write: (count: number) => void;
}

/** Disposing tells what was counted and not told. */
export function createSparseLog(logger: Logger): SparseLog {
  const kinds = new Map<string, Kind>();
  const flush = (key: string, kind: Kind): void => {
    if (kind.count === 0) kinds.delete(key);
    else {
      kind.write(kind.count);
      kind.count = 0;
      kind.timer = setTimeout(flush, EVERY_MS, key, kind).unref();
    }
  };
  return {
    tell(level, event, { remoteHost, ...fields }) {
      const own = JSON.stringify([event, remoteHost, fields]);
      const isAlone = kinds.has(own) || kinds.size < MAXIMUM_KINDS;
      const key = isAlone ? own : event;
      const known = kinds.get(key);
      if (known !== undefined) {
        known.count += 1;
        return;
      }
      const told: LogFields = isAlone ? { ...fields, remoteHost } : {};
      logger[level](event, told);
      const write = (count: number): void => logger[level](event, { ...told, count });
      const kind: Kind = { count: 0, timer: undefined, write };
      kind.timer = setTimeout(flush, EVERY_MS, key, kind).unref();
      kinds.set(key, kind);
    },
    [Symbol.dispose]() {
      for (const { count, timer, write } of kinds.values()) {
        clearTimeout(timer);
        if (count > 0) write(count);
      }
      kinds.clear();
    },
  };
}
