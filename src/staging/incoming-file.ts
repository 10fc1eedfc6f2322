import { type FileHandle, open, rm } from "node:fs/promises";
import { encodeFileMeta } from "../dicom/writer.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { isDiskFull } from "../units/durable-files.ts";
import type { IncomingFileOptions } from "./staging-area.ts";

/** Small chunks are gathered to this size before they are written. */
const GATHER_BYTES = 1024 * 1024;

/** A file being written under a temporary name, in order, with bounded memory. */
export interface PartFile {
  readonly path: string;
  write(chunk: Uint8Array): void | Promise<void>;
  /** Everything is with the operating system afterwards; nothing is synced. */
  finish(): Promise<void>;
  discard(): Promise<void>;
}

/** @throws GatewayError STAGING_FULL */
export async function openPartFile(path: string, options: IncomingFileOptions): Promise<PartFile> {
  const file = await open(path, "wx", 0o600).catch(rethrowFull);
  return createPartFile(path, file, encodeFileMeta(options));
}

function createPartFile(path: string, file: FileHandle, head: Uint8Array): PartFile {
  let gathered: Uint8Array[] = [Buffer.from(head)];
  let gatheredBytes = head.length;
  let closed = false;

  const flush = async (): Promise<void> => {
    const buffers = gathered;
    gathered = [];
    gatheredBytes = 0;
    if (buffers.length === 0) return;
    const expected = buffers.reduce((sum, { length }) => sum + length, 0);
    const { bytesWritten } = await file.writev(buffers).catch(rethrowFull);
    if (bytesWritten !== expected) throw new GatewayError("STAGING_FULL");
  };
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await file.close();
  };

  return {
    path,
    write(chunk) {
      // The chunk belongs to the network's buffer: it is copied, as it is written later.
      gathered.push(Buffer.from(chunk));
      gatheredBytes += chunk.length;
      if (gatheredBytes >= GATHER_BYTES) return flush();
    },
    async finish() {
      await flush();
      await close();
    },
    async discard() {
      await close();
      await rm(path, { force: true });
    },
  };
}

function rethrowFull(thrown: unknown): never {
  throw isDiskFull(thrown) ? new GatewayError("STAGING_FULL", {}, thrown) : thrown;
}
