import { createHash } from "node:crypto";
import { fileSource } from "../../dicom/sources.ts";
import type { DeidentifiedFile } from "../../staging/deidentified-file.ts";
import { isMissing } from "../../units/durable-files.ts";
import { createSpareMemory } from "../../units/spare-memory.ts";

const READ_BYTES = 256 * 1024;
const spare = createSpareMemory(READ_BYTES, 8);

/** What lies under the name of an instance. */
export type Delivered = "absent" | "same" | "other";

/**
 * Reads the file back and compares its content, 256 KiB in memory at a time.
 * @throws what the disk says
 */
export async function lookAt(
  path: string,
  { sizeBytes, sha256 }: Pick<DeidentifiedFile, "sizeBytes" | "sha256">,
  signal: AbortSignal,
): Promise<Delivered> {
  const memory = spare.take();
  try {
    await using file = await fileSource(path);
    if (file.sizeBytes !== sizeBytes) return "other";
    const hash = createHash("sha256");
    for (let offset = 0; offset < sizeBytes; ) {
      signal.throwIfAborted();
      const count = await file.readInto(memory.subarray(0, sizeBytes - offset), offset);
      if (count === 0) return "other";
      hash.update(memory.subarray(0, count));
      offset += count;
    }
    return hash.digest("hex") === sha256 ? "same" : "other";
  } catch (thrown) {
    if (isMissing(thrown)) return "absent";
    throw thrown;
  } finally {
    spare.giveBack(memory);
  }
}
