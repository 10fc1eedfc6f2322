import type { z } from "zod";
import type { sharedStagingSettings } from "./manifest-staging.ts";
import { type BucketSettings, resolveBucket } from "./settings-bucket.ts";
import type { AbsolutePath, AbsolutePathIfAny } from "./settings-peers.ts";

export interface SharedStagingSettings extends BucketSettings {
  /** What keys begin with, without a slash at its end. */
  readonly prefix: string;
}

export function resolveSharedStaging(
  { kind: _, prefix, ...bucket }: z.output<typeof sharedStagingSettings>,
  absolute: AbsolutePath,
  ifAny: AbsolutePathIfAny,
): SharedStagingSettings {
  return { ...resolveBucket(bucket, absolute, ifAny), prefix: prefix.replaceAll(/^\/|\/$/g, "") };
}
