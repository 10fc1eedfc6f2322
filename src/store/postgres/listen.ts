import pg from "pg";
import type { Logger } from "../../units/logger.ts";

/** A lost connection is opened again after this time; meanwhile workers find jobs by polling, as they always do. */
const AGAIN_MS = 5_000;
/** The channel that the triggers of COUNTER_TRIGGERS notify. */
const CHANNEL = "radferry_work";

export interface WorkListener extends AsyncDisposable {
  /** Calls back when jobs were queued, by whatever gateway. @returns a function that ends it */
  onWork(callBack: () => void): () => void;
}

/** One connection on which the database tells of queued jobs. No job is lost when it breaks: workers poll too. */
export function listenForWork(connection: pg.PoolConfig, logger: Logger): WorkListener {
  const callBacks = new Set<() => void>();
  let client: pg.Client | undefined;
  let again: NodeJS.Timeout | undefined;
  let isOpen = true;

  async function connect(): Promise<void> {
    const made = new pg.Client({ ...connection, statement_timeout: 0 });
    client = made;
    let isOver = false;
    const lost = (): void => {
      if (isOver) return;
      isOver = true;
      made.end().catch(() => undefined);
      if (!isOpen) return;
      logger.warn("store notifications lost", {});
      again = setTimeout(() => void connect(), AGAIN_MS);
    };
    made.on("error", lost);
    made.on("end", lost);
    made.on("notification", () => {
      for (const callBack of callBacks) callBack();
    });
    try {
      await made.connect();
      await made.query(`LISTEN ${CHANNEL}`);
    } catch {
      lost();
    }
  }

  const connecting = connect();
  return {
    onWork(callBack) {
      callBacks.add(callBack);
      return () => {
        callBacks.delete(callBack);
      };
    },
    async [Symbol.asyncDispose]() {
      isOpen = false;
      clearTimeout(again);
      await connecting;
      await client?.end().catch(() => undefined);
    },
  };
}
