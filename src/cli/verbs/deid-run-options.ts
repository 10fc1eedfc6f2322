import { resolve } from "node:path";
import type { DeidentifierOptions } from "../../deid/deidentifier.ts";
import { loadProfile } from "../../deid/profiles/load-profile.ts";
import type { Profile } from "../../deid/profiles/profile.ts";
import { resolveProfile } from "../../deid/profiles/profile-path.ts";
import { loadLookupTable } from "../../deid/pseudonyms/lookup-table.ts";
import type { PixlSecrets } from "../../deid/pseudonyms/pixl-hash.ts";
import { loadPixlSecrets } from "../../deid/pseudonyms/pixl-secrets.ts";
import { loadProjectKey } from "../../deid/pseudonyms/project-key.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { Cli } from "../cli.ts";

/** What de-identifies a file without a site. */
export interface ProjectOptions {
  readonly profile: string;
  readonly keyFile: string;
  readonly project: string;
  readonly lookup?: string;
  readonly merge?: true;
  readonly hashKeyFile?: string;
  readonly projectSaltFile?: string;
  readonly localSaltFile?: string;
  readonly codec?: readonly CodecOption[];
}

/** A program, and what it decodes. */
export interface CodecOption {
  readonly transferSyntaxUids: readonly string[];
  readonly program: string;
}

/** Time for one object. */
const CODEC_TIMEOUT_MS = 120_000;

/** @throws GatewayError PROFILE_UNKNOWN, KEY_FILE_…, LOOKUP_TABLE_…, SECRET_FILE_…, PIXL_SECRET_MALFORMED, USAGE_INVALID; ProfileError */
export async function deidentifierOptionsOf({ world }: Cli, options: ProjectOptions): Promise<DeidentifierOptions> {
  const { profile, keyFile, project, lookup, merge, codec = [] } = options;
  const path = (name: string): string => resolve(world.workingFolder, name);
  return {
    profile: profileOf(profile, world.workingFolder),
    key: await loadProjectKey(path(keyFile)),
    filters: {},
    lookup: lookup === undefined ? undefined : await loadLookupTable(path(lookup), { project, merge: merge === true }),
    pixl: await pixlSecretsOf(options, path),
    codecs: codec.map(({ transferSyntaxUids, program }) => ({
      transferSyntaxUids,
      command: [path(program)],
      timeoutMs: CODEC_TIMEOUT_MS,
    })),
  };
}

/** All of PIXL's three secrets, or none. */
async function pixlSecretsOf(
  { hashKeyFile, projectSaltFile, localSaltFile }: ProjectOptions,
  path: (name: string) => string,
): Promise<PixlSecrets | undefined> {
  const files = [hashKeyFile, projectSaltFile, localSaltFile];
  if (files.every((file) => file === undefined)) return undefined;
  if (hashKeyFile === undefined || projectSaltFile === undefined || localSaltFile === undefined) {
    throw new GatewayError("USAGE_INVALID", {
      problem: "PIXL's secrets are three: --hash-key-file, --project-salt-file, --local-salt-file",
    });
  }
  return await loadPixlSecrets({
    hashKeyFile: path(hashKeyFile),
    projectSaltFile: path(projectSaltFile),
    localSaltFile: path(localSaltFile),
  });
}

export function profileOf(nameOrPath: string, workingFolder: string): Profile {
  return loadProfile(resolveProfile(nameOrPath, workingFolder));
}
