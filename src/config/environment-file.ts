import { parseEnv } from "node:util";
import { readSecretText } from "./credential-files.ts";
import type { Environment } from "./settings-file.ts";

const LIMIT_BYTES = 1 << 20;

/** A `.env` file, as containers are given. @throws GatewayError SECRET_FILE_UNREADABLE, SECRET_FILE_READABLE_BY_OTHERS */
export async function readEnvironmentFile(path: string): Promise<Environment> {
  return parseEnv(await readSecretText(path, LIMIT_BYTES));
}
