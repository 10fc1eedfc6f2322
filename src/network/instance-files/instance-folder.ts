import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../units/clock.ts";
import { isMissing } from "../../units/durable-files.ts";
import { makeFolders } from "../../units/make-folders.ts";
import { blockingFiles, waitingFiles } from "./file-calls.ts";
import type { InstanceStore } from "./incoming.ts";
import { createIncomingFile, notWritable } from "./incoming-file.ts";

/** Nothing but a retrieval writes names like these; none ends in `.dcm`. */
const TEMPORARY = /^\.incoming-[0-9a-f-]{36}\.part$/;
/** A temporary file that nobody wrote to for this long was left behind. */
const STALE_MS = 3_600_000;

export interface InstanceFolderOptions {
  /**
   * Files are opened, written and renamed on this thread, which waits for the disk: for programs that have nothing else to do meanwhile,
   * as asking another thread takes longer than writing; never for a server. @default false
   */
  readonly blocking?: boolean | undefined;
}

/**
 * A folder that keeps instances as DIR/<SOP Instance UID>.dcm, each whole or absent, bytes as received. Made when it is missing; what a
 * killed process left is swept.
 * @throws GatewayError FOLDER_NOT_WRITABLE
 */
export async function openInstanceFolder(
  path: string,
  clock: Clock,
  { blocking = false }: InstanceFolderOptions = {},
): Promise<InstanceStore<string>> {
  await makeFolders(path).catch(notWritable);
  await sweep(path, clock.nowMs()).catch(notWritable);
  const files = blocking ? blockingFiles : waitingFiles;
  return { begin: () => Promise.resolve(createIncomingFile(path, files)) };
}

async function sweep(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!TEMPORARY.test(name)) continue;
    // What comes just now gets its name meanwhile.
    const changedAtMs = await stat(join(folder, name)).then(({ mtimeMs }) => mtimeMs, unlessMissing);
    if (changedAtMs !== undefined && nowMs - changedAtMs > STALE_MS) await rm(join(folder, name), { force: true });
  }
}

function unlessMissing(thrown: unknown): undefined {
  if (!isMissing(thrown)) throw thrown;
}
