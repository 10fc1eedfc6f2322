import { randomUUID } from "node:crypto";
import { readdir, rm, rmdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { makeFolders } from "../units/make-folders.ts";

/** Where files grow, below the output: as the folder destination has it. */
const TEMPORARY = ".radferry";
const OWNER_ONLY = 0o700;

/**
 * A folder of this run's own below the output, gone at the end. What runs of this machine left that were killed goes too; those that still
 * run keep theirs.
 */
export async function openWorkspace(output: string): Promise<AsyncDisposable & { readonly path: string }> {
  const root = join(output, TEMPORARY);
  await makeFolders(root, { mode: OWNER_ONLY });
  for (const name of await readdir(root)) {
    if (isOfDeadRun(name)) await rm(join(root, name), { recursive: true, force: true });
  }
  const path = join(root, `${hostname()}~${process.pid}~${randomUUID()}`);
  await makeFolders(path, { mode: OWNER_ONLY });
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true });
      // Not empty: another run writes to the same folder.
      await rmdir(root).catch(() => undefined);
    },
  };
}

function isOfDeadRun(name: string): boolean {
  const [host, pid = ""] = name.split("~");
  return host === hostname() && /^[1-9][0-9]{0,9}$/.test(pid) && !isAlive(Number(pid));
}

/** Signal 0 only asks. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown && thrown.code === "EPERM";
  }
}
