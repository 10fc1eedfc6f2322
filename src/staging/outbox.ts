import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "../errors/gateway-error.ts";
import { isDiskFull } from "../units/durable-files.ts";
import { makeFolders } from "../units/make-folders.ts";
import { removeFolder } from "../units/remove-folder.ts";

/** Where de-identified files await delivery, a folder for each job. */
export interface Outbox {
  folderOf(jobId: string): string;
  remove(jobId: string): Promise<void>;
  /** Jobs that have a folder: what a crash left behind. */
  jobs(): Promise<readonly string[]>;
}

export async function openOutbox({ path }: { readonly path: string }): Promise<Outbox> {
  await makeFolders(path, { mode: 0o700 });
  return {
    folderOf: (jobId) => join(path, jobId),
    remove: (jobId) => removeFolder(join(path, jobId)),
    jobs: () => readdir(path),
  };
}

/** What the disk said while copies were made, as OUTBOX_FULL or OUTBOX_UNAVAILABLE; every other error stays as it is. */
export function rethrowOutbox(thrown: unknown): never {
  if (thrown instanceof GatewayError) throw thrown;
  if (isDiskFull(thrown)) throw new GatewayError("OUTBOX_FULL", {}, thrown);
  const isOfTheDisk = thrown instanceof Error && "syscall" in thrown;
  throw isOfTheDisk ? new GatewayError("OUTBOX_UNAVAILABLE", {}, thrown) : thrown;
}
