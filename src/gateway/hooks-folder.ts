import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "../errors/gateway-error.ts";
import { endProcessesOf } from "../pipeline/hook/end-processes.ts";
import { removeTree } from "../pipeline/hook/workspace.ts";
import type { Store } from "../store/store.ts";
import { isMissing } from "../units/durable-files.ts";

export function hooksFolderOf(home: string): string {
  return join(home, "hooks");
}

/** At start: ends what hooks of an earlier process left running, and removes what they made of studies that nobody works on any more. */
export async function clearHooks(home: string, store: Store): Promise<void> {
  const folder = hooksFolderOf(home);
  const jobs = await readdir(folder).catch((thrown: unknown) => {
    if (isMissing(thrown)) return [];
    throw thrown;
  });
  if (jobs.length === 0) return;
  await endProcessesOf(folder);
  for (const job of jobs) if (!(await isWanted(store, job))) await removeTree(join(folder, job));
}

/** What was made is used again when the job goes on; what a quarantined one's hook printed is for its operators. */
async function isWanted(store: Store, job: string): Promise<boolean> {
  try {
    const { state } = await store.job(job);
    return state === "queued" || state === "waiting" || state === "running" || state === "quarantined";
  } catch (thrown) {
    if (thrown instanceof GatewayError && thrown.code === "JOB_NOT_FOUND") return false;
    throw thrown;
  }
}
