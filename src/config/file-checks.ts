import { stat } from "node:fs/promises";
import { sep } from "node:path";
import { loadOptOut } from "../cohort/opt-out.ts";
import { ProfileError } from "../deid/profiles/profile-problems.ts";
import { loadLookupTable } from "../deid/pseudonyms/lookup-table.ts";
import { loadPixlSecrets, pixlSecretsId } from "../deid/pseudonyms/pixl-secrets.ts";
import { loadProjectKey } from "../deid/pseudonyms/project-key.ts";
import { type GatewayError, toGatewayError } from "../errors/gateway-error.ts";
import { systemCodeOf } from "../units/durable-files.ts";
import type { Finding } from "../units/file-problems.ts";
import type { YamlPath } from "../units/yaml-places.ts";
import { checkHooks } from "./hook-checks.ts";
import type { LooseSettings } from "./loose-settings.ts";

/** Opens what the settings name: keys must be there, whole, ours alone and different; opt-out lists must be readable. */
export async function checkFiles({ projects, home, staging }: LooseSettings): Promise<readonly Finding[]> {
  const findings: Finding[] = [...(await checkFolder(home, ["home"]))];
  // What is wrong with home is told once.
  if (staging.path !== undefined && !staging.path.startsWith(`${home}${sep}`))
    findings.push(...(await checkFolder(staging.path, ["staging", "path"])));
  const files = new Set<string>();
  const keyIds = new Set<string>();
  const pixlIds = new Set<string>();
  for (const [index, project] of projects.entries()) {
    const { keyFile, linkageKeyFile, optOut } = project;
    findings.push(...(await checkPixlSecrets(project, index, pixlIds)), ...(await checkLookupTable(project, index)));
    findings.push(...(await checkProfile(project, index)));
    // A file that is named twice has been reported already.
    if (keyFile !== undefined && !files.has(keyFile))
      findings.push(...(await checkKeyFile(keyFile, [index, "keyFile"], keyIds)));
    if (keyFile !== undefined) files.add(keyFile);
    if (linkageKeyFile !== undefined)
      findings.push(...(await checkKeyFile(linkageKeyFile, [index, "linkageKeyFile"], keyIds)));
    for (const [position, file] of optOut.entries()) {
      if (file === undefined) continue;
      const failure = await loadOptOut([file]).then(() => undefined, toGatewayError);
      if (failure !== undefined) findings.push({ path: ["projects", index, "optOut", position], code: failure.code });
    }
  }
  if (projects.some(({ hook }) => hook !== undefined)) findings.push(...(await checkHooks({ projects })));
  return findings;
}

/** Where it is to be made there may be no file, nor above it. */
async function checkFolder(folder: string, path: YamlPath): Promise<readonly Finding[]> {
  const stats = await stat(folder).catch((thrown: unknown) => systemCodeOf(thrown) ?? "");
  const isInTheWay = typeof stats === "string" ? stats === "ENOTDIR" : !stats.isDirectory();
  if (!isInTheWay) return [];
  const message = "A folder is needed here, and a file is in its place.";
  return [{ path, code: "FOLDER_NOT_WRITABLE", message, remedy: "Name a folder, or take the file away." }];
}

type LooseProject = LooseSettings["projects"][number];

/** @param pixlIds the secrets seen so far */
async function checkPixlSecrets(
  { pseudonyms }: LooseProject,
  index: number,
  pixlIds: Set<string>,
): Promise<readonly Finding[]> {
  const { mode, hashKeyFile, projectSaltFile, localSaltFile } = pseudonyms;
  if (mode !== "pixl" || hashKeyFile === undefined || projectSaltFile === undefined || localSaltFile === undefined) {
    return [];
  }
  const files = { hashKeyFile, projectSaltFile, localSaltFile };
  const pathOf = (name: string): YamlPath => ["projects", index, "pseudonyms", name];
  try {
    const id = pixlSecretsId(await loadPixlSecrets(files));
    const isShared = pixlIds.has(id);
    pixlIds.add(id);
    const message = "Another project has the same key and salts: their pseudonyms could be linked.";
    return isShared ? [{ path: pathOf("projectSaltFile"), code: "SETTING_DUPLICATE", message }] : [];
  } catch (thrown) {
    const { code, details } = toGatewayError(thrown);
    const name = Object.entries(files).find(([, path]) => path === details.path)?.[0] ?? "hashKeyFile";
    return [{ path: pathOf(name), code }];
  }
}

/** Everything that is wrong with a profile's file, where it is there; and what its pseudonyms need of the project. */
async function checkProfile({ profile, pseudonyms }: LooseProject, index: number): Promise<readonly Finding[]> {
  if (profile === undefined) return [];
  // Brings the tables of de-identification with it: most verbs only read settings.
  const { loadProfile } = await import("../deid/profiles/load-profile.ts");
  const path: YamlPath = ["projects", index, "profile"];
  try {
    const { mode, lookup } = loadProfile(profile).pseudonyms;
    const isSourceMissing =
      (mode === "pixl" && pseudonyms.mode !== "pixl") || (lookup === "required" && pseudonyms.lookupFile === undefined);
    return isSourceMissing ? [{ path, code: "PSEUDONYM_SOURCE_MISSING" }] : [];
  } catch (thrown) {
    if (!(thrown instanceof ProfileError)) return [{ path, code: toGatewayError(thrown).code }];
    return thrown.problems.map(({ path: place, line, code, message, remedy }) => {
      const where = [place, line === undefined ? "" : `line ${line}`].filter((part) => part !== "").join(", ");
      return { path, code, message: where === "" ? message : `Profile, ${where}: ${message}`, remedy };
    });
  }
}

async function checkLookupTable({ name = "", pseudonyms }: LooseProject, index: number): Promise<readonly Finding[]> {
  const { lookupFile, mergePatients } = pseudonyms;
  if (lookupFile === undefined) return [];
  const failure = await loadLookupTable(lookupFile, { project: name, merge: mergePatients === true }).then(
    () => undefined,
    toGatewayError,
  );
  return failure === undefined
    ? []
    : [{ path: ["projects", index, "pseudonyms", "lookupFile"], code: failure.code, ...rowOf(failure) }];
}

/** Which row of the table is wrong; never what it says. */
function rowOf({ details }: GatewayError): { readonly message?: string } {
  return details.row === undefined ? {} : { message: `Row ${details.row} is not right: ${details.problem}.` };
}

/** @param keyIds the keys seen so far */
async function checkKeyFile(file: string, at: YamlPath, keyIds: Set<string>): Promise<readonly Finding[]> {
  const path = ["projects", ...at];
  try {
    const { id } = await loadProjectKey(file);
    const isShared = keyIds.has(id);
    keyIds.add(id);
    const message = "Another key file holds the same key: what is made with it could be linked.";
    return isShared ? [{ path, code: "SETTING_DUPLICATE", message }] : [];
  } catch (thrown) {
    return [{ path, code: toGatewayError(thrown).code }];
  }
}
