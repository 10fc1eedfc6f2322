import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { HookSettings } from "./hook.ts";
import { findLaunch, type Launch } from "./isolation.ts";

/** What has to be known of a hook to tell whether it can be run. */
export type HookToTry = Pick<HookSettings, "network" | "maximumMemoryBytes" | "maximumCpuSeconds"> & {
  /** Undefined: the settings name none. */
  readonly program: string | undefined;
};

const PROBE_OUTPUT_BYTES = 1e6;

/**
 * How a hook can be run on this machine, without running it.
 * @throws GatewayError HOOK_PROGRAM_UNUSABLE, HOOK_NOT_ISOLATED
 */
export async function tryHook({ program, ...limits }: HookToTry, find = findLaunch): Promise<Launch> {
  if (program !== undefined && !(await isProgram(program))) throw new GatewayError("HOOK_PROGRAM_UNUSABLE");
  const launch = await find({ ...limits, maximumOutputBytes: PROBE_OUTPUT_BYTES });
  if (launch === undefined) throw new GatewayError("HOOK_NOT_ISOLATED");
  return launch;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
