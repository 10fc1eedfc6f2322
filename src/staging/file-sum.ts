import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";

const READ_BYTES = 1 << 20;

/** SHA-256 of a file, lower-case hexadecimal. @throws what the disk says; the signal's reason */
export async function sha256OfFile(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: READ_BYTES }), hash, { signal });
  return hash.digest("hex");
}
