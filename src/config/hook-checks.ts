import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { findLaunch } from "../pipeline/hook/isolation.ts";
import type { LooseSettings } from "./loose-settings.ts";
import type { Finding, SettingPath } from "./problems.ts";

/** Kinds of destinations that take files beside DICOM. */
const TAKING_FILES: ReadonlySet<string | undefined> = new Set(["folder", "ftps", "sftp", "s3"]);

/** Whether the destinations of hooks that make files take them. */
export function checkHookDestinations({ projects, destinations }: LooseSettings): readonly Finding[] {
  const kinds = new Map(destinations.map(({ name, kind }) => [name, kind]));
  return projects.flatMap(({ hook, destinations: own }, index) => {
    if (hook === undefined) return [];
    const path: SettingPath = ["projects", index, "hook", "filesTo"];
    const { filesTo } = hook;
    const strangers = (filesTo ?? []).flatMap((name, position) =>
      own.includes(name)
        ? []
        : [
            {
              path: [...path, position],
              code: "SETTING_REFERENCE_UNKNOWN" as const,
              message: "The project delivers to no destination of this name.",
            },
          ],
    );
    if (hook.outputs === "instances") return strangers;
    const unfit = (filesTo ?? own).flatMap((name, position) =>
      !kinds.has(name) || TAKING_FILES.has(kinds.get(name))
        ? []
        : [
            {
              path: filesTo === undefined ? ["projects", index, "destinations", position] : [...path, position],
              code: "HOOK_FILES_NOT_TAKEN" as const,
            },
          ],
    );
    return [...strangers, ...unfit];
  });
}

/** Whether hooks can be run here as they should be. */
export async function checkHooks({ projects }: Pick<LooseSettings, "projects">): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [index, { hook }] of projects.entries()) {
    if (hook === undefined) continue;
    const [program] = hook.command;
    if (program !== undefined && !(await isProgram(program))) {
      findings.push({ path: ["projects", index, "hook", "command", 0], code: "HOOK_PROGRAM_UNUSABLE" });
      continue;
    }
    const { maximumMemoryMegabytes: memory, maximumCpuSeconds, network } = hook;
    const launch = await findLaunch({
      network: network === "allowed" ? "allowed" : "none",
      maximumOutputBytes: 1e6,
      maximumMemoryBytes: memory === undefined ? undefined : memory * 1e6,
      maximumCpuSeconds,
    });
    if (launch === undefined)
      findings.push({ path: ["projects", index, "hook", "network"], code: "HOOK_NOT_ISOLATED" });
  }
  return findings;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
