import type { DeidentifiedFile } from "../staging/deidentified-file.ts";

/** What one request carries at most; a file that is larger goes alone. */
export interface BatchLimits {
  readonly files: number;
  readonly sizeBytes: number;
}

/** Files in their order, as many together as fit. */
export function* batchesOf(
  files: readonly DeidentifiedFile[],
  limits: BatchLimits,
): Generator<readonly DeidentifiedFile[]> {
  let batch: DeidentifiedFile[] = [];
  let sizeBytes = 0;
  for (const file of files) {
    const isFull = batch.length >= limits.files || sizeBytes + file.sizeBytes > limits.sizeBytes;
    if (batch.length > 0 && isFull) {
      yield batch;
      batch = [];
      sizeBytes = 0;
    }
    batch.push(file);
    sizeBytes += file.sizeBytes;
  }
  if (batch.length > 0) yield batch;
}
