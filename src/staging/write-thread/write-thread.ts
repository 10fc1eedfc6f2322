import { Worker } from "node:worker_threads";
import { GatewayError } from "../../errors/gateway-error.ts";
import { type WriteBytes, writeHere } from "../pack-file.ts";
import type { FromWriteThread, ToWriteThread } from "./protocol.ts";

/** It holds next to nothing. */
const LIMITS = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 32 };

/** A thread that waits for the disk, so that a write of many blocks does not come back to a busy thread for each. */
export interface WriteThread extends AsyncDisposable {
  readonly write: WriteBytes;
}

interface Writing {
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** The thread starts with the first write. One that ended is not started again: its caller's thread writes then. */
export function createWriteThread(): WriteThread {
  let worker: Worker | undefined;
  let hasEnded = false;
  let numbers = 0;
  const writings = new Map<number, Writing>();
  const ended = Promise.withResolvers<void>();

  const onEnd = (): void => {
    hasEnded = true;
    for (const { reject } of writings.values()) reject(new GatewayError("STAGING_UNAVAILABLE", { what: "a thread" }));
    writings.clear();
    ended.resolve();
  };
  const start = (): Worker => {
    const started = new Worker(new URL("./main.ts", import.meta.url), { resourceLimits: LIMITS });
    started.on("message", ({ write, failure, isShort }: FromWriteThread) => {
      const writing = writings.get(write);
      writings.delete(write);
      if (isShort === true) writing?.reject(new GatewayError("STAGING_FULL"));
      else if (failure !== undefined)
        writing?.reject(Object.assign(new Error(`${failure.code}, ${failure.syscall}`), failure));
      else writing?.resolve();
    });
    // `exit` follows.
    started.on("error", () => {});
    started.once("exit", onEnd);
    return started;
  };
  const write: WriteBytes = (bytes) => {
    if (hasEnded) return writeHere(bytes);
    worker ??= start();
    const { file, pieces, zeroBytes, offset } = bytes;
    numbers += 1;
    const message = { write: numbers, descriptor: file.fd, pieces: pieces.map(shareable), zeroBytes, offset };
    return new Promise((resolve, reject) => {
      writings.set(message.write, { resolve, reject });
      worker?.postMessage(message satisfies ToWriteThread);
    });
  };
  return {
    write,
    async [Symbol.asyncDispose]() {
      if (worker === undefined || hasEnded) return;
      worker.postMessage({ close: true } satisfies ToWriteThread);
      await ended.promise;
    },
  };
}

/** A view of memory that is not shared would be copied with all of that memory. */
function shareable(piece: Uint8Array): Uint8Array {
  return piece.buffer instanceof SharedArrayBuffer ? piece : Uint8Array.from(piece);
}
