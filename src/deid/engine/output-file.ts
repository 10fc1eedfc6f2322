import { createHash } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { writePart10 } from "../../dicom/writer.ts";
import type { ComposedOutput } from "./compose-output.ts";

export interface WrittenOutput {
  readonly temporaryPath: string;
  readonly sizeBytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

const OWNER_ONLY = 0o600;
const FLUSH_BYTES = 256 * 1024;

/**
 * Writes the output under a temporary name beside its final one. It is not synced: output is made again from its input after a power cut,
 * and whoever delivers it syncs the copy that counts.
 */
export async function writeOutput(
  outputPath: string,
  output: ComposedOutput,
  signal: AbortSignal,
): Promise<WrittenOutput> {
  const temporaryPath = join(dirname(outputPath), `.${basename(outputPath)}.partial`);
  await mkdir(dirname(outputPath), { recursive: true, mode: 0o700 });
  await discardOutput(temporaryPath);
  try {
    await using file = await open(temporaryPath, "wx", OWNER_ONLY);
    const hash = createHash("sha256");
    let sizeBytes = 0;
    let pending: Uint8Array[] = [];
    let pendingBytes = 0;
    const flush = async (): Promise<void> => {
      signal.throwIfAborted();
      const [only] = pending;
      await file.writeFile(pending.length === 1 && only !== undefined ? only : Buffer.concat(pending));
      pending = [];
      pendingBytes = 0;
    };
    await writePart10(
      {
        async write(chunk) {
          hash.update(chunk);
          sizeBytes += chunk.length;
          pending.push(chunk);
          pendingBytes += chunk.length;
          if (pendingBytes >= FLUSH_BYTES) await flush();
        },
      },
      output,
    );
    if (pendingBytes > 0) await flush();
    return { temporaryPath, sizeBytes, sha256: hash.digest("hex") };
  } catch (thrown) {
    await discardOutput(temporaryPath);
    throw thrown;
  }
}

/** Gives a verified output its name. */
export async function publishOutput(temporaryPath: string, outputPath: string): Promise<void> {
  await rename(temporaryPath, outputPath);
}

export async function discardOutput(temporaryPath: string): Promise<void> {
  await rm(temporaryPath, { force: true });
}
