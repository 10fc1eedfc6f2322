import { GatewayError } from "../errors/gateway-error.ts";
import { isDiskFull } from "../units/durable-files.ts";

/** What the disk said, as STAGING_FULL or STAGING_UNAVAILABLE; errors that have a code of ours stay as they are. */
export function asStagingError(thrown: unknown): unknown {
  if (thrown instanceof GatewayError) return thrown;
  if (isDiskFull(thrown)) return new GatewayError("STAGING_FULL", {}, thrown);
  const isOfTheDisk = thrown instanceof Error && "syscall" in thrown;
  return isOfTheDisk ? new GatewayError("STAGING_UNAVAILABLE", {}, thrown) : thrown;
}

export function rethrowStaging(thrown: unknown): never {
  throw asStagingError(thrown);
}
