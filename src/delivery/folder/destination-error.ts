import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { systemCodeOf } from "../../units/durable-files.ts";

/** What trying again cannot change, and what has a code of its own; everything else the disk says may pass. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  EACCES: "DESTINATION_NOT_WRITABLE",
  EDQUOT: "DESTINATION_FULL",
  EEXIST: "DESTINATION_NOT_WRITABLE",
  ENOSPC: "DESTINATION_FULL",
  ENOTDIR: "DESTINATION_NOT_WRITABLE",
  EPERM: "DESTINATION_NOT_WRITABLE",
  EROFS: "DESTINATION_NOT_WRITABLE",
};

/** Throws what the disk said as an error of the destination; errors that are not the disk's stay as they are. */
export function rethrowDestination(destination: string): (thrown: unknown) => never {
  return (thrown) => {
    const isOfTheDisk = thrown instanceof Error && "syscall" in thrown;
    if (!isOfTheDisk) throw thrown;
    const code = CODES[systemCodeOf(thrown) ?? ""] ?? "DESTINATION_UNAVAILABLE";
    throw new GatewayError(code, { destination }, thrown);
  };
}
