import { resolve } from "node:path";
import type { DeidentifierOptions } from "../../deid/deidentifier.ts";
import { loadProfile } from "../../deid/profiles/load-profile.ts";
import type { Profile } from "../../deid/profiles/profile.ts";
import { isProfilePath } from "../../deid/profiles/profile-path.ts";
import { loadLookupTable } from "../../deid/pseudonyms/lookup-table.ts";
import { loadProjectKey } from "../../deid/pseudonyms/project-key.ts";
import type { Cli } from "../cli.ts";

/** What de-identifies a file without a site. */
export interface ProjectOptions {
  readonly profile: string;
  readonly keyFile: string;
  readonly project: string;
  readonly lookup?: string;
  readonly merge?: true;
  readonly codec?: readonly CodecOption[];
}

/** A program, and what it decodes. */
export interface CodecOption {
  readonly transferSyntaxUids: readonly string[];
  readonly program: string;
}

/** Time for one object. */
const CODEC_TIMEOUT_MS = 120_000;

/** @throws GatewayError PROFILE_UNKNOWN, KEY_FILE_…, LOOKUP_TABLE_…; ProfileError */
export async function deidentifierOptionsOf(
  { world }: Cli,
  { profile, keyFile, project, lookup, merge, codec = [] }: ProjectOptions,
): Promise<DeidentifierOptions> {
  const path = (name: string): string => resolve(world.workingFolder, name);
  return {
    profile: profileOf(profile, world.workingFolder),
    key: await loadProjectKey(path(keyFile)),
    filters: {},
    lookup: lookup === undefined ? undefined : await loadLookupTable(path(lookup), { project, merge: merge === true }),
    codecs: codec.map(({ transferSyntaxUids, program }) => ({
      transferSyntaxUids,
      command: [path(program)],
      timeoutMs: CODEC_TIMEOUT_MS,
    })),
  };
}

export function profileOf(nameOrPath: string, workingFolder: string): Profile {
  return loadProfile(isProfilePath(nameOrPath) ? resolve(workingFolder, nameOrPath) : nameOrPath);
}
