import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { DeidentifiedFile } from "../../staging/deidentified-file.ts";
import { isMissing } from "../../units/durable-files.ts";

const READ_BYTES = 1024 * 1024;

/** What lies under the name of an instance. */
export type Delivered = "absent" | "same" | "other";

/** Reads the file back and compares its content, a mebibyte in memory at a time. @throws what the disk says */
export async function lookAt(
  path: string,
  { sizeBytes, sha256 }: Pick<DeidentifiedFile, "sizeBytes" | "sha256">,
  signal: AbortSignal,
): Promise<Delivered> {
  try {
    const { size } = await stat(path);
    if (size !== sizeBytes) return "other";
    const hash = createHash("sha256");
    await pipeline(createReadStream(path, { highWaterMark: READ_BYTES }), hash, { signal });
    return hash.digest("hex") === sha256 ? "same" : "other";
  } catch (thrown) {
    if (isMissing(thrown)) return "absent";
    throw thrown;
  }
}
