import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** Where de-identified files await delivery, a folder for each job. */
export interface Outbox {
  folderOf(jobId: string): string;
  remove(jobId: string): Promise<void>;
  /** Jobs that have a folder: what a crash left behind. */
  jobs(): Promise<readonly string[]>;
}

export async function openOutbox({ path }: { readonly path: string }): Promise<Outbox> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  return {
    folderOf: (jobId) => join(path, jobId),
    remove: (jobId) => rm(join(path, jobId), { recursive: true, force: true }),
    jobs: () => readdir(path),
  };
}
