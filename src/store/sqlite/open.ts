import { Worker } from "node:worker_threads";
import { GatewayError } from "../../errors/gateway-error.ts";
import { type Clock, systemClock } from "../../units/clock.ts";
import { type Logger, silentLogger } from "../../units/logger.ts";
import type { MethodName } from "../sql/methods.ts";
import type { Store } from "../store.ts";
import { sqliteMethods } from "./methods.ts";
import type { Answer, FromStore, StoreStart, ToStore } from "./protocol.ts";
import { errorOf, followThread } from "./thread.ts";

/** Calls under way at once; one more is refused rather than remembered without end. */
const MAXIMUM_CALLS = 10_000;

interface Caller {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface SqliteStoreOptions {
  readonly path: string;
  /** What is done is seen by this store alone, and undone when it is disposed; without a file it is done in memory. */
  readonly isRehearsal?: boolean;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

/**
 * The embedded store. The database lives in a thread of its own: its calls are synchronous, and no socket waits for an fsync.
 * Disposing answers the calls under way first. More than 10,000 of them are refused with STORE_UNAVAILABLE.
 * @throws GatewayError STORE_NOT_OURS, STORE_SCHEMA_NEWER, STORE_UNAVAILABLE, STORE_DAMAGED, STORE_FULL
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { path, isRehearsal = false, logger = silentLogger, clock = systemClock } = options;
  const workerData: StoreStart = { path, nowMs: clock.nowMs(), isRehearsal };
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData });
  const thread = followThread(worker);
  const callers = new Map<number, Caller>();
  let isOpen = true;

  worker.on("message", (message: FromStore) => {
    if (!("answers" in message)) return;
    for (const answer of message.answers) {
      const caller = callers.get(answer.call);
      callers.delete(answer.call);
      if (caller !== undefined) settleCall(caller, answer);
    }
  });
  thread.ended.then((thrown) => {
    isOpen = false;
    if (callers.size > 0) logger.error("store thread ended", { waiting: callers.size });
    for (const { reject } of callers.values()) reject(new GatewayError("STORE_UNAVAILABLE", {}, thrown));
    callers.clear();
  });
  await thread.ready;

  let calls = 0;
  let unsent: ToStore[] = [];
  const send = (): void => {
    const messages = unsent;
    unsent = [];
    try {
      worker.postMessage(messages);
    } catch (thrown) {
      // Something that cannot be sent to a thread is a mistake of ours: whoever asked in this turn is told.
      for (const message of messages) {
        if (!("call" in message)) continue;
        callers.get(message.call)?.reject(thrown);
        callers.delete(message.call);
      }
    }
  };
  const ask = (method: MethodName, args: readonly unknown[]): Promise<unknown> => {
    if (!isOpen || callers.size >= MAXIMUM_CALLS) {
      return Promise.reject(new GatewayError("STORE_UNAVAILABLE", { open: isOpen, waiting: callers.size }));
    }
    calls += 1;
    const call = calls;
    return new Promise((resolve, reject) => {
      // What is asked in one turn goes together, and so shares a transaction.
      if (unsent.push({ call, method, args }) === 1) process.nextTick(send);
      callers.set(call, { resolve, reject });
    });
  };
  const asked = Object.fromEntries(
    (Object.keys(sqliteMethods) as MethodName[]).map((method) => [
      method,
      (...args: readonly unknown[]) => ask(method, args),
    ]),
  ) as unknown as Omit<Store, typeof Symbol.asyncDispose>;
  return Object.assign(asked, {
    async [Symbol.asyncDispose]() {
      if (isOpen && unsent.push({ close: true }) === 1) send();
      isOpen = false;
      await thread.ended;
    },
  });
}

function settleCall({ resolve, reject }: Caller, answer: Answer): void {
  if ("failure" in answer) reject(errorOf(answer.failure));
  else resolve(answer.value);
}
