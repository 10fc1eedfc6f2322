import type { Settings } from "../config/settings.ts";
import type { OwnCheck } from "../operations/context.ts";
import type { HookNetwork } from "../pipeline/hook/hook.ts";
import { tryHook } from "../pipeline/hook/try-hook.ts";

const NETWORKS: Readonly<Record<HookNetwork, string>> = { none: "without network", allowed: "with the network" };

/** What `doctor` asks of projects' hooks: each program is there, and can be held as the settings say. None is run. */
export function hookChecks({ projects }: Pick<Settings, "projects">, attempt = tryHook): readonly OwnCheck[] {
  return projects.flatMap(({ name, hook }) => {
    if (hook === undefined) return [];
    const { command, network, maximumMemoryBytes, maximumCpuSeconds } = hook;
    const [program] = command;
    return [
      {
        what: `project ${name} can run its processing hook`,
        async examine() {
          const { isIsolated } = await attempt({ program, network, maximumMemoryBytes, maximumCpuSeconds });
          return isIsolated
            ? `yes, in namespaces of its own, ${NETWORKS[network]}`
            : "yes, as a group of processes: this machine gives it no namespaces of its own";
        },
      },
    ];
  });
}
