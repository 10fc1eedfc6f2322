import { readdir, rm, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { concurrently } from "./concurrently.ts";
import { isMissing, systemCodeOf } from "./durable-files.ts";

const PARALLEL_REMOVALS = 4;

/**
 * A folder with all that is in it; nothing when it is not there. One of many files and no folders is removed with half the questions that `rm`
 * asks, which looks at each file before it removes it.
 */
export async function removeFolder(path: string): Promise<void> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    await concurrently(entries, PARALLEL_REMOVALS, async (entry) => {
      const inside = join(path, entry.name);
      if (entry.isDirectory()) await rm(inside, { recursive: true, force: true });
      else await unlink(inside).catch(unlessMissing);
    });
    await rmdir(path);
  } catch (thrown) {
    if (isMissing(thrown)) return;
    // No folder, or something came into it meanwhile.
    if (!["ENOTDIR", "ENOTEMPTY"].includes(systemCodeOf(thrown) ?? "")) throw thrown;
    await rm(path, { recursive: true, force: true });
  }
}

function unlessMissing(thrown: unknown): void {
  if (!isMissing(thrown)) throw thrown;
}
