import type { AbsolutePath, AbsolutePathIfAny } from "./settings-peers.ts";

/** A bucket of an object store. Paths of files are absolute. */
export interface BucketSettings {
  /** Absent: Amazon's own. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKeyFile: string;
  readonly pathStyle: boolean;
  readonly authoritiesFile?: string | undefined;
}

/** As it is written; the rest of what stands beside it stays as it is. */
export function resolveBucket<
  Written extends Omit<BucketSettings, "pathStyle"> & { readonly pathStyle?: boolean | undefined },
>(written: Written, absolute: AbsolutePath, ifAny: AbsolutePathIfAny): Written & BucketSettings {
  const { endpoint, pathStyle = endpoint !== undefined, secretAccessKeyFile, authoritiesFile } = written;
  return {
    ...written,
    pathStyle,
    secretAccessKeyFile: absolute(secretAccessKeyFile),
    authoritiesFile: ifAny(authoritiesFile),
  };
}
