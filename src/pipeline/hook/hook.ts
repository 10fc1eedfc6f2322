/** What of a hook's outputs a project takes. */
export type HookOutputs = "instances" | "files" | "both";

/** `none`: no hook runs where that cannot be enforced. */
export type HookNetwork = "none" | "allowed";

/** A program of the site's that is run on every study of a project, between verification and delivery. */
export interface HookSettings {
  /** The absolute path of a program, then its arguments; the input folder and the output folder follow. No shell reads them. */
  readonly command: readonly string[];
  readonly timeoutMs: number;
  readonly outputs: HookOutputs;
  /** Names of the destinations that get its files; undefined: all of the project's. */
  readonly filesTo?: readonly string[] | undefined;
  readonly maximumOutputBytes: number;
  readonly maximumOutputFiles: number;
  /** Of address space, for each of its processes. */
  readonly maximumMemoryBytes?: number | undefined;
  /** Of processor time, for each of its processes. */
  readonly maximumCpuSeconds?: number | undefined;
  readonly network: HookNetwork;
  /** Studies of the project that it works on at once. */
  readonly parallel: number;
}

/** The version of what hooks are given and asked for. docs/processing-hook.md. */
export const HOOK_CONTRACT = 1;
