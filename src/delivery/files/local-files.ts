import { createReadStream, createWriteStream } from "node:fs";
import { readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { FolderEntry } from "../../network/file-transfer/file-session.ts";
import { isMissing, syncFile, syncFolder } from "../../units/durable-files.ts";
import { dividedForWriting } from "../../units/write-blocks.ts";
import { rethrowDestination } from "../folder/destination-error.ts";
import type { DestinationFolder } from "../folder/destination-folder.ts";
import { makeReadableFolders } from "../folder/make-readable-folders.ts";
import { FILE_MODE } from "../folder/place-file.ts";
import type { FileServer } from "./file-server.ts";

/** A folder of this machine, or one that is mounted. @throws GatewayError DESTINATION_…, as every method does */
export function localFiles(
  destination: DestinationFolder,
  syncNames: (folder: string) => Promise<void> = syncFolder,
): FileServer {
  const rethrow = rethrowDestination(destination.name);
  return {
    codes: { unavailable: "DESTINATION_UNAVAILABLE", refused: "DESTINATION_NOT_WRITABLE" },
    async settle(path) {
      for (const folder of [dirname(path), dirname(dirname(path))]) await syncNames(folder).catch(rethrow);
    },
    async open(signal) {
      signal.throwIfAborted();
      await destination.require();
      return {
        sizeOf: (path) => sizeOf(path).catch(rethrow),
        read: (path, { start, mostBytes }, sink) =>
          pipeline(createReadStream(path, { start, end: start + Math.max(0, mostBytes - 1) }), sink, { signal }).catch(
            rethrow,
          ),
        write: (path, content) => write(path, content, signal).catch(rethrow),
        rename: (from, to) => renameDurably(from, to).catch(rethrow),
        remove: (path) => removeDurably(path).catch(rethrow),
        list: (path) => list(path).catch(rethrow),
        removeFolder: (path) => removeFolder(path).catch(rethrow),
        makeFolder: (path) => makeReadableFolders(path).catch(rethrow),
        async [Symbol.asyncDispose]() {},
      };
    },
  };
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
}

async function list(path: string): Promise<readonly FolderEntry[] | undefined> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
}

async function removeDurably(path: string): Promise<void> {
  await rm(path, { force: true });
  await syncFolder(dirname(path));
}

async function removeFolder(path: string): Promise<void> {
  await rmdir(path);
  await syncFolder(dirname(path));
}

async function write(path: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  await pipeline(Readable.from(dividedForWriting(content)), createWriteStream(path), { signal });
  await syncFile(path, { mode: FILE_MODE });
}

async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncFolder(dirname(to));
}
