import { readEnvironmentFile } from "../config/environment-file.ts";
import type { FaceSettings } from "../config/settings.ts";
import type { Environment } from "../config/settings-file.ts";

/** The original's names, as the face's own file has them over those of the process. */
export async function environmentOf({ environmentFile }: FaceSettings, own: Environment): Promise<Environment> {
  return environmentFile === undefined ? own : { ...own, ...(await readEnvironmentFile(environmentFile)) };
}
