import { toGatewayError } from "../errors/gateway-error.ts";
import { tryHook } from "../pipeline/hook/try-hook.ts";
import type { Finding } from "../units/file-problems.ts";
import type { YamlPath } from "../units/yaml-places.ts";
import type { LooseSettings } from "./loose-settings.ts";

/** Kinds of destinations that take files beside DICOM. */
const TAKING_FILES: ReadonlySet<string | undefined> = new Set(["folder", "ftps", "sftp", "s3"]);

/** Whether the destinations of hooks that make files take them. */
export function checkHookDestinations({ projects, destinations }: LooseSettings): readonly Finding[] {
  const kinds = new Map(destinations.map(({ name, kind }) => [name, kind]));
  return projects.flatMap(({ hook, destinations: own }, index) => {
    if (hook === undefined) return [];
    const path: YamlPath = ["projects", index, "hook", "filesTo"];
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
export async function checkHooks(
  { projects }: Pick<LooseSettings, "projects">,
  attempt = tryHook,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [index, { hook }] of projects.entries()) {
    if (hook === undefined) continue;
    const { command, maximumMemoryMegabytes: memory, maximumCpuSeconds } = hook;
    const [program] = command;
    const network = hook.network === "allowed" ? "allowed" : "none";
    const maximumMemoryBytes = memory === undefined ? undefined : memory * 1e6;
    const failure = await attempt({ program, network, maximumMemoryBytes, maximumCpuSeconds }).then(
      () => undefined,
      toGatewayError,
    );
    if (failure === undefined) continue;
    const { code } = failure;
    const place = code === "HOOK_PROGRAM_UNUSABLE" ? ["command", 0] : ["network"];
    findings.push({ path: ["projects", index, "hook", ...place], code });
  }
  return findings;
}
