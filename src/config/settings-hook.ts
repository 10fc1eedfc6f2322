import type { HookSettings } from "../pipeline/hook/hook.ts";
import type { Manifest } from "./manifest.ts";
import type { AbsolutePath } from "./settings-peers.ts";

type WrittenHook = NonNullable<Manifest["projects"][number]["hook"]>;

/** Megabytes are of 1,000,000 bytes. */
export function resolveHook(hook: WrittenHook, absolute: AbsolutePath): HookSettings {
  const { command, timeoutSeconds, maximumMemoryMegabytes, maximumOutputMegabytes, ...rest } = hook;
  const [program = "", ...args] = command;
  const { outputs, filesTo, maximumOutputFiles, maximumCpuSeconds, network, parallel } = rest;
  return {
    command: [absolute(program), ...args],
    timeoutMs: timeoutSeconds * 1_000,
    outputs,
    ...(filesTo === undefined ? {} : { filesTo }),
    maximumOutputBytes: maximumOutputMegabytes * 1e6,
    maximumOutputFiles,
    ...(maximumMemoryMegabytes === undefined ? {} : { maximumMemoryBytes: maximumMemoryMegabytes * 1e6 }),
    ...(maximumCpuSeconds === undefined ? {} : { maximumCpuSeconds }),
    network,
    parallel,
  };
}
