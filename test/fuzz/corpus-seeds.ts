import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { corpusFiles } from "../support/corpus-truth.ts";
import type { FuzzSeed } from "./target.ts";

const LARGEST_SEED_BYTES = 64 * 1024;

/** Small files of the corpus, where there is one. */
export async function corpusSeeds(folder: string | undefined): Promise<readonly FuzzSeed[]> {
  if (folder === undefined || folder === "") return [];
  const files = await corpusFiles(folder);
  const seeds = await Promise.all(
    files.map(async ({ path }) => ({ name: path, bytes: await readFile(join(folder, path)) })),
  );
  return seeds.filter(({ bytes }) => bytes.length <= LARGEST_SEED_BYTES);
}
