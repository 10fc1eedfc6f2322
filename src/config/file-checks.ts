import { loadOptOut } from "../cohort/opt-out.ts";
import { loadProjectKey } from "../deid/pseudonyms/project-key.ts";
import { toGatewayError } from "../errors/gateway-error.ts";
import type { LooseSettings } from "./loose-settings.ts";
import type { Finding } from "./problems.ts";

/** Opens what the settings name: keys must be there, whole, ours alone and different; opt-out lists must be readable. */
export async function checkFiles({ projects }: LooseSettings): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const keys = new Map<string, string>();
  for (const [index, { keyFile, optOut }] of projects.entries()) {
    if (keyFile !== undefined) findings.push(...(await checkKeyFile(keyFile, index, keys)));
    for (const [position, file] of optOut.entries()) {
      if (file === undefined) continue;
      const failure = await loadOptOut([file]).then(() => undefined, toGatewayError);
      if (failure !== undefined) findings.push({ path: ["projects", index, "optOut", position], code: failure.code });
    }
  }
  return findings;
}

/** @param keys the files seen so far by the id of their key; the same path twice is reported without opening it */
async function checkKeyFile(file: string, index: number, keys: Map<string, string>): Promise<readonly Finding[]> {
  const path = ["projects", index, "keyFile"];
  try {
    const { id } = await loadProjectKey(file);
    const other = keys.get(id);
    keys.set(id, file);
    if (other === undefined || other === file) return [];
    const message = "The key file of another project holds the same key: their pseudonyms could be linked.";
    return [{ path, code: "SETTING_DUPLICATE", message }];
  } catch (thrown) {
    return [{ path, code: toGatewayError(thrown).code }];
  }
}
