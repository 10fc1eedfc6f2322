import { resolve } from "node:path";
import type { Cli } from "../cli.ts";

/** A profile as the command line names it: a file's path counts from the working folder, a shipped profile's name is left alone. */
export function profilePath({ world }: Cli, profile: string): string {
  return /[./\\]/.test(profile) ? resolve(world.workingFolder, profile) : profile;
}
