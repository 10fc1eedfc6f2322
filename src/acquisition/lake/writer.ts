import { Worker } from "node:worker_threads";
import { GatewayError } from "../../errors/gateway-error.ts";
import { createSemaphore } from "../../units/semaphore.ts";
import { BLOCK_BYTES, BLOCKS, type FromWriter, type Received, type ToWriter } from "./protocol.ts";

/** Files that grow at once, each with its blocks; one more waits. */
const MAXIMUM_GROWING = 32;

/** It holds next to nothing. */
const LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 };

/** A file that grows under a temporary name. One call at a time. */
export interface GrowingFile {
  /** A promise holds the sender back. The chunk is free when it resolves, or at once. @throws GatewayError SCAN_LAKE_FULL, SCAN_LAKE_UNAVAILABLE */
  write(chunk: Uint8Array): Promise<void> | undefined;
  /** Resolves when every byte survives a power cut. */
  finish(): Promise<Received>;
  discard(): Promise<void>;
}

/** A thread that writes and hashes, so that no socket waits for a disk or a sum. */
export interface LakeWriter extends AsyncDisposable {
  begin(path: string): Promise<GrowingFile>;
  /** Size, sum and first bytes of a file. @throws GatewayError SCAN_RESULT_DAMAGED when it is not there, SCAN_LAKE_UNAVAILABLE */
  sumOf(path: string): Promise<Received>;
}

/** What the thread said of an upload so far. */
interface Upload {
  isOpened: boolean;
  isGone: boolean;
  readonly onGone: () => void;
  readonly freeBlocks: number[];
  received: Received | undefined;
  failure: GatewayError | undefined;
  /** Who waits for the thread's next word: a piece and the end of its connection may wait at once. */
  readonly waiting: Set<() => void>;
}

interface Waiter {
  readonly resolve: (sum: Received) => void;
  readonly reject: (error: unknown) => void;
}

export function lakeError(code: string): GatewayError {
  const isFull = code === "ENOSPC" || code === "EDQUOT";
  return new GatewayError(isFull ? "SCAN_LAKE_FULL" : "SCAN_LAKE_UNAVAILABLE", code === "" ? {} : { reason: code });
}

export function startLakeWriter(): LakeWriter {
  const worker = new Worker(new URL("./writer-main.ts", import.meta.url), { resourceLimits: LIMITS });
  const uploads = new Map<number, Upload>();
  const sums = new Map<number, Waiter>();
  let numbers = 0;
  let isOpen = true;
  const growing = createSemaphore(MAXIMUM_GROWING);
  const say = (message: ToWriter): void => worker.postMessage(message);
  const fail = (): void => {
    isOpen = false;
    for (const upload of uploads.values()) {
      upload.isGone = true;
      note(upload, { failure: "" });
    }
    for (const { reject } of sums.values()) reject(lakeError(""));
    uploads.clear();
    sums.clear();
  };
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  worker.on("error", fail);
  worker.once("exit", fail);
  worker.on("message", (message: FromWriter) => {
    if ("hash" in message) {
      const waiter = sums.get(message.hash);
      sums.delete(message.hash);
      if (message.sum !== undefined) waiter?.resolve(message.sum);
      else waiter?.reject(sumError(message.failure ?? ""));
      return;
    }
    const upload = uploads.get(message.upload);
    if (upload === undefined) return;
    note(upload, message);
    if (upload.isGone) uploads.delete(message.upload);
  });
  return {
    async begin(path) {
      const permit = await growing.acquire();
      try {
        if (!isOpen) throw lakeError("");
        numbers += 1;
        const upload = newUpload(() => permit[Symbol.dispose]());
        uploads.set(numbers, upload);
        return await open(numbers, upload, path, say);
      } catch (thrown) {
        permit[Symbol.dispose]();
        throw thrown;
      }
    },
    sumOf(path) {
      if (!isOpen) return Promise.reject(lakeError(""));
      numbers += 1;
      const hash = numbers;
      return new Promise((resolve, reject) => {
        sums.set(hash, { resolve, reject });
        say({ hash, path });
      });
    },
    async [Symbol.asyncDispose]() {
      if (isOpen) say({ close: true });
      await ended;
    },
  };
}

