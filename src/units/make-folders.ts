import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { isThere, systemCodeOf } from "./durable-files.ts";

/**
 * A folder with those above it; nothing when it is there. `mkdir` with `recursive` never ends, and blocks a thread, where a
 * folder takes no other and says that it is missing itself, as those below /proc do.
 * @returns the topmost that was made
 * @throws errors of the disk as they are
 */
export async function makeFolders(
  path: string,
  { mode = 0o777 }: { readonly mode?: number } = {},
): Promise<string | undefined> {
  const missing: string[] = [];
  let at = resolve(path);
  for (; !(await isThere(at)); at = dirname(at)) missing.unshift(at);
  for (const folder of missing) {
    await mkdir(folder, { mode }).catch((thrown: unknown) => {
      if (systemCodeOf(thrown) !== "EEXIST") throw thrown;
    });
  }
  // What is there and is no folder is said by the system.
  if (!(await stat(path)).isDirectory()) await mkdir(path);
  return missing[0];
}
