import { type FileHandle, open } from "node:fs/promises";
import { encodeFileMeta } from "../dicom/writer.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { plainRemoval, type Removal } from "./removal.ts";
import type { IncomingFileOptions } from "./staging-area.ts";
import { asStagingError, rethrowStaging } from "./staging-error.ts";

/** Small chunks are gathered to this size before they are written. */
const GATHER_BYTES = 1024 * 1024;

/** What a file being written needs of an open file: tests give one whose disk is full. */
export type WritableFile = Pick<FileHandle, "writev" | "close">;

/** Creates a file that is not there yet, for its owner alone. */
export type CreateFile = (path: string) => Promise<WritableFile>;

const createOwnerOnly: CreateFile = (path) => open(path, "wx", 0o600);

/** A file being written under a temporary name, in order, with bounded memory: one write on its way, the next being gathered. */
export interface PartFile {
  readonly path: string;
  write(chunk: Uint8Array): void | Promise<void>;
  /** Everything is with the operating system afterwards; nothing is synced. */
  finish(): Promise<void>;
  discard(): Promise<void>;
}

/** @throws GatewayError STAGING_FULL, STAGING_UNAVAILABLE */
export async function openPartFile(
  path: string,
  options: IncomingFileOptions,
  {
    createFile = createOwnerOnly,
    remove = plainRemoval.remove,
  }: { readonly createFile?: CreateFile | undefined; readonly remove?: Removal["remove"] | undefined } = {},
): Promise<PartFile> {
  const head = encodeFileMeta(options);
  return createPartFile(path, await createFile(path).catch(rethrowStaging), head, remove);
}

function createPartFile(path: string, file: WritableFile, head: Uint8Array, removeFile: Removal["remove"]): PartFile {
  let gathered: Uint8Array[] = [head];
  let gatheredBytes = head.length;
  let writing: Promise<void> | undefined;
  let failure: unknown;
  let closed = false;

  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await file.close();
  };
  const remove = async (): Promise<void> => {
    await close();
    await removeFile(path);
  };
  const writeGathered = async (): Promise<void> => {
    const buffers = gathered;
    const expected = gatheredBytes;
    gathered = [];
    gatheredBytes = 0;
    try {
      const { bytesWritten } = await file.writev(buffers);
      if (bytesWritten !== expected) throw new GatewayError("STAGING_FULL");
    } catch (thrown) {
      failure ??= asStagingError(thrown);
      // Nobody will want what is cut short, and the room is needed.
      await remove().catch(() => {});
    } finally {
      writing = undefined;
    }
  };
  const begin = (): void => {
    if (failure !== undefined) throw failure;
    if (writing === undefined && gatheredBytes > 0) writing = writeGathered();
  };

  return {
    path,
    write(chunk) {
      if (failure !== undefined) throw failure;
      // The chunk belongs to the network's buffer: it is copied, as it is written later.
      gathered.push(Buffer.from(chunk));
      gatheredBytes += chunk.length;
      if (gatheredBytes < GATHER_BYTES) return;
      // Only a disk that is behind holds the sender back.
      if (writing !== undefined) return writing.then(begin);
      begin();
    },
    async finish() {
      await writing;
      begin();
      await writing;
      if (failure !== undefined) throw failure;
      await close();
    },
    async discard() {
      await writing;
      await remove();
    },
  };
}
