import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { systemCodeOf } from "../../units/durable-files.ts";

/** Names the workspace of a hook; every process that it starts inherits it. */
export const WORK_VARIABLE = "RADFERRY_WORK";

const GONE_AFTER_MS = 500;
const LOOK_MS = 10;
/** What is started while the others are ended is found the next time. */
const PASSES = 5;

/** Ends the group and waits, not for ever, until it is gone. */
export async function endGroup(groupId: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < GONE_AFTER_MS && signalGroup(groupId); waitedMs += LOOK_MS) await delay(LOOK_MS);
}

/** False: there is nobody left. */
function signalGroup(groupId: number): boolean {
  try {
    process.kill(-groupId, "SIGKILL");
    return true;
  } catch (thrown) {
    // EPERM: only those are left that are dead already.
    if (systemCodeOf(thrown) === "ESRCH" || systemCodeOf(thrown) === "EPERM") return false;
    throw thrown;
  }
}

/**
 * Ends every process whose environment names the workspace, or one below it: also those that left their group. Where there is no /proc,
 * nothing is found.
 * @returns how many were ended
 */
export async function endProcessesOf(workspace: string): Promise<number> {
  let ended = 0;
  for (let pass = 0; pass < PASSES; pass += 1) {
    const found = await processesOf(workspace);
    for (const id of found) ended += end(id);
    if (found.length === 0) break;
    await delay(LOOK_MS);
  }
  return ended;
}

async function processesOf(workspace: string): Promise<readonly number[]> {
  const names = await readdir("/proc").catch(() => []);
  const found: number[] = [];
  const ids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  for (const id of ids.filter((each) => each !== process.pid)) {
    const environment = await readFile(`/proc/${id}/environ`, "utf8").catch(() => "");
    const value = environment
      .split("\0")
      .find((each) => each.startsWith(`${WORK_VARIABLE}=`))
      ?.slice(WORK_VARIABLE.length + 1);
    if (value === workspace || value?.startsWith(`${workspace}/`) === true) found.push(id);
  }
  return found;
}

function end(id: number): number {
  try {
    process.kill(id, "SIGKILL");
    return 1;
  } catch (thrown) {
    if (systemCodeOf(thrown) === "ESRCH") return 0;
    throw thrown;
  }
}
