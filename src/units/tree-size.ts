import { opendir, stat } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "./durable-files.ts";

/**
 * The bytes of all files below a folder, links not followed. What goes while it is walked over counts nothing: others go on working in it.
 * @throws what the disk says; also where the folder itself is not there
 */
export async function treeBytes(
  folder: string,
  sizeOf: (path: string) => Promise<number> = fileBytes,
): Promise<number> {
  let bytes = 0;
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    try {
      for await (const entry of await opendir(next)) {
        const path = join(next, entry.name);
        if (entry.isDirectory()) folders.push(path);
        if (entry.isFile()) bytes += await sizeOf(path).catch(unlessMissing);
      }
    } catch (thrown) {
      if (next === folder) throw thrown;
      unlessMissing(thrown);
    }
  }
  return bytes;
}

async function fileBytes(path: string): Promise<number> {
  return (await stat(path)).size;
}

function unlessMissing(thrown: unknown): number {
  if (isMissing(thrown)) return 0;
  throw thrown;
}
