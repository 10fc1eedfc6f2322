import { randomBytes } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "../errors/gateway-error.ts";
import { syncFolder } from "../units/durable-files.ts";
import { createSharedSync } from "../units/shared-sync.ts";
import { inBlocks, sizeOf } from "../units/write-blocks.ts";
import { overwrite, type PackRange } from "./pack-ranges.ts";

/** No write touches a block in which something acknowledged is: one that is torn harms nothing else. */
const BLOCK_BYTES = 4_096;
/** A pack is grown ahead where that is of use to more additions than these. */
const FEW_ADDITIONS = 8;

export interface PackSizes {
  /** A pack that has so much is followed by the next. */
  readonly packBytes: number;
  /** Packs grow by zeros of this length: to sync what is written into them changes no length, and is several times faster. */
  readonly extentBytes: number;
}

/** Bytes for a file that is open, with zeros behind them. */
export interface BytesToWrite {
  readonly file: FileHandle;
  readonly pieces: readonly Uint8Array[];
  readonly zeroBytes: number;
  readonly offset: number;
}

/** The pieces are free when it resolves. @throws errors of the disk as they are, GatewayError STAGING_FULL where it took less than it was given */
export type WriteBytes = (bytes: BytesToWrite) => Promise<void>;

export const writeHere: WriteBytes = async ({ file, pieces, zeroBytes, offset }) => {
  let at = offset;
  for (const block of inBlocks([...pieces, Buffer.alloc(zeroBytes)])) {
    const { bytesWritten } = await file.writev(block, at);
    if (bytesWritten !== sizeOf(block)) throw new GatewayError("STAGING_FULL");
    at += bytesWritten;
  }
};

/** What was written: where, and when it survives a power cut. */
export interface Appended {
  readonly ranges: readonly PackRange[];
  /** Rejects with what the disk says. */
  readonly survives: Promise<void>;
}

/** A pack that is being added to. */
export interface PackFile {
  readonly id: string;
  /** A write or a sync has failed: nothing is added any more, as nobody knows what is on disk. */
  isBroken(): boolean;
  hasRoom(sizeBytes: number): boolean;
  /** One call at a time; what it wrote is synced while the next one writes. @throws as `WriteBytes` */
  append(group: readonly (readonly Uint8Array[])[]): Promise<Appended>;
  /** Waits for the syncs under way; what it was grown by is cut off, what failed is overwritten first. @throws errors of the disk as they are */
  close(): Promise<void>;
}

/** @throws errors of the disk as they are */
export async function createPackFile(folder: string, sizes: PackSizes, write: WriteBytes): Promise<PackFile> {
  const id = `pack-${randomBytes(8).toString("hex")}`;
  const path = join(folder, id);
  const file = await open(path, "wx", 0o600);
  await syncFolder(folder);
  let endBytes = 0;
  let syncedBytes = 0;
  let allocatedBytes = 0;
  let hasWriteFailed = false;
  let hasSyncFailed = false;
  let lastSync: Promise<void> = Promise.resolve();

  const syncShared = createSharedSync(async () => {
    // A sync behind one that failed would say that all is well.
    if (hasSyncFailed) throw new GatewayError("STAGING_UNAVAILABLE", { what: "a pack that could not be synced" });
    const coveredBytes = endBytes;
    try {
      await file.datasync();
      syncedBytes = coveredBytes;
    } catch (thrown) {
      hasSyncFailed = true;
      throw thrown;
    }
  });
  const isBroken = (): boolean => hasWriteFailed || hasSyncFailed;

  return {
    id,
    isBroken,
    hasRoom: (sizeBytes) => endBytes === 0 || endBytes + sizeBytes <= sizes.packBytes,
    async append(group) {
      const lengths = group.map(sizeOf);
      const addedBytes = lengths.reduce((sum, length) => sum + length, 0);
      const start = endBytes;
      const nextBytes = Math.ceil((start + addedBytes) / BLOCK_BYTES) * BLOCK_BYTES;
      // What is as large as the zeros themselves takes longer to write twice than its length takes to sync.
      const spareBytes = addedBytes * FEW_ADDITIONS < sizes.extentBytes ? sizes.extentBytes : 0;
      const grownBytes = nextBytes > allocatedBytes ? nextBytes + spareBytes : allocatedBytes;
      const zeroBytes = grownBytes > allocatedBytes ? grownBytes - start - addedBytes : 0;
      try {
        await write({ file, pieces: group.flat(), zeroBytes, offset: start });
      } catch (thrown) {
        hasWriteFailed = true;
        throw thrown;
      }
      endBytes = nextBytes;
      allocatedBytes = grownBytes;
      // It ends no sooner than those before.
      lastSync = syncShared(id);
      return { ranges: rangesOf(id, start, lengths), survives: lastSync };
    },
    async close() {
      await lastSync.catch(() => undefined);
      const keptBytes = hasSyncFailed ? syncedBytes : endBytes;
      try {
        if (isBroken()) await overwrite(file, keptBytes, (await file.stat()).size);
        await file.truncate(keptBytes);
      } finally {
        await file.close();
        if (keptBytes === 0) await rm(path, { force: true });
      }
    },
  };
}

function rangesOf(pack: string, start: number, lengths: readonly number[]): readonly PackRange[] {
  let offset = start;
  return lengths.map((length) => {
    const range = { pack, offset, length };
    offset += length;
    return range;
  });
}
