import type { Worker } from "node:worker_threads";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { FromStore, StoreFailure } from "./protocol.ts";

/** `ready` settles with the first word of the thread, `ended` always resolves: with what was thrown in it, if anything was. */
export function followThread(worker: Worker): { readonly ready: Promise<void>; readonly ended: Promise<unknown> } {
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<unknown>();
  let thrown: unknown;
  let refusal: GatewayError | undefined;
  worker.on("message", (message: FromStore) => {
    if ("ready" in message) ready.resolve();
    if ("refused" in message) refusal = errorOf(message.refused);
  });
  worker.on("error", (error) => {
    thrown = error;
  });
  worker.on("exit", () => {
    ended.resolve(thrown);
    // A refusal is passed on once the thread is gone; after `ready` this changes nothing.
    ready.reject(refusal ?? new GatewayError("STORE_UNAVAILABLE", {}, thrown));
  });
  return { ready: ready.promise, ended: ended.promise };
}

/** What went wrong in the thread, as an error of this one. */
export function errorOf({ code, details, stack }: StoreFailure): GatewayError {
  const cause = new Error("in the store's thread");
  if (stack !== undefined) cause.stack = stack;
  return new GatewayError(code, details, cause);
}