function newUpload(onGone: () => void): Upload {
  return {
    isOpened: false,
    isGone: false,
    onGone,
    freeBlocks: Array.from({ length: BLOCKS }, (_, index) => index),
    received: undefined,
    failure: undefined,
    waiting: new Set(),
  };
}

function sumError(code: string): GatewayError {
  return code === "ENOENT" ? new GatewayError("SCAN_RESULT_DAMAGED") : lakeError(code);
}

function note(upload: Upload, message: Exclude<FromWriter, { hash: number }> | { readonly failure: string }): void {
  if ("opened" in message) upload.isOpened = true;
  if ("taken" in message) upload.freeBlocks.push(message.taken);
  if ("received" in message) upload.received = message.received;
  if ("failure" in message) upload.failure ??= lakeError(message.failure);
  if ("received" in message || "discarded" in message) upload.isGone = true;
  if (upload.isGone) upload.onGone();
  for (const wake of upload.waiting) wake();
  upload.waiting.clear();
}

/** @throws GatewayError what went wrong with the upload; SCAN_TRANSFER_CUT when it is discarded: nothing further is said of it */
async function until(upload: Upload, isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    if (upload.failure !== undefined) throw upload.failure;
    if (upload.isGone) throw new GatewayError("SCAN_TRANSFER_CUT");
    await new Promise<void>((resolve) => {
      upload.waiting.add(resolve);
    });
  }
}

/** The block that is being filled. */
interface Filling {
  readonly block: number;
  sizeBytes: number;
}

async function open(
  number: number,
  upload: Upload,
  path: string,
  say: (message: ToWriter) => void,
): Promise<GrowingFile> {
  const blocks = new SharedArrayBuffer(BLOCKS * BLOCK_BYTES);
  say({ upload: number, open: path, blocks });
  await until(upload, () => upload.isOpened);
  let filling: Filling | undefined;

  const flush = (): void => {
    if (filling === undefined || filling.sizeBytes === 0) return;
    say({ upload: number, ...filling });
    filling = undefined;
  };
  /** Answers how much of it found room. */
  const fill = (chunk: Uint8Array, from: number): number => {
    let at = from;
    while (at < chunk.byteLength) {
      if (filling === undefined) {
        const block = upload.freeBlocks.shift();
        if (block === undefined) return at;
        filling = { block, sizeBytes: 0 };
      }
      const sizeBytes = Math.min(chunk.byteLength - at, BLOCK_BYTES - filling.sizeBytes);
      const target = new Uint8Array(blocks, filling.block * BLOCK_BYTES + filling.sizeBytes, sizeBytes);
      target.set(chunk.subarray(at, at + sizeBytes));
      filling.sizeBytes += sizeBytes;
      at += sizeBytes;
      if (filling.sizeBytes === BLOCK_BYTES) flush();
    }
    return at;
  };
  const fillRest = async (chunk: Uint8Array, from: number): Promise<void> => {
    for (let at = from; at < chunk.byteLength; at = fill(chunk, at)) {
      await until(upload, () => upload.freeBlocks.length > 0);
    }
  };
  return {
    write(chunk) {
      if (upload.failure !== undefined) throw upload.failure;
      const filled = fill(chunk, 0);
      return filled === chunk.byteLength ? undefined : fillRest(chunk, filled);
    },
    async finish() {
      if (upload.failure !== undefined) throw upload.failure;
      flush();
      say({ upload: number, end: "finish" });
      await until(upload, () => upload.received !== undefined);
      if (upload.received === undefined) throw lakeError("");
      return upload.received;
    },
    async discard() {
      if (upload.isGone) return;
      say({ upload: number, end: "discard" });
      upload.failure = undefined;
      await until(upload, () => upload.isGone).catch(() => undefined);
    },
  };
}
