import type { z } from "zod";
import type { sharedStagingSettings } from "./manifest-staging.ts";
import type { AbsolutePath, AbsolutePathIfAny } from "./settings-peers.ts";

/** Paths of files are absolute. */
export interface SharedStagingSettings {
  /** Absent: Amazon's own. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  readonly bucket: string;
  /** What keys begin with, without a slash at its end. */
  readonly prefix: string;
  readonly accessKeyId: string;
  readonly secretAccessKeyFile: string;
  readonly pathStyle: boolean;
  readonly authoritiesFile?: string | undefined;
}

export function resolveSharedStaging(
  shared: z.output<typeof sharedStagingSettings>,
  absolute: AbsolutePath,
  ifAny: AbsolutePathIfAny,
): SharedStagingSettings {
  const { kind: _, endpoint, prefix, pathStyle = endpoint !== undefined, ...rest } = shared;
  return {
    ...rest,
    endpoint,
    pathStyle,
    prefix: prefix.replaceAll(/^\/|\/$/g, ""),
    secretAccessKeyFile: absolute(shared.secretAccessKeyFile),
    authoritiesFile: ifAny(shared.authoritiesFile),
  };
}
