import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { parentPort } from "node:worker_threads";
import { systemCodeOf } from "../../units/durable-files.ts";
import { HEAD_BYTES } from "../signatures.ts";
import { BLOCK_BYTES, type FromWriter, type Received, type ToWriter } from "./protocol.ts";
import { createSyncBehind, type SyncBehind } from "./sync-behind.ts";

/** So much may be in the page cache only: the last sync then is a short one. */
const SYNC_EVERY_BYTES = 64 * 1024 * 1024;
const READ_BYTES = 1024 * 1024;

interface Growing {
  readonly path: string;
  readonly file: FileHandle;
  readonly blocks: SharedArrayBuffer;
  readonly hash: Hash;
  head: Buffer;
  sizeBytes: number;
  readonly syncs: SyncBehind;
}

const port = parentPort;
if (port === null) throw new Error("runs as a worker thread only");

const say = (message: FromWriter): void => port.postMessage(message);
const growing = new Map<number, Growing>();
/** What is done for an upload is done in order; uploads do not wait for each other. */
const lanes = new Map<number, Promise<void>>();

port.on("message", (message: ToWriter) => {
  if ("close" in message) {
    void Promise.allSettled(lanes.values()).then(() => port.close());
    return;
  }
  if ("hash" in message) {
    void hashFile(message.hash, message.path);
    return;
  }
  const { upload } = message;
  const before = lanes.get(upload) ?? Promise.resolve();
  const now = before
    .then(() => carryOut(message))
    .catch((thrown: unknown) => say({ upload, failure: systemCodeOf(thrown) ?? "" }));
  lanes.set(upload, now);
});

async function carryOut(message: Extract<ToWriter, { readonly upload: number }>): Promise<void> {
  const { upload } = message;
  if ("open" in message) {
    const file = await open(message.open, "wx");
    const hash = createHash("sha256");
    const syncs = createSyncBehind(() => file.datasync(), SYNC_EVERY_BYTES);
    const facts = { head: Buffer.alloc(0), sizeBytes: 0, syncs };
    growing.set(upload, { path: message.open, blocks: message.blocks, file, hash, ...facts });
    say({ upload, opened: true });
    return;
  }
  const one = growing.get(upload);
  if ("block" in message) {
    const { block, sizeBytes } = message;
    if (one !== undefined) await append(one, Buffer.from(one.blocks, block * BLOCK_BYTES, sizeBytes));
    say({ upload, taken: block });
    return;
  }
  growing.delete(upload);
  lanes.delete(upload);
  if (message.end === "finish" && one !== undefined) say({ upload, received: await finish(one) });
  else {
    if (one !== undefined) await discard(one);
    say({ upload, discarded: true });
  }
}

/** What is hashed here is written by a thread of the system's pool meanwhile. Syncs go on beside both. */
async function append(one: Growing, chunk: Uint8Array): Promise<void> {
  const writing = writeAll(one.file, chunk, one.sizeBytes);
  one.hash.update(chunk);
  await writing;
  if (one.head.length < HEAD_BYTES) {
    one.head = Buffer.concat([one.head, chunk.subarray(0, HEAD_BYTES - one.head.length)]);
  }
  one.sizeBytes += chunk.byteLength;
  one.syncs.wrote(chunk.byteLength);
}

async function writeAll(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < chunk.byteLength; ) {
    done += (await file.write(chunk, done, chunk.byteLength - done, position + done)).bytesWritten;
  }
}

async function finish({ file, hash, sizeBytes, head, syncs }: Growing): Promise<Received> {
  try {
    await syncs.settled();
    await file.datasync();
  } finally {
    await file.close();
  }
  return { sizeBytes, sha256: hash.digest("hex"), head };
}

async function discard({ file, path, syncs }: Growing): Promise<void> {
  await syncs.settled().catch(() => undefined);
  await file.close();
  await rm(path, { force: true });
}

async function hashFile(hash: number, path: string): Promise<void> {
  try {
    const sum = createHash("sha256");
    let head = Buffer.alloc(0);
    let sizeBytes = 0;
    const file = await open(path, "r");
    for await (const piece of file.createReadStream({ highWaterMark: READ_BYTES })) {
      sum.update(piece);
      if (head.length < HEAD_BYTES) head = Buffer.concat([head, piece.subarray(0, HEAD_BYTES - head.length)]);
      sizeBytes += piece.length;
    }
    say({ hash, sum: { sizeBytes, sha256: sum.digest("hex"), head } });
  } catch (thrown) {
    say({ hash, failure: systemCodeOf(thrown) ?? "" });
  }
}
