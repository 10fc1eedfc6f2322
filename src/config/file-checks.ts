import { loadOptOut } from "../cohort/opt-out.ts";
import { loadProjectKey } from "../deid/pseudonyms/project-key.ts";
import { toGatewayError } from "../errors/gateway-error.ts";
import type { LooseSettings } from "./loose-settings.ts";
import type { Finding } from "./problems.ts";

/** Opens what the settings name: keys must be there, whole, ours alone and different; opt-out lists must be readable. */
export async function checkFiles({ projects }: LooseSettings): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const files = new Set<string>();
  const keyIds = new Set<string>();
  for (const [index, { keyFile, optOut }] of projects.entries()) {
    // A file that is named twice has been reported already.
    if (keyFile !== undefined && !files.has(keyFile)) findings.push(...(await checkKeyFile(keyFile, index, keyIds)));
    if (keyFile !== undefined) files.add(keyFile);
    for (const [position, file] of optOut.entries()) {
      if (file === undefined) continue;
      const failure = await loadOptOut([file]).then(() => undefined, toGatewayError);
      if (failure !== undefined) findings.push({ path: ["projects", index, "optOut", position], code: failure.code });
    }
  }
  return findings;
}

/** @param keyIds the keys seen so far */
async function checkKeyFile(file: string, index: number, keyIds: Set<string>): Promise<readonly Finding[]> {
  const path = ["projects", index, "keyFile"];
  try {
    const { id } = await loadProjectKey(file);
    const isShared = keyIds.has(id);
    keyIds.add(id);
    const message = "The key file of another project holds the same key: their pseudonyms could be linked.";
    return isShared ? [{ path, code: "SETTING_DUPLICATE", message }] : [];
  } catch (thrown) {
    return [{ path, code: toGatewayError(thrown).code }];
  }
}
