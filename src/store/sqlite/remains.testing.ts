import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Planted texts that any file of the folder holds, journals among them. */
export async function remainsIn(folder: string, planted: RegExp): Promise<ReadonlySet<string>> {
  const files = await readdir(folder);
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "latin1")));
  return new Set(texts.flatMap((text) => text.match(planted) ?? []));
}
