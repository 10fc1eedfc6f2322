import { Worker } from "node:worker_threads";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { FromWriter, Received, ToWriter } from "./protocol.ts";

/** Chunks on their way to the thread hold the sender back from here on. */
const HIGH_WATER_BYTES = 8 * 1024 * 1024;

/** A file that grows under a temporary name. One call at a time. */
export interface GrowingFile {
  /** A promise holds the sender back. The chunk's memory is given away. @throws GatewayError SCAN_LAKE_FULL, SCAN_LAKE_UNAVAILABLE */
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
  outstandingBytes: number;
  received: Received | undefined;
  failure: GatewayError | undefined;
  wake: () => void;
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
  const worker = new Worker(new URL("./writer-main.ts", import.meta.url));
  const uploads = new Map<number, Upload>();
  const sums = new Map<number, Waiter>();
  let numbers = 0;
  let isOpen = true;
  const say = (message: ToWriter, transfer: readonly ArrayBuffer[] = []): void =>
    worker.postMessage(message, [...transfer]);
  const fail = (): void => {
    isOpen = false;
    for (const upload of uploads.values()) note(upload, { failure: "" });
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
      if (!isOpen) throw lakeError("");
      numbers += 1;
      const upload = newUpload();
      uploads.set(numbers, upload);
      return await open(numbers, upload, path, say);
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

function newUpload(): Upload {
  return {
    isOpened: false,
    isGone: false,
    outstandingBytes: 0,
    received: undefined,
    failure: undefined,
    wake: () => undefined,
  };
}

function sumError(code: string): GatewayError {
  return code === "ENOENT" ? new GatewayError("SCAN_RESULT_DAMAGED") : lakeError(code);
}

function note(upload: Upload, message: Exclude<FromWriter, { hash: number }> | { readonly failure: string }): void {
  if ("opened" in message) upload.isOpened = true;
  if ("taken" in message) upload.outstandingBytes -= message.taken;
  if ("received" in message) upload.received = message.received;
  if ("failure" in message) upload.failure ??= lakeError(message.failure);
  upload.isGone ||= "received" in message || "discarded" in message;
  upload.wake();
}

async function until(upload: Upload, isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    if (upload.failure !== undefined) throw upload.failure;
    await new Promise<void>((resolve) => {
      upload.wake = resolve;
    });
  }
}

async function open(
  number: number,
  upload: Upload,
  path: string,
  say: (message: ToWriter, transfer?: readonly ArrayBuffer[]) => void,
): Promise<GrowingFile> {
  say({ upload: number, open: path });
  await until(upload, () => upload.isOpened);
  return {
    write(chunk) {
      if (upload.failure !== undefined) throw upload.failure;
      upload.outstandingBytes += chunk.byteLength;
      const given = ownBytes(chunk);
      say({ upload: number, chunk: given }, [given.buffer]);
      if (upload.outstandingBytes < HIGH_WATER_BYTES) return undefined;
      return until(upload, () => upload.outstandingBytes <= HIGH_WATER_BYTES / 2);
    },
    async finish() {
      if (upload.failure !== undefined) throw upload.failure;
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

/** Memory of the chunk's own, which can be handed to the thread without a copy. */
function ownBytes(chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = chunk;
  const isOwn = buffer instanceof ArrayBuffer && byteOffset === 0 && byteLength === buffer.byteLength;
  return isOwn ? new Uint8Array(buffer) : Uint8Array.from(chunk);
}
