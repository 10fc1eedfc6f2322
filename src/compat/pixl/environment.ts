import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseEnv } from "node:util";
import type { Environment } from "../../config/settings-file.ts";

/** The environment, and beneath it the file `.env` of a folder, as python-decouple reads them for PIXL. */
export async function environmentIn(folder: string, environment: Environment): Promise<Environment> {
  const file = await readFile(resolve(folder, ".env"), "utf8").catch(() => "");
  return { ...parseEnv(file), ...environment };
}
