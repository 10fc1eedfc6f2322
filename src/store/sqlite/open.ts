import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { GatewayError } from "../../errors/gateway-error.ts";
import { type Logger, silentLogger } from "../../units/logger.ts";
import type { Store } from "../store.ts";
import { type MethodName, methods } from "./methods.ts";
import type { FromStore, StoreFailure, ToStore } from "./protocol.ts";

/** Calls under way at once; one more is refused rather than remembered without end. */
const MAXIMUM_CALLS = 10_000;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The embedded store. The database lives in a thread of its own: its calls are synchronous, and no socket waits for an fsync.
 * @throws GatewayError STORE_NOT_OURS, STORE_SCHEMA_NEWER, STORE_UNAVAILABLE
 */
export async function openSqliteStore({
  path,
  logger = silentLogger,
}: {
  readonly path: string;
  readonly logger?: Logger;
}): Promise<Store> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: { path } });
  const waiting = new Map<number, Waiting>();
  const exited = once(worker, "exit");
  await ready(worker);

  worker.on("message", (message: FromStore) => {
    if (!("call" in message)) return;
    const caller = waiting.get(message.call);
    waiting.delete(message.call);
    if ("failure" in message) caller?.reject(errorOf(message.failure));
    else caller?.resolve(message.value);
  });
  let isOpen = true;
  const fail = (thrown?: unknown): void => {
    isOpen = false;
    if (waiting.size > 0) logger.error("store thread ended", { waiting: waiting.size });
    for (const { reject } of waiting.values()) reject(new GatewayError("STORE_UNAVAILABLE", {}, thrown));
    waiting.clear();
  };
  worker.on("error", fail);
  worker.on("exit", () => fail());

  let calls = 0;
  const ask = (method: MethodName, args: readonly unknown[]): Promise<unknown> => {
    if (!isOpen || waiting.size >= MAXIMUM_CALLS) return Promise.reject(new GatewayError("STORE_UNAVAILABLE"));
    calls += 1;
    const call = calls;
    const message: ToStore = { call, method, args };
    return new Promise((resolve, reject) => {
      waiting.set(call, { resolve, reject });
      worker.postMessage(message);
    });
  };
  const asked = Object.fromEntries(
    (Object.keys(methods) as MethodName[]).map((method) => [
      method,
      (...args: readonly unknown[]) => ask(method, args),
    ]),
  ) as unknown as Omit<Store, typeof Symbol.asyncDispose>;
  return Object.assign(asked, {
    async [Symbol.asyncDispose]() {
      if (isOpen) worker.postMessage({ close: true } satisfies ToStore);
      isOpen = false;
      await exited;
    },
  });
}

async function ready(worker: Worker): Promise<void> {
  const [message]: FromStore[] = await once(worker, "message");
  if (message !== undefined && "refused" in message) throw errorOf(message.refused);
}

function errorOf({ code, details, stack }: StoreFailure): GatewayError {
  const cause = new Error("in the store's thread");
  if (stack !== undefined) cause.stack = stack;
  return new GatewayError(code, details, cause);
}
